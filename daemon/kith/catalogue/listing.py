"""What lists and pages are made of: faces by filter and order, and the facts that stand beside them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlite_utils import Database

from kith.catalogue import people
from kith.catalogue.photos import COLUMNS
from kith.errors import NotFound
from kith.types import FaceId, FaceState, GroupId, Person, PersonId, Photo, PhotoId

Order = Literal["id", "oldest", "newest", "surest"]

TAKEN = "coalesce(p.captured_at, p.mtime_ns / 1e9)"
KEYS: Mapping[Order, str] = {
    "id": "f.id",
    "oldest": TAKEN,
    "newest": f"-{TAKEN}",
    "surest": "-CASE WHEN f.answer = 'confirmed' THEN 1.0 ELSE coalesce(f.probability_group, 0.0) END",
}
STATE = """
    CASE WHEN f.answer IS NOT NULL THEN f.answer WHEN f.suggested_id IS NOT NULL AND f.auto THEN 'auto'
    WHEN f.suggested_id IS NOT NULL THEN 'suggested' WHEN f.group_id IS NOT NULL THEN 'grouped' ELSE 'unknown' END
"""

OUTLINE = ("face", "photo", "taken", "state", "person", "probability", "probability_classifier")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which faces a list is to have. A `person`'s are those confirmed as them, and those taken for them."""

    person: PersonId | None = None
    state: FaceState | None = None
    group: GroupId | None = None
    photo: PhotoId | None = None


def faces(
    db: Database, wanted: Wanted, order: Order, after: tuple[float, FaceId] | None, limit: int
) -> list[tuple[float, FaceId]]:
    """Faces on photos that are there, each with the key it is sorted by; those `after` a key and face."""
    where, values = _filter(wanted)
    if after is not None:
        where.append(f"({KEYS[order]}, f.id) > (?, ?)")
        values.extend(after)
    rows = db.execute(
        f"SELECT {KEYS[order]}, f.id FROM faces f JOIN photos p ON p.id = f.photo_id"
        f" WHERE {' AND '.join(where)} ORDER BY 1, 2 LIMIT ?",
        [*values, limit],
    )
    return [(float(key), FaceId(face)) for key, face in rows]


def _filter(wanted: Wanted) -> tuple[list[str], list[Any]]:
    """The conditions of a filter, and their values."""
    conditions = {
        "(f.person_id = ?1 OR (f.answer IS NULL AND f.suggested_id = ?1))": wanted.person,
        f"{STATE} = ?": wanted.state,
        "f.group_id = ?": wanted.group,
        "f.photo_id = ?": wanted.photo,
    }
    used = {condition: value for condition, value in conditions.items() if value is not None}
    return ["p.missing = 0", *used], list(used.values())


def outline(db: Database, wanted: Wanted) -> list[tuple[Any, ...]]:
    """All faces of a filter, oldest first, each a row of `OUTLINE`: who it is or may be, and how sure that is."""
    where, values = _filter(wanted)
    rows = db.execute(
        f"SELECT f.id, f.photo_id, round({TAKEN}), {STATE}, coalesce(f.person_id, f.suggested_id),"
        " round(f.probability_group, 3), round(f.probability_classifier, 3)"
        f" FROM faces f JOIN photos p ON p.id = f.photo_id WHERE {' AND '.join(where)} ORDER BY 3, 1",
        values,
    )
    return list(rows.fetchall())


def photos(db: Database) -> list[tuple[int, bytes, float, int, int]]:
    """All photos that are there, oldest first: photo, path, when, how many faces, how many of them unanswered."""
    rows = db.execute(
        f"SELECT p.id, p.path, round({TAKEN}), count(f.id) FILTER (WHERE f.answer IS NOT 'not-a-face'),"
        " count(f.id) FILTER (WHERE f.answer IS NULL) FROM photos p LEFT JOIN faces f ON f.photo_id = p.id"
        " WHERE p.missing = 0 GROUP BY p.id ORDER BY 3, p.path"
    )
    return list(rows.fetchall())


