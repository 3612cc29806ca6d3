"""Recognition that goes on from where it was: what changed goes in, only what it touches is worked out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kith.people.clusters import Clusters
from kith.people.cuts import Cuts
from kith.people.faces import NOBODY, Faces
from kith.people.graph import Graph
from kith.people.homes import Homes
from kith.people.matches import Matches
from kith.people.matching import Pairs, People
from kith.people.refit import Correction
from kith.people.settings import PeopleSettings
from kith.people.threads import one_blas_thread
from kith.people.vectors import Rows, snap
from kith.types import (
    Calibration,
    Evidence,
    FaceId,
    Floats,
    Gallery,
    GroupId,
    PersonId,
    PhotoId,
    Recognition,
    Suggestion,
)

T = TypeVar("T")
BLOCK = 65536  # vectors compared at a time
INDEXED = 16  # faces that an index learns while one is compared with a million others


@dataclass(frozen=True, slots=True)
class Changes:
    """Faces whose group or suggestion is not what it was; None where there is none any more."""

    groups: Mapping[FaceId, GroupId | None]
    suggestions: Mapping[FaceId, Suggestion | None]


class Recogniser:
    """Holds all faces of one model pack and what is recognised in them.

    After any history of updates it holds what `recognise` gives for the same set of faces and answers (with the groups
    before the last update as `previous`), when no face is `waiting` any more. Not for several threads.
    """

    def __init__(
        self,
        calibration: Calibration,
        settings: PeopleSettings | None = None,
        *,
        previous: Mapping[FaceId, GroupId] | None = None,
        next_group: int = 1,
        correction: Correction | None = None,
    ) -> None:
        self._calibration, self._settings = calibration, settings or PeopleSettings()
        self._start, self._correction = (dict(previous or {}), next_group), correction
        self._faces = Faces()
        self._born: Mapping[PersonId, float] = {}
        self._set_up(0)

    @property
    def next_group(self) -> int:
        """The lowest group number that was never given."""
        return self._homes.next_group

    @property
    def recognition(self) -> Recognition:
        """All groups and suggestions."""
        return Recognition(self._homes.groups(), self._by_face(self._matches.suggestions()))

    def of(self, faces: Iterable[FaceId]) -> Recognition:
        """Groups and suggestions of some faces."""
        slots = _present(faces, self._faces.slot)
        groups = {slot: group for slot in slots if (group := self._homes.group(slot)) is not None}
        return Recognition(self._by_face(groups), self._by_face(self._matches.suggestions(slots)))

    def holds(self, face: FaceId) -> bool:
        """Whether a face is among those it recognises in."""
        return face in self._faces.slot

    def recognise(self, gallery: Gallery) -> Recognition:
        """What is recognised in exactly these faces: those that differ from the ones held are updated."""
        _checked(gallery)
        changed = self._different(gallery)
        ids = {face.id for face in gallery.faces}
        gone = [face for face in self._faces.slot if face not in ids]
        some = tuple(gallery.faces[i] for i in changed)
        self.update(Gallery(some, gallery.vectors[changed], born=gallery.born), gone)
        return self.recognition

    @one_blas_thread()
    def update(self, changed: Gallery, gone: Iterable[FaceId] = ()) -> Changes:
        """Take over new and changed faces, let go of those `gone`.

        `changed` holds only the new and changed faces, but all birth dates. Raises ValueError where its vectors and
        faces don't fit together.
        """
        vectors = self._fitting(changed)
        arrived, answered = self._sorted_out(changed.faces, vectors)
        slot_of = self._faces.slot
        leaving = list(
            dict.fromkeys(slot_of[f] for f in [*gone, *(f.id for f in _at(changed, arrived))] if f in slot_of)
        )
        left = self._ids(leaving)
        before = self._around([*leaving, *(slot_of[face.id] for face in answered)])
        anew, touched = self._exchange(leaving, answered, _at(changed, arrived), vectors[arrived])
        after = self._around(anew)
        self._born = changed.born
        return self._follow(touched, anew, before[0] | after[0], before[1] | after[1], left)

    def waiting(self) -> int:
        """How many faces `tend` has something to do for: none up to `settings.exact_up_to` faces."""
        return self._graph.unindexed() + self._graph.unsettled()

    @one_blas_thread()
    def tend(self, count: int) -> Changes:
        """Do for about `count` faces what is too slow to do at once.

        The index learns faces until it knows all, then those that it was asked about are compared with all others, so
        that what it missed is found. When none is `waiting`, all is as if every pair had been compared.
        """
        if self._graph.unindexed():
            self._graph.index(INDEXED * count)
            return Changes({}, {})
        return self._follow(self._graph.settle(count), set(), set(), set(), ())

    def _follow(
        self, touched: Rows, anew: set[int], photos: set[PhotoId], named: set[PersonId], left: Iterable[FaceId]
    ) -> Changes:
        """Work out again what follows from slots whose leaf may be another, from photos and from named people."""
        in_clusters, members = self._clusters.update(touched, anew)
        in_suggestions = self._matches.update(in_clusters, photos, named, self._born)
        regrouped = self._homes.update(in_clusters | in_suggestions | anew, named | members, self._graph.vectors)
        return self._changes(regrouped, in_suggestions | anew, left)

    def clusters(self) -> list[tuple[FaceId, ...]]:
        """All faces by cluster: what looks like one person before anybody said so, single faces included."""
        return [tuple(self._ids(cluster)) for cluster in self._clusters]

    def candidates(self, faces: Sequence[FaceId]) -> tuple[People, Pairs]:
        """Whom these faces may be, with features: what calibrations are fitted on."""
        return self._matches.compare([self._faces.slot[face] for face in faces])

    def _set_up(self, length: int) -> None:
        cuts = Cuts.of(self._calibration, self._settings.strictness)
        self._graph = Graph(length, cuts, self._settings)
        self._clusters = Clusters(self._faces, self._graph, cuts, self._settings.sample)
        self._matches = Matches(
            self._faces, self._graph, self._clusters, self._calibration, self._settings, self._correction
        )
        self._homes = Homes(self._faces, self._clusters, self._matches, cuts, self._settings, *self._start)

    def _sorted_out(self, faces: Sequence[Evidence], vectors: Floats) -> tuple[list[int], list[Evidence]]:
        """Positions of faces that are to be placed (anew), and those of whom only something else was said."""
        arrived, answered = [], []
        for i, face in enumerate(faces):
            slot = self._faces.slot.get(face.id)
            if slot is None or not self._faces.is_at(slot, face) or (self._graph.vectors[[slot]] != vectors[i]).any():
                arrived.append(i)
            elif not self._faces.is_said(slot, face):
                answered.append(face)
        return arrived, answered

    def _around(self, slots: Iterable[int]) -> tuple[set[PhotoId], set[PersonId]]:
        """Photos of these faces, and who they were confirmed to be, or said not to be."""
        rows = np.fromiter(slots, np.int64)
        photos, people = set(self._faces.photo[rows].tolist()), set(self._faces.person[rows].tolist())
        refused = {person for row in rows.tolist() for person in self._faces.rejected.get(row, ())}
        return {PhotoId(photo) for photo in photos}, {PersonId(person) for person in people - {NOBODY}} | refused

    def _exchange(
        self, leaving: Sequence[int], answered: Sequence[Evidence], arrived: Sequence[Evidence], vectors: Floats
    ) -> tuple[set[int], Rows]:
        """Slots with a new face or answer, and all whose leaf is to be grouped anew."""
        touched = [self._let_go(leaving)]
        slots = [self._faces.slot[face.id] for face in answered]
        if arrived:
            fresh, also = self._graph.add(arrived, vectors)
            slots += fresh.tolist()
            touched.append(also)
            self._make_room()
        self._faces.put(slots, [*answered, *arrived])
        return set(slots), np.unique(np.concatenate([*touched, np.array(slots, np.int64)]))

    def _make_room(self) -> None:
        """For all slots that the graph has."""
        if len(self._faces.id) < len(self._graph.vectors):
            for part in (self._faces, self._clusters, self._matches, self._homes):
                part.grow(len(self._graph.vectors))

    def _ids(self, slots: Iterable[int]) -> list[FaceId]:
        return [FaceId(face) for face in self._faces.id[np.fromiter(slots, np.int64)].tolist()]

    def _by_face(self, by_slot: Mapping[int, T]) -> dict[FaceId, T]:
        return dict(zip(self._ids(by_slot), by_slot.values(), strict=True))

    def _let_go(self, slots: Sequence[int]) -> Rows:
        if not slots:
            return np.zeros(0, np.int64)
        self._homes.forget(slots)
        self._matches.forget(np.array(slots, np.int64))
        self._clusters.forget(slots)
        for slot in slots:
            self._faces.drop(slot)
        return self._graph.remove(np.array(slots, np.int64))

    def _fitting(self, changed: Gallery) -> Floats:
        """The vectors on the grid; their length is that of all."""
        vectors, length = _checked(changed), self._graph.vectors.shape[1]
        if length == 0:
            self._set_up(vectors.shape[1])
            self._start = ({}, self.next_group)
        elif len(vectors) and vectors.shape[1] != length:
            raise ValueError(f"Vectors of length {vectors.shape[1]} can't be compared with those of length {length}.")
        return vectors

    def _different(self, gallery: Gallery) -> list[int]:
        """Positions of faces that aren't held just so."""
        slots = [self._faces.slot.get(face.id, -1) for face in gallery.faces]
        changed = [
            slot < 0 or not (self._faces.is_at(slot, face) and self._faces.is_said(slot, face))
            for slot, face in zip(slots, gallery.faces, strict=True)
        ]
        known = np.flatnonzero(np.array(slots, np.int64) >= 0)
        moved = np.array(changed, bool)
        for start in range(0, len(known), BLOCK):
            rows = known[start : start + BLOCK]
            held = self._graph.vectors[[slots[row] for row in rows.tolist()]]
            moved[rows] |= (snap(gallery.vectors[rows]) != held).any(axis=1)
        return np.flatnonzero(moved).tolist()

    def _changes(self, groups: Iterable[FaceId], slots: Iterable[int], left: Iterable[FaceId]) -> Changes:
        """What became of these faces; those that `left` may be back in another slot."""
        slot, left = self._faces.slot, list(left)
        here = [*_present(left, slot), *slots]
        said = self._matches.suggestions(here)
        suggestions = {face: said.get(s) for s, face in zip(here, self._ids(here), strict=True)}
        now = {face: None if (s := slot.get(face)) is None else self._homes.group(s) for face in [*left, *groups]}
        return Changes(groups=now, suggestions=dict.fromkeys(left) | suggestions)


def _at(gallery: Gallery, positions: Sequence[int]) -> list[Evidence]:
    return [gallery.faces[i] for i in positions]


def _present(faces: Iterable[FaceId], slot: Mapping[FaceId, int]) -> list[int]:
    return [slot[face] for face in faces if face in slot]


def _checked(gallery: Gallery) -> Floats:
    """The vectors on the grid, where each fits a face of its own."""
    if gallery.vectors.ndim != 2 or len(gallery.vectors) != len(gallery.faces):
        raise ValueError(f"{len(gallery.faces)} faces can't have vectors of shape {gallery.vectors.shape}.")
    if len({face.id for face in gallery.faces}) != len(gallery.faces):
        raise ValueError("A face is in the gallery twice.")
    return snap(gallery.vectors)
