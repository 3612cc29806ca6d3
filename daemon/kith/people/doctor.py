"""Label doctor: confirmed faces that look like somebody else, or like nobody of their name, to be looked at again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kith.people.engine import canonical_order
from kith.people.matching import known_people
from kith.people.settings import PeopleSettings
from kith.types import Calibration, FaceId, Floats, Gallery, PersonId


@dataclass(frozen=True, slots=True)
class Doubt:
    """A confirmed face that is less like the other faces of its person than it should be.

    `nearer` is the person it looks like instead, None where it only stands far outside its own. `gap` is the likeness
    by which it does so: more is worse. `because` are the faces it is nearest to, of `nearer` or else of its own.
    """

    face: FaceId
    person: PersonId
    nearer: PersonId | None
    gap: float
    because: tuple[FaceId, ...]


def doubts(gallery: Gallery, calibration: Calibration, settings: PeopleSettings | None = None) -> tuple[Doubt, ...]:
    """All doubtful answers, the most doubtful first. A person's only face can't be doubted."""
    order = canonical_order(gallery)
    faces, vectors = [gallery.faces[i] for i in order], gallery.vectors[order]
    people = known_people(faces, vectors, settings or PeopleSettings())
    stranger = calibration.cosine_fmr["1e-3"]
    column = {person: c for c, person in enumerate(people.ids)}
    found = []
    for row, face in enumerate(faces):
        if face.person is None:
            continue
        cosines, others = vectors[people.rows] @ vectors[row], people.rows != row
        alike = np.array([_alike(cosines[(people.of == c) & others]) for c in range(len(people.ids))])
        own = column[face.person]
        best = max((c for c in range(len(alike)) if c != own), key=lambda c: alike[c], default=own)
        gap = max(alike[best] if best != own else -1.0, stranger) - alike[own]
        if np.isfinite(alike[own]) and gap > 0:
            instead = best != own and alike[best] >= stranger
            shown = np.where((people.of == (best if instead else own)) & others, cosines, -np.inf).argmax()
            because = faces[int(people.rows[shown])].id
            nearer = people.ids[best] if instead else None
            found.append(Doubt(face.id, face.person, nearer, float(gap), (because,)))
    return tuple(sorted(found, key=lambda doubt: -doubt.gap))


def _alike(cosines: Floats) -> float:
    """Likeness to some faces: half the nearest, half the mean, so that one wrong face convinces nobody."""
    return float(cosines.max() + cosines.mean()) / 2 if len(cosines) else -np.inf
