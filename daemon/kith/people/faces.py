"""The faces a recogniser holds, in columns by slot, and by photo and person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kith.people.places import Places
from kith.people.rings import Rings
from kith.people.vectors import Flags, Rows
from kith.types import Evidence, FaceId, Part, PersonId, PhotoId

K = TypeVar("K")
T = TypeVar("T", bound=np.generic)
Key = tuple[bytes, float, bool, int]
Barred = NDArray[np.int64]  # rows of a face's position and of a person whom it can't be (B, 2)
NOBODY = -1


def canonical(face: Evidence) -> Key:
    """Orders faces by content, not by id; copies of one photo are told apart by what was said of them."""
    return face.order, face.captured_at or 0.0, face.person is None, face.id


def digest(order: bytes) -> int:
    """What stands for a canonical key among the faces held: eight bytes of it, hashed."""
    return int.from_bytes(blake2b(order, digest_size=8).digest(), "big")


class Faces(Mapping[int, Evidence]):
    """Evidence by slot, its `order` being a digest. A slot is a face's place for as long as it stays.

    Columns (C,): `id` (-1 where no face is), `photo`, `taken` in seconds or nan, `quality`, `person` or NOBODY,
    `ignored`, `order`.
    """

    def __init__(self) -> None:
        self.id = np.zeros(0, np.int64)
        self.photo = np.zeros(0, np.int64)
        self.taken = np.zeros(0)
        self.quality = np.zeros(0)
        self.person = np.zeros(0, np.int64)
        self.ignored = np.zeros(0, bool)
        self.order = np.zeros(0, np.uint64)
        self.rejected: dict[int, frozenset[PersonId]] = {}
        self.parts: dict[int, frozenset[Part]] = {}
        self.slot: Places[FaceId] = Places()
        self._photos, self._people = Rings(), Rings()
        self._on: Places[PhotoId] = Places()
        self._of: dict[PersonId, int] = {}
        self._refused: defaultdict[PersonId, set[int]] = defaultdict(set)

    def __getitem__(self, slot: int) -> Evidence:
        taken, person = float(self.taken[slot]), int(self.person[slot])
        return Evidence(
            FaceId(int(self.id[slot])),
            PhotoId(int(self.photo[slot])),
            int(self.order[slot]).to_bytes(8, "big"),
            None if np.isnan(taken) else taken,
            float(self.quality[slot]),
            None if person == NOBODY else PersonId(person),
            self.rejected.get(slot, frozenset()),
            bool(self.ignored[slot]),
            self.parts.get(slot, frozenset()),
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self.slot.values())

    def __len__(self) -> int:
        return len(self.slot)

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        for name, empty in (("id", -1), ("photo", -1), ("taken", np.nan), ("quality", 0), ("person", NOBODY)):
            setattr(self, name, grown(getattr(self, name), capacity, empty))
        self.ignored, self.order = grown(self.ignored, capacity, False), grown(self.order, capacity, 0)
        self._photos.grow(capacity)
        self._people.grow(capacity)

    def put(self, slots: Sequence[int], faces: Sequence[Evidence]) -> None:
        """These slots hold these faces from now on."""
        for slot, face in zip(slots, faces, strict=True):
            if self.id[slot] >= 0:
                self.drop(slot)
            self.slot[face.id] = slot
            _enter(self._photos, self._on, face.photo, slot)
            if face.person is not None:
                _enter(self._people, self._of, face.person, slot)
            if face.rejected:
                self.rejected[slot] = face.rejected
                for person in face.rejected:
                    self._refused[person].add(slot)
            if face.parts:
                self.parts[slot] = face.parts
        self.id[slots] = [face.id for face in faces]
        self.photo[slots] = [face.photo for face in faces]
        self.taken[slots] = taken(faces)
        self.quality[slots] = [face.quality for face in faces]
        self.person[slots] = [NOBODY if face.person is None else face.person for face in faces]
        self.ignored[slots] = [face.ignored for face in faces]
        self.order[slots] = [digest(face.order) for face in faces]

    def drop(self, slot: int) -> None:
        del self.slot[FaceId(int(self.id[slot]))]
        _leave(self._photos, self._on, PhotoId(int(self.photo[slot])), slot)
        if self.person[slot] != NOBODY:
            _leave(self._people, self._of, PersonId(int(self.person[slot])), slot)
        for person in self.rejected.pop(slot, ()):
            self._refused[person].discard(slot)
        self.parts.pop(slot, None)
        self.id[slot], self.photo[slot], self.person[slot] = -1, -1, NOBODY

    def is_at(self, slot: int, face: Evidence) -> bool:
        """Whether this face is held there, whatever is said of it."""
        when = np.nan if face.captured_at is None else face.captured_at
        return (
            bool(self.id[slot] == face.id and self.photo[slot] == face.photo)
            and (self.taken[slot] == when or (np.isnan(when) and np.isnan(self.taken[slot])))
            and int(self.order[slot]) == digest(face.order)
        )

    def is_said(self, slot: int, face: Evidence) -> bool:
        """Whether the same is said of it."""
        person = NOBODY if face.person is None else face.person
        return (
            bool(self.person[slot] == person and self.quality[slot] == face.quality)
            and bool(self.ignored[slot]) == face.ignored
            and self.rejected.get(slot, frozenset()) == face.rejected
            and self.parts.get(slot, frozenset()) == face.parts
        )

    def is_open(self, slots: Rows | Sequence[int]) -> Flags:
        """Nobody said who they are, and they aren't to be asked about (N,)."""
        return np.asarray((self.person[slots] == NOBODY) & ~self.ignored[slots])

    def is_divided(self, slots: Rows) -> Flags:
        """Somebody said that they are other people than others are, and not yet who (N,)."""
        divided = np.isin(slots, np.fromiter(self.parts, np.int64))
        return np.asarray(divided & (self.person[slots] == NOBODY))

    def refused(self, person: PersonId) -> Rows:
        """The slots of all that were said not to be a person, ascending."""
        return np.array(sorted(self._refused.get(person, ())), np.int64)

    def on_photo(self, photo: PhotoId) -> list[int]:
        first = self._on.get(photo)
        return [] if first is None else self._photos.members(first)

    def beside(self, slots: Rows) -> Rows:
        """All slots on the photos of these, theirs included, photo by photo, canonical within each."""
        rows = self._photos.all_of(slots)
        return rows[np.lexsort((*self._keys(rows), self.photo[rows]))]

    def barred(self, slots: Rows) -> Barred:
        """Whom each of `slots` (N,) can't be: those it was said not to be, and who is in its photo already."""
        refused = [(i, person) for i, slot in enumerate(slots.tolist()) for person in self.rejected.get(slot, ())]
        found = [np.array(refused, np.int64).reshape(-1, 2)]
        for at, others in self._photos.around(slots):
            named = self.person[others] != NOBODY
            found.append(np.stack([at[named], self.person[others[named]]], axis=1))
        return np.concatenate(found)

    def of_person(self, person: PersonId) -> list[int]:
        """Those confirmed to be a person."""
        first = self._of.get(person)
        return [] if first is None else self._people.members(first)

    def key(self, slot: int) -> Key:
        """Orders slots canonically."""
        return canonical(self[slot])

    def rank(self, slots: Rows | Sequence[int]) -> Rows:
        """Positions (N,) of these in canonical order."""
        return np.asarray(np.lexsort(self._keys(np.asarray(slots, np.int64))), np.int64)

    def _keys(self, rows: Rows) -> tuple[np.ndarray, ...]:
        """What orders slots canonically, the last key first."""
        taken = self.taken[rows]
        taken[np.isnan(taken)] = 0
        return self.id[rows], self.person[rows] == NOBODY, taken, self.order[rows]

    def ordered(self, slots: Iterable[int]) -> list[int]:
        """In canonical order."""
        rows = list(slots)
        return rows if len(rows) < 2 else [rows[i] for i in self.rank(rows).tolist()]


def taken(faces: Sequence[Evidence]) -> list[float]:
    """Seconds, or nan."""
    return [np.nan if face.captured_at is None else face.captured_at for face in faces]


def grown(column: NDArray[T], capacity: int, empty: Any) -> NDArray[T]:
    """A column with room for slots below `capacity`, `empty` where there was none before."""
    return np.concatenate([column, np.full(capacity - len(column), empty, column.dtype)])


def _enter(rings: Rings, first: MutableMapping[K, int], key: K, slot: int) -> None:
    if key in first:
        rings.join(first[key], slot)
    else:
        first[key] = slot


def _leave(rings: Rings, first: MutableMapping[K, int], key: K, slot: int) -> None:
    others = rings.members(slot)[1:]
    rings.drop(slot)
    if others:
        first[key] = others[0]
    else:
        del first[key]