def by_state(db: Database) -> dict[FaceState, int]:
    """How many faces on photos that are there are known how well."""
    rows = db.execute(
        f"SELECT {STATE}, count(*) FROM faces f JOIN photos p ON p.id = f.photo_id WHERE p.missing = 0 GROUP BY 1"
    )
    return {FaceState(state): count for state, count in rows}


def waiting(db: Database, ids: Collection[FaceId]) -> dict[FaceId, PersonId | None]:
    """Those of some faces that still wait for an answer, and who each is taken for."""
    rows = db.execute(
        "SELECT f.id, f.suggested_id FROM faces f JOIN photos p ON p.id = f.photo_id WHERE f.answer IS NULL"
        " AND NOT f.auto AND p.missing = 0 AND f.id IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(ids))],
    )
    return {FaceId(face): None if person is None else PersonId(person) for face, person in rows}


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands beside a face, of its photo. `taken`: seconds since 1970 by the camera's clock, as if in UTC."""

    rev: int
    taken: float | None


def facts(db: Database, ids: Collection[PhotoId]) -> dict[PhotoId, Facts]:
    """The facts of some photos."""
    rows = db.execute(
        "SELECT id, tags_rev, captured_at FROM photos WHERE id IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(ids))],
    )
    return {PhotoId(photo): Facts(rev, taken) for photo, rev, taken in rows}


def photo(db: Database, number: int) -> Photo:
    """A photo that is there. Raises NotFound."""
    row = db.execute(f"SELECT {COLUMNS} FROM photos WHERE id = ? AND missing = 0", [number]).fetchone()
    if row is None:
        raise NotFound(f"There is no photo {number}.")
    return Photo(*row)


def whereabouts(db: Database, path: bytes) -> tuple[Photo, bool] | None:
    """The photo that is or was at a path, and whether it is missing there."""
    row = db.execute(f"SELECT missing, {COLUMNS} FROM photos WHERE path = ?", [path]).fetchone()
    return None if row is None else (Photo(*row[1:]), bool(row[0]))


def names(db: Database) -> dict[PersonId, str]:
    """What everybody is called; those who were merged into another person, as that one."""
    rows = {row[0]: row[1:] for row in db.execute("SELECT id, name, merged_into FROM people").fetchall()}

    def called(person: int) -> str:
        name, into = rows[person]
        return str(name) if into is None else called(into)

    return {PersonId(person): called(person) for person in rows}


def person(db: Database, number: PersonId) -> Person:
    """A person, or whom they were merged into. Raises NotFound."""
    known = people.resolve(db, number)
    if known is None or db.execute("SELECT 1 FROM people WHERE id = ?", [known]).fetchone() is None:
        raise NotFound(f"There is no person p{number}. `kith people` lists everybody.")
    return people.get(db, known)


def reach(db: Database, act: int) -> tuple[int, list[tuple[PhotoId, int]]]:
    """How many faces an act said something of, and the photos it reached with their revisions now."""
    told = _said_by(db, act)
    count = db.execute(
        "SELECT count(*) FROM (SELECT DISTINCT content_key, x, y, w, h FROM decisions WHERE act_id = ? AND x NOT NULL)",
        [told],
    ).fetchone()[0]
    rows = db.execute(
        "SELECT id, tags_rev FROM photos WHERE missing = 0 AND content_key IN"
        " (SELECT content_key FROM decisions WHERE act_id = ?) ORDER BY id",
        [told],
    )
    return count, [(PhotoId(photo), rev) for photo, rev in rows]


def _said_by(db: Database, act: int) -> int:
    """The act whose decisions an act is about: its own, or those that it takes back or brings back."""
    undoes = db.execute("SELECT undoes FROM acts WHERE id = ?", [act]).fetchone()[0]
    return act if undoes is None else _said_by(db, undoes)
