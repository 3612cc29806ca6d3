"""Nearest neighbours among unit vectors: exact for a library of usual size, HNSW (USearch) above."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index as HnswIndex

from kith.types import Floats

Rows = NDArray[np.int64]

BLOCK = 1024  # queries compared at a time: bounds memory to BLOCK x N similarities


class Index(Protocol):
    """Finds, for each query, the rows most similar to it by cosine."""

    def nearest(self, queries: Floats, k: int) -> tuple[Rows, Floats]:
        """`queries` (M, D) -> rows (M, k) and cosines (M, k), best first; k is cut to the number of rows."""
        ...


class ExactIndex:
    """Every query against every row, in blocks."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = np.ascontiguousarray(vectors, np.float32)

    def nearest(self, queries: Floats, k: int) -> tuple[Rows, Floats]:
        k = min(k, len(self._vectors))
        rows = np.empty((len(queries), k), np.int64)
        cosines = np.empty((len(queries), k), np.float32)
        for start in range(0, len(queries), BLOCK):
            block = slice(start, start + BLOCK)
            similar = queries[block] @ self._vectors.T
            best = _largest(similar, k)
            rows[block], cosines[block] = best, np.take_along_axis(similar, best, axis=1)
        return rows, cosines


class HnswRows:
    """USearch HNSW over half-precision vectors, filled in row order by one thread, so equal rows give equal answers."""

    def __init__(self, vectors: Floats) -> None:
        self._index = HnswIndex(ndim=vectors.shape[1], metric="cos", dtype="f16")
        self._index.add(np.arange(len(vectors)), np.asarray(vectors, np.float32), threads=1)

    def nearest(self, queries: Floats, k: int) -> tuple[Rows, Floats]:
        k = min(k, len(self._index))
        rows = np.zeros((len(queries), k), np.int64)
        cosines = np.full((len(queries), k), -1, np.float32)
        if k == 0:
            return rows, cosines
        # A search may come back short; what it lacks keeps cosine -1, which no threshold lets through.
        for i, query in enumerate(np.asarray(queries, np.float32)):
            found = self._index.search(query, k, threads=1)
            rows[i, : len(found.keys)] = found.keys
            cosines[i, : len(found.keys)] = 1 - found.distances
        return rows, cosines


def index_of(vectors: Floats, exact_up_to: int) -> Index:
    """The exact index up to so many rows, USearch above."""
    return ExactIndex(vectors) if len(vectors) <= exact_up_to else HnswRows(vectors)


def _largest(values: Floats, k: int) -> Rows:
    """Columns of the `k` largest values of each row, largest first, ties by column."""
    if k < values.shape[1]:
        columns = np.sort(np.argpartition(-values, k - 1, axis=1)[:, :k], axis=1)
    else:
        columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    order = np.argsort(-np.take_along_axis(values, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)
