"""Neighbours among unit vectors: exactly, by comparing all pairs, or proposed at once by USearch's HNSW."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from usearch.index import Index, Matches

from kith.people.faces import grown
from kith.people.settings import PeopleSettings
from kith.people.vectors import Directions, Flags, Rows
from kith.types import Floats

Near = tuple[Rows, Rows, Floats]  # slots, others and cosines (E,)

BLOCK = 1024  # faces compared at a time,
TILE = 4096  # with so many others: what fits into a processor's cache
FEW = 4  # faces that are compared one by one faster than together
AT_ONCE = 1000  # vectors added to the index at a time


class Neighbours:
    """Vectors by slot, and who is at or above a cosine `floor` to whom.

    Above `exact_up_to` slots in use, an index of half-precision vectors (exact on the grid) is worth having; it
    proposes a face's `neighbours` nearest and may miss some of them. It holds what `learn` gave it. All cosines are
    exact, whoever proposed the pair.
    """

    def __init__(self, length: int, floor: float, settings: PeopleSettings) -> None:
        self.vectors = Directions(length)
        self.held: Flags = np.zeros(0, bool)
        self._known: Flags = np.zeros(0, bool)  # to the index
        self._count = self._unknown = 0
        self._floor, self._settings = np.float32(floor), settings
        self._index: Index | None = None

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        self.vectors.grow(capacity)
        self.held, self._known = grown(self.held, capacity, False), grown(self._known, capacity, False)

    def add(self, slots: Rows, vectors: Floats) -> None:
        """`slots` (N,) hold `vectors` (N, D) from now on; an index that knows all others knows a few at once."""
        at_once = self.proposes() and len(slots) <= AT_ONCE
        self.vectors[slots], self.held[slots] = vectors, True
        self._count += len(slots)
        self._unknown += len(slots)
        if at_once:
            self.learn(slots)

    def remove(self, slots: Rows) -> None:
        known = slots[self._known[slots]]
        self.held[slots], self._known[slots] = False, False
        self._count -= len(slots)
        self._unknown -= len(slots) - len(known)
        if self._index is not None:
            self._index.remove(known)

    def unknown(self) -> Rows:
        """Slots that the index is to learn, where one is worth having."""
        if self._count <= self._settings.exact_up_to or not self._unknown:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self.held & ~self._known)

    def learn(self, slots: Rows) -> None:
        """Let the index know these: about a millisecond each, on all processors."""
        if self._index is None:
            self._index = Index(ndim=self.vectors.shape[1], metric="ip", dtype="f16")
        self._index.add(slots, self.vectors[slots])
        self._known[slots] = True
        self._unknown -= len(slots)

    def proposes(self) -> bool:
        """Whether the index knows all slots in use, and is worth asking."""
        return self._index is not None and not self._unknown and self._count > self._settings.exact_up_to

    def near(self, slots: Rows) -> Iterator[Near]:
        """Slots (E,), others (E,) and cosines (E,) of all pairs at or above the floor, at least once each."""
        slots, waiting = np.sort(slots), self.held.copy()
        for start in range(0, len(slots), BLOCK):
            block = slots[start : start + BLOCK]
            queries = self.vectors[block]
            for tile in range(0, len(self.vectors), TILE):
                if not waiting[tile : tile + TILE].any():
                    continue
                rows, columns, cosines = self._compared(queries, slice(tile, tile + TILE))
                left, right = block[rows], columns + tile
                keep = (left != right) & waiting[right]
                if keep.any():
                    yield left[keep], right[keep], cosines[keep]
            waiting[block] = False

    def proposed(self, slots: Rows) -> Iterator[Near]:
        """The same of those pairs that the index finds."""
        for start in range(0, len(slots), BLOCK):
            block = slots[start : start + BLOCK]
            right, count = self._asked(self.vectors[block])
            left = np.repeat(block, count)
            left, right = left[left != right], right[left != right]
            cosines = np.einsum("ij,ij->i", self.vectors[left], self.vectors[right])
            keep = (cosines >= self._floor) & self.held[right]
            yield left[keep], right[keep], cosines[keep]

    def _asked(self, vectors: Floats) -> tuple[Rows, Rows]:
        """Slots (E,) that the index proposes for vectors (N, D), and how many for each (N,)."""
        if self._index is None:
            return np.zeros(0, np.int64), np.zeros(len(vectors), np.int64)
        found = self._index.search(vectors, self._settings.neighbours + 1)
        keys = [found.keys] if isinstance(found, Matches) else [one.keys for one in found]
        return np.concatenate(keys).astype(np.int64), np.array([len(some) for some in keys])

    def _compared(self, queries: Floats, tile: slice) -> tuple[Rows, Rows, Floats]:
        """Rows of `queries`, rows of the tile and cosines (E,) of the pairs at or above the floor."""
        others = self.vectors[tile]
        few = len(queries) <= FEW
        cosines = np.stack([others @ query for query in queries]) if few else queries @ others.T
        near = np.flatnonzero(cosines >= self._floor)
        rows, columns = np.divmod(near, len(others))
        return rows, columns, cosines.ravel()[near]
