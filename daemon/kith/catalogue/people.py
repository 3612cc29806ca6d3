"""People: names as a person gave them, compared without regard to case and composition."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sqlite_utils import Database

from kith.catalogue.standing import nearest
from kith.errors import BadRequest, NotFound
from kith.types import Answer, Box, Dispute, FaceId, Person, PersonId, Presence

LONGEST_NAME = 200

COUNTED = """
    SELECT p.id, p.name,
    (SELECT count(*) FROM faces f JOIN photos o ON o.id = f.photo_id WHERE f.person_id = p.id AND o.missing = 0),
    (SELECT count(*) FROM (
        SELECT o.id FROM faces f JOIN photos o ON o.id = f.photo_id WHERE f.person_id = p.id AND o.missing = 0
        UNION
        SELECT o.id FROM presences s JOIN photos o USING (content_key) WHERE s.person_id = p.id AND o.missing = 0
    )),
    p.born, p.hidden,
    coalesce(p.feature_id, (SELECT f.id FROM faces f JOIN photos o ON o.id = f.photo_id
        WHERE f.person_id = p.id AND o.missing = 0 ORDER BY f.quality DESC, f.id LIMIT 1))
    FROM people p
"""


def clean(name: str) -> str:
    """A name as it is kept: NFC, no control characters, single blanks. Raises BadRequest where nothing is left."""
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in name)
    cleaned = " ".join(unicodedata.normalize("NFC", printable).split())
    if all(unicodedata.category(c) in ("Cf", "Zs") for c in cleaned):
        raise BadRequest("A name needs at least one visible character.")
    if len(cleaned) > LONGEST_NAME:
        raise BadRequest(f"A name may have at most {LONGEST_NAME} characters.")
    return cleaned


def key(name: str) -> str:
    """A name as it is compared."""
    return unicodedata.normalize("NFC", clean(name).casefold())


def named(db: Database, name: str) -> PersonId:
    """The person of this name, new if need be."""
    found = find(db, name)
    if found is not None:
        return found
    cleaned = clean(name)
    row = db.execute(
        "INSERT INTO people (born_as, name, key) VALUES (?, ?, ?) RETURNING id", [cleaned, cleaned, key(name)]
    ).fetchone()
    return PersonId(row[0])


def find(db: Database, name: str) -> PersonId | None:
    """The person of this name, if there is one."""
    row = db.execute("SELECT id FROM people WHERE key = ?", [key(name)]).fetchone()
    return None if row is None else PersonId(row[0])


def called(db: Database, name: str) -> Person:
    """The person of this name. Raises NotFound where nobody is called so, and says who nearly is."""
    person = find(db, name)
    if person is not None:
        return get(db, person)
    near = get_close_matches(name, [other.name for other in all_of(db)], 1)
    hint = f"did you mean {near[0]}?" if near else "`kith people` lists everybody."
    raise NotFound(f"Nobody is called {clean(name)}; {hint}", clean(name), *near)


def resolve(db: Database, person: PersonId | None) -> PersonId | None:
    """Who a person is after all merges."""
    while person is not None:
        row = db.execute("SELECT merged_into FROM people WHERE id = ?", [person]).fetchone()
        if row is None or row[0] is None:
            break
        person = PersonId(row[0])
    return person


def settle(db: Database, person: PersonId) -> bool:
    """Let the row of a person say what stands; tells whether they were merged or are themselves again.

    Raises BadRequest where their name is somebody else's meanwhile, or where two people would become each other.
    """
    said = _last_of_each(db, person)
    born_as, before = db.execute("SELECT born_as, merged_into FROM people WHERE id = ?", [person]).fetchone()
    name, into = said.get(Answer.RENAMED, {}).get("detail") or born_as, said.get(Answer.MERGED, {}).get("other_id")
    if into is not None and resolve(db, into) == person:
        other = get(db, into).name
        raise BadRequest(f"{name} and {other} were made one person the other way round meanwhile.", name, other)
    if into is None and find(db, name) not in (None, person):
        raise BadRequest(f"Somebody else is called {name} now; rename one of them first, or use `kith merge`.", name)
    shown, hidden = (said.get(kind, {}).get("id", 0) for kind in (Answer.SHOWN, Answer.HIDDEN))
    db.execute(
        "UPDATE people SET name = ?, key = ?, merged_into = ?, born = ?, hidden = ?, feature_id = ? WHERE id = ?",
        [
            *(name, key(name) if into is None else None, into),
            *(said.get(Answer.BORN, {}).get("detail") or None, hidden > shown, _feature(db, said), person),
        ],
    )
    return bool(into != before)


def _last_of_each(db: Database, person: PersonId) -> dict[str, dict[str, Any]]:
    """The last decision of each kind about a person, as rows by column."""
    rows = db.query(
        "SELECT max(id) AS id, kind, content_key, x, y, w, h, other_id, detail FROM standing"
        " WHERE person_id = ? GROUP BY kind",
        [person],
    )
    return {row["kind"]: row for row in rows}


def _feature(db: Database, said: Mapping[str, Mapping[str, Any]]) -> int | None:
    """The face row where the chosen face is."""
    chosen = said.get(Answer.FEATURED)
    if chosen is None:
        return None
    rows = db.execute("SELECT id, x, y, w, h FROM faces WHERE found_in = ?", [chosen["content_key"]]).fetchall()
    at = nearest(Box(chosen["x"], chosen["y"], chosen["w"], chosen["h"]), [Box(*row[1:]) for row in rows])
    return None if at is None else int(rows[at][0])


def told_apart(db: Database) -> frozenset[tuple[PersonId, PersonId]]:
    """Pairs of people of whom somebody said that they are two, the smaller id first."""
    rows = db.execute(f"SELECT person_id, other_id FROM standing WHERE kind = '{Answer.APART}'").fetchall()
    pairs = ((resolve(db, PersonId(one)), resolve(db, PersonId(other))) for one, other in rows)
    return frozenset((min(a, b), max(a, b)) for a, b in pairs if a is not None and b is not None and a != b)


def births(db: Database) -> dict[PersonId, float]:
    """The days of birth that are known, in seconds since 1970 as if in UTC."""
    rows = db.execute("SELECT id, unixepoch(born) FROM people WHERE born IS NOT NULL AND merged_into IS NULL")
    return {PersonId(person): float(at) for person, at in rows}


def all_of(db: Database) -> list[Person]:
    """Everybody, most photographed first."""
    rows = db.execute(f"{COUNTED} WHERE p.merged_into IS NULL ORDER BY 3 DESC, p.name")
    return [_person(row) for row in rows]


def get(db: Database, person: PersonId) -> Person:
    return _person(db.execute(f"{COUNTED} WHERE p.id = ?", [person]).fetchone())


def _person(row: Sequence[Any]) -> Person:
    number, name, faces, photos, born, hidden, feature = row
    return Person(
        PersonId(number), name, faces, photos, born, bool(hidden), None if feature is None else FaceId(feature)
    )


def present(db: Database, content: bytes) -> list[Presence]:
    """Who is on a photo of this content without a face that shows it, by name."""
    return present_on(db, [content])[content]


def present_on(db: Database, contents: Sequence[bytes]) -> dict[bytes, list[Presence]]:
    """The same for some contents (a few thousand at most)."""
    found: dict[bytes, list[Presence]] = {content: [] for content in contents}
    marks = ", ".join("?" * len(contents))
    for content, person, name, dispute in db.execute(
        "SELECT s.content_key, p.id, p.name, s.dispute FROM presences s JOIN people p ON p.id = s.person_id"
        f" WHERE s.content_key IN ({marks}) ORDER BY p.name",
        list(contents),
    ):
        found[content].append(Presence(Person(PersonId(person), name), Dispute(dispute) if dispute else None))
    return found


def disputed(db: Database) -> list[tuple[bytes, Person]]:
    """Photos, and who is on them without a face though another program took them away twice."""
    rows = db.execute(
        "SELECT o.path, p.id, p.name FROM presences s JOIN people p ON p.id = s.person_id"
        " JOIN photos o USING (content_key) WHERE s.dispute = 'open' AND o.missing = 0 ORDER BY o.path, p.name"
    )
    return [(path, Person(PersonId(person), name)) for path, person, name in rows]
