"""The faces a recogniser holds, by slot, photo and person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from kith.types import Evidence, FaceId, PersonId, PhotoId

K = TypeVar("K")
Key = tuple[bytes, float, bool, int]


def canonical(face: Evidence) -> Key:
    """Orders faces by content, not by id; copies of one photo are told apart by what was said of them."""
    return face.order, face.captured_at or 0.0, face.person is None, face.id


class Faces:
    """Evidence by slot."""

    def __init__(self) -> None:
        self.at: dict[int, Evidence] = {}
        self.slot: dict[FaceId, int] = {}
        self.of_photo: dict[PhotoId, set[int]] = defaultdict(set)
        self.of_person: dict[PersonId, set[int]] = defaultdict(set)

    def put(self, slot: int, face: Evidence) -> None:
        if slot in self.at:
            self.drop(slot)
        self.at[slot], self.slot[face.id] = face, slot
        self.of_photo[face.photo].add(slot)
        if face.person is not None:
            self.of_person[face.person].add(slot)

    def drop(self, slot: int) -> None:
        face = self.at.pop(slot)
        del self.slot[face.id]
        _take_out(self.of_photo, face.photo, slot)
        if face.person is not None:
            _take_out(self.of_person, face.person, slot)

    def is_open(self, slot: int) -> bool:
        """Nobody said who it is, and it isn't to be asked about."""
        face = self.at[slot]
        return face.person is None and not face.ignored

    def ordered(self, slots: Iterable[int]) -> list[int]:
        return sorted(slots, key=lambda slot: canonical(self.at[slot]))


def _take_out(sets: dict[K, set[int]], key: K, slot: int) -> None:
    sets[key].discard(slot)
    if not sets[key]:
        del sets[key]
