"""Faces of which somebody said that they are different people, whoever they are.

A division ends where one person is confirmed in two of its parts: whoever says so has changed their mind.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlite_utils import Database

from kith.types import FaceId, Part, PersonId


def parts(db: Database) -> dict[FaceId, frozenset[Part]]:
    """The parts that faces are in, of the divisions that hold."""
    named = db.execute(
        "SELECT DISTINCT p.division, p.part, f.person_id FROM parts p JOIN faces f ON f.id = p.face_id"
        " WHERE f.person_id IS NOT NULL"
    ).fetchall()
    seen = [(division, person) for division, _, person in named]
    ended = {division for division, person in set(seen) if seen.count((division, person)) > 1}
    found: dict[FaceId, set[Part]] = defaultdict(set)
    for face, division, part in db.execute("SELECT face_id, division, part FROM parts").fetchall():
        if division not in ended:
            found[FaceId(face)].add((division, part))
    return {face: frozenset(some) for face, some in found.items()}


def others(db: Database, divided: Mapping[FaceId, frozenset[Part]]) -> dict[FaceId, frozenset[PersonId]]:
    """Whom faces can't be, since another part of their division is that person."""
    people: dict[int, set[tuple[int, PersonId]]] = defaultdict(set)
    for face, person in db.execute(
        "SELECT DISTINCT f.id, f.person_id FROM parts p JOIN faces f ON f.id = p.face_id WHERE f.person_id IS NOT NULL"
    ).fetchall():
        for division, part in divided.get(face, ()):
            people[division].add((part, PersonId(person)))
    return {
        face: frozenset(person for division, part in some for at, person in people[division] if at != part)
        for face, some in divided.items()
    }


def beside(db: Database, faces: Collection[FaceId]) -> frozenset[FaceId]:
    """All faces of the divisions that some faces are in."""
    rows = db.execute(
        "SELECT face_id FROM parts WHERE division IN"
        " (SELECT division FROM parts WHERE face_id IN (SELECT value FROM json_each(?)))",
        [json.dumps(sorted(faces))],
    )
    return frozenset(FaceId(face) for (face,) in rows)
