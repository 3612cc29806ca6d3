"""Sets of slots that cost four bytes a slot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kith.people.vectors import Rows


class Rings:
    """Disjoint sets of slots, each in an order of its own: a slot names the next one, the last one the first."""

    def __init__(self) -> None:
        self._next = np.zeros(0, np.int32)

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`, each alone."""
        self._next = np.concatenate([self._next, np.arange(len(self._next), capacity, dtype=np.int32)])

    def members(self, slot: int) -> list[int]:
        """The set of a slot, which comes first."""
        following, found = self._next.data, [slot]
        while (slot := following[slot]) != found[0]:
            found.append(slot)
        return found

    def around(self, slots: Rows) -> Iterator[tuple[Rows, Rows]]:
        """The others in the sets of `slots` (N,), step by step: positions in `slots` (M,) and a slot beside each."""
        at, other = np.arange(len(slots)), self._next[slots].astype(np.int64)
        while len(at := at[(further := other != slots[at])]):
            other = other[further]
            yield at, other
            other = self._next[other].astype(np.int64)

    def all_of(self, slots: Rows) -> Rows:
        """Everybody in the sets of `slots` (N,), once, ascending."""
        return np.unique(np.concatenate([slots, *(others for _, others in self.around(slots))]))

    def put(self, members: Sequence[int] | Rows) -> None:
        """Make a set of these, in this order; they must not leave others behind."""
        rows = np.asarray(members, np.int32)
        self._next[rows] = np.roll(rows, -1)

    def join(self, one: int, other: int) -> None:
        """Make one set of two that are not the same."""
        self._next[one], self._next[other] = self._next[other], self._next[one]

    def drop(self, slot: int) -> None:
        """Take a slot out of its set; it is alone then."""
        before = self.members(slot)[-1]
        self._next[before], self._next[slot] = self._next[slot], slot

    def part(self, slots: Sequence[int] | Rows) -> None:
        """Leave these alone, who are all of one set or more."""
        self._next[slots] = slots

    def put_all(self, label: NDArray[np.int32]) -> None:
        """Make a set of all slots of each label (C,), in ascending order."""
        order = np.argsort(label, kind="stable").astype(np.int32)
        last = np.flatnonzero(np.append(np.diff(label[order]) != 0, True))
        following = np.roll(order, -1)
        following[last] = order[np.append(0, last[:-1] + 1)]
        self._next[order] = following
