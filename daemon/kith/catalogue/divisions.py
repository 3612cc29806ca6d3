"""Faces of which somebody said that they are different people, whoever they are.

Each such division has two parts. It ends where one person is confirmed in both: whoever says so has changed their mind.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from kith.types import FaceId, Part, PersonId

OF = "division IN (SELECT division FROM parts WHERE face_id IN (SELECT value FROM json_each(?)))"


@dataclass(frozen=True, slots=True)
class Divided:
    """The parts that faces are in, of the divisions that hold, and whom they can't be since the other part is them."""

    parts: Mapping[FaceId, frozenset[Part]]
    ruled_out: Mapping[FaceId, frozenset[PersonId]]


def divided(db: Database, only: Collection[FaceId] | None = None) -> Divided:
    """What holds of the divisions of all faces, or of those that `only` some are in."""
    wanted, chosen = ("1", []) if only is None else (OF, [json.dumps(sorted(only))])
    rows = db.execute(
        "SELECT p.face_id, p.division, p.part, f.person_id FROM parts p JOIN faces f ON f.id = p.face_id"
        f" WHERE {wanted}",
        chosen,
    ).fetchall()
    people = {(division, part, PersonId(person)) for _, division, part, person in rows if person is not None}
    often = Counter((division, person) for division, _, person in people)
    ended = {division for (division, _), count in often.items() if count > 1}
    named: dict[int, set[tuple[int, PersonId]]] = defaultdict(set)
    for division, part, person in people:
        named[division].add((part, person))
    parts: dict[FaceId, set[Part]] = defaultdict(set)
    ruled_out: dict[FaceId, set[PersonId]] = defaultdict(set)
    for face, division, part, _ in rows:
        if division not in ended:
            parts[FaceId(face)].add((division, part))
            ruled_out[FaceId(face)].update(person for at, person in named[division] if at != part)
    return Divided({f: frozenset(p) for f, p in parts.items()}, {f: frozenset(p) for f, p in ruled_out.items()})


def beside(db: Database, faces: Collection[FaceId]) -> frozenset[FaceId]:
    """All faces of the divisions that some faces are in."""
    rows = db.execute(f"SELECT face_id FROM parts WHERE {OF}", [json.dumps(sorted(faces))])
    return frozenset(FaceId(face) for (face,) in rows)


def touch(db: Database, contents: Iterable[bytes]) -> None:
    """Let recognition look again at all faces of the divisions that faces of these photos are in."""
    found: set[FaceId] = set()
    for content in contents:
        rows = db.execute("SELECT f.id FROM faces f JOIN parts p ON p.face_id = f.id WHERE f.found_in = ?", [content])
        found.update(FaceId(face) for (face,) in rows)
    if found:
        db.execute(
            f"INSERT OR REPLACE INTO changed_faces (face_id) SELECT DISTINCT face_id FROM parts WHERE {OF}",
            [json.dumps(sorted(found))],
        )
