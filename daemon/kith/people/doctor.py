"""Label doctor: confirmed faces that look like somebody else, or like nobody of their name, to be looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kith.people.faces import canonical
from kith.people.matching import People, choose_exemplars
from kith.people.settings import PeopleSettings
from kith.people.vectors import snap
from kith.types import Calibration, FaceId, Floats, Gallery, PersonId

BLOCK = 256  # faces compared with all people at a time


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
    scene = _Scene(gallery, people, vectors, calibration.cosine_fmr["1e-3"])
    rows = [(row, own) for own, person in enumerate(people.ids) for row in confirmed[person]]
    found = (doubt for block in range(0, len(rows), BLOCK) for doubt in _doubted(rows[block : block + BLOCK], scene))
    return tuple(sorted(found, key=lambda doubt: (-doubt.gap, doubt.face)))


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """What all doubts are seen against; `stranger` is the cosine at false match rate 1e-3."""

    gallery: Gallery
    people: People
    vectors: Floats
    stranger: float


def _doubted(rows: Sequence[tuple[int, int]], scene: _Scene) -> Iterator[Doubt]:
    """The doubtful ones of some faces, each of a row and the column of the person it is said to be."""
    people = scene.people
    cosines = people.vectors @ scene.vectors[[row for row, _ in rows]].T
    most, sums = (ufunc.reduceat(cosines, people.starts) for ufunc in (np.maximum, np.add))
    alike = _likeness(most, np.asarray(sums / people.counts[:, None], np.float32))
    for (row, own), near, likeness in zip(rows, cosines.T, alike.T, strict=True):
        doubt = _doubt(row, own, near, likeness, scene)
        if doubt is not None:
            yield doubt


def _doubt(row: int, own: int, cosines: Floats, alike: Floats, scene: _Scene) -> Doubt | None:
    """Whether a face is doubtful, with its `cosines` to all exemplars (E,) and its likeness to all people (P,)."""
    people, others = scene.people, scene.people.slots != row
    of_own = cosines[people.rows(own)][others[people.rows(own)]]
    if not len(of_own):
        return None
    mine = float(_likeness(of_own.max(), of_own.mean()))
    instead = alike.copy()
    instead[own] = -1.0
    best = int(instead.argmax())
    gap = max(float(instead[best]), scene.stranger) - mine
    if gap <= 0:
        return None
    is_other = bool(instead[best] >= scene.stranger)
    where = people.rows(best if is_other else own)
    shown = np.where(others[where], cosines[where], -np.inf).argmax()
    because = scene.gallery.faces[int(people.slots[where][shown])].id
    return Doubt(scene.gallery.faces[row].id, people.ids[own], people.ids[best] if is_other else None, gap, (because,))


def _likeness(most: Floats, mean: Floats) -> Floats:
    """Likeness to some faces: half the nearest, half the mean, so that one wrong face convinces nobody."""
    return np.asarray((most + mean) / 2, np.float32)
