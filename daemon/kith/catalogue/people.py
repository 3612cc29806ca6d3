"""People: names as a person gave them, compared without regard to case and composition."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from typing import Any

from sqlite_utils import Database

from kith.errors import BadRequest, NotFound
from kith.types import Dispute, Person, PersonId, Presence

LONGEST_NAME = 200

COUNTED = """
    SELECT p.id, p.name,
    (SELECT count(*) FROM faces f JOIN photos o ON o.id = f.photo_id WHERE f.person_id = p.id AND o.missing = 0),
    (SELECT count(*) FROM (
        SELECT o.id FROM faces f JOIN photos o ON o.id = f.photo_id WHERE f.person_id = p.id AND o.missing = 0
        UNION
        SELECT o.id FROM presences s JOIN photos o USING (content_key) WHERE s.person_id = p.id AND o.missing = 0
    ))
    FROM people p
"""


def clean(name: str) -> str:
    """A name as it is kept: NFC, no control characters, single blanks. Raises BadRequest where nothing is left."""
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in name)
    cleaned = " ".join(unicodedata.normalize("NFC", printable).split())
    if not cleaned:
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
    raise NotFound(f"Nobody is called {clean(name)}; {hint}")


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
    name = _last(db, person, "renamed", "detail")
    into = _last(db, person, "merged", "other_id")
    born_as, before = db.execute("SELECT born_as, merged_into FROM people WHERE id = ?", [person]).fetchone()
    name = name or born_as
    if into is not None and resolve(db, into) == person:
        raise BadRequest(f"{name} and {get(db, into).name} were made one person the other way round meanwhile.")
    other = find(db, name)
    if into is None and other not in (None, person):
        raise BadRequest(f"Somebody else is called {name} now; rename one of them first, or use `kith merge`.")
    db.execute(
        "UPDATE people SET name = ?, key = ?, merged_into = ? WHERE id = ?",
        [name, key(name) if into is None else None, into, person],
    )
    return bool(into != before)


def _last(db: Database, person: PersonId, kind: str, column: str) -> Any:
    row = db.execute(
        f"SELECT {column} FROM standing WHERE person_id = ? AND kind = ? ORDER BY id DESC LIMIT 1", [person, kind]
    ).fetchone()
    return row[0] if row else None


def all_of(db: Database) -> list[Person]:
    """Everybody, most photographed first."""
    rows = db.execute(f"{COUNTED} WHERE p.merged_into IS NULL ORDER BY 3 DESC, p.name")
    return [Person(*row) for row in rows]


def get(db: Database, person: PersonId) -> Person:
    return Person(*db.execute(f"{COUNTED} WHERE p.id = ?", [person]).fetchone())


def present(db: Database, content: bytes) -> list[Presence]:
    """Who is on a photo of this content without a face that shows it, by name."""
    rows = db.execute(
        "SELECT p.id, p.name, s.dispute FROM presences s JOIN people p ON p.id = s.person_id"
        " WHERE s.content_key = ? ORDER BY p.name",
        [content],
    )
    return [Presence(Person(PersonId(i), name), Dispute(dispute) if dispute else None) for i, name, dispute in rows]


def disputed(db: Database) -> list[tuple[bytes, Person]]:
    """Photos, and who is on them without a face though another program took them away twice."""
    rows = db.execute(
        "SELECT o.path, p.id, p.name FROM presences s JOIN people p ON p.id = s.person_id"
        " JOIN photos o USING (content_key) WHERE s.dispute = 'open' AND o.missing = 0 ORDER BY o.path, p.name"
    )
    return [(path, Person(PersonId(person), name)) for path, person, name in rows]
