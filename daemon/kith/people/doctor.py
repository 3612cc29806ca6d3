"""Label doctor: confirmed faces that look like somebody else, or like nobody of their name, to be looked at again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from kith.people.faces import canonical
from kith.people.matching import People, choose_exemplars
from kith.people.settings import PeopleSettings
from kith.people.vectors import snap
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
    settings = settings or PeopleSettings()
    faces, vectors = dict(enumerate(gallery.faces)), snap(gallery.vectors)
    confirmed: dict[PersonId, list[int]] = defaultdict(list)
    for row in sorted(faces, key=lambda row: canonical(faces[row])):
        if (person := faces[row].person) is not None:
            confirmed[person].append(row)
    chosen = {person: choose_exemplars(rows, faces, settings) for person, rows in confirmed.items()}
    people = People.of(chosen, vectors, np.full(len(faces), np.nan), {})
    stranger = calibration.cosine_fmr["1e-3"]
    found = (
        _doubt(row, people, own, gallery, vectors, stranger) for own, p in enumerate(people.ids) for row in confirmed[p]
    )
    return tuple(sorted((d for d in found if d is not None), key=lambda doubt: (-doubt.gap, doubt.face)))


def _doubt(row: int, people: People, own: int, gallery: Gallery, vectors: Floats, stranger: float) -> Doubt | None:
    """Whether the face of this row is doubtful, being said to be the person of column `own`."""
    cosines, others = people.vectors @ vectors[row], people.slots != row
    of = np.repeat(np.arange(len(people.ids)), people.counts)
    alike = np.array([_alike(cosines[(of == c) & others]) for c in range(len(people.ids))])
    best = max((c for c in range(len(alike)) if c != own), key=lambda c: alike[c], default=own)
    gap = max(alike[best] if best != own else -1.0, stranger) - alike[own]
    if not np.isfinite(alike[own]) or gap <= 0:
        return None
    instead = best != own and alike[best] >= stranger
    shown = np.where((of == (best if instead else own)) & others, cosines, -np.inf).argmax()
    because = gallery.faces[int(people.slots[shown])].id
    return Doubt(gallery.faces[row].id, people.ids[own], people.ids[best] if instead else None, float(gap), (because,))


def _alike(cosines: Floats) -> float:
    """Likeness to some faces: half the nearest, half the mean, so that one wrong face convinces nobody."""
    return float(cosines.max() + cosines.mean()) / 2 if len(cosines) else -np.inf
