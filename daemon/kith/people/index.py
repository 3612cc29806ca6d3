"""Neighbours among unit vectors: every pair is compared up to a number of faces, USearch's HNSW proposes above."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from usearch.index import Index

from kith.people.settings import PeopleSettings
from kith.people.vectors import Directions, Rows
from kith.types import Floats

BLOCK = 1024  # faces compared at a time,
TILE = 4096  # with so many others: what fits into a processor's cache


class Neighbours:
    """Vectors by slot, and who is at or above a cosine `floor` to whom.

    Exact, and so the same in any order of arrival, up to `exact_up_to` slots in use. Above, an index of half-precision
    vectors (exact on the grid) proposes each new face's `neighbours` nearest; their cosines are exact all the same.
    """

    def __init__(self, length: int, floor: float, settings: PeopleSettings) -> None:
        self.vectors = Directions(length)
        self.held = np.zeros(0, bool)
        self._count = 0
        self._floor, self._settings = np.float32(floor), settings
        self._index: Index | None = None

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        more = capacity - len(self.held)
        self.vectors.grow(capacity)
        self.held = np.concatenate([self.held, np.zeros(more, bool)])

    def add(self, slots: Rows, vectors: Floats) -> None:
        """`slots` (N,) hold `vectors` (N, D) from now on."""
        self.vectors[slots], self.held[slots] = vectors, True
        self._count += len(slots)
        if self._index is not None:
            self._index.add(slots, vectors)
        elif self._count > self._settings.exact_up_to:
            self._index = Index(ndim=self.vectors.shape[1], metric="cos", dtype="f16")
            held = np.flatnonzero(self.held)
            self._index.add(held, self.vectors[held])

    def remove(self, slots: Rows) -> None:
        self.held[slots] = False
        self._count -= len(slots)
        if self._index is not None:
            self._index.remove(slots)

    def near(self, slots: Rows) -> Iterator[tuple[Rows, Rows, Floats]]:
        """Slots (E,), others (E,) and cosines (E,) of all pairs at or above the floor, at least once each."""
        return self._exact(np.sort(slots)) if self._index is None else self._proposed(self._index, slots)

    def _exact(self, slots: Rows) -> Iterator[tuple[Rows, Rows, Floats]]:
        waiting = self.held.copy()
        out = np.empty((min(BLOCK, len(slots)), TILE), np.float32)
        for start in range(0, len(slots), BLOCK):
            block = slots[start : start + BLOCK]
            queries = self.vectors[block]
            for tile in range(0, len(self.vectors), TILE):
                others = self.vectors[tile : tile + TILE]
                if not waiting[tile : tile + TILE].any():
                    continue
                cosines = np.matmul(queries, others.T, out=out[: len(block), : len(others)])
                near = np.flatnonzero(cosines >= self._floor) if len(others) == TILE else None
                rows, columns = np.divmod(near, TILE) if near is not None else np.nonzero(cosines >= self._floor)
                left, right = block[rows], columns + tile
                keep = (left != right) & waiting[right]
                if keep.any():
                    yield left[keep], right[keep], cosines[rows[keep], columns[keep]]
            waiting[block] = False

    def _proposed(self, index: Index, slots: Rows) -> Iterator[tuple[Rows, Rows, Floats]]:
        for start in range(0, len(slots), BLOCK):
            block = slots[start : start + BLOCK]
            found = [index.search(vector, self._settings.neighbours + 1) for vector in self.vectors[block]]
            left = np.repeat(block, [len(f.keys) for f in found])
            right = np.concatenate([f.keys for f in found]).astype(np.int64)
            left, right = left[left != right], right[left != right]
            cosines = np.einsum("ij,ij->i", self.vectors[left], self.vectors[right])
            keep = (cosines >= self._floor) & self.held[right]
            yield left[keep], right[keep], cosines[keep]
