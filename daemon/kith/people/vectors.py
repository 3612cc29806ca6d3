"""Directions on a grid, so that every cosine is exact and doesn't depend on how the work was divided.

Components are rounded to multiples of 2^-11. Products are then multiples of 2^-22 and all partial sums of a cosine
are at most one, which 23 of a float32's 24 bits hold: nothing is rounded, in whatever order a matrix product adds up.
It moves a cosine by about 1e-4, a hundredth of a decade of false match rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numkong
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kith.people.threads import pool, processors
from kith.types import Floats

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.int8]
Doubles = NDArray[np.float64]

GRID = 2048.0
COARSE = 127.0  # steps of one in 8 bits
LONGEST = 1.01  # rounding to the grid makes no vector longer than this
TILE = 4096  # rows that are packed together for being searched,
ASKED = 64  # by so many at a time; a few ask so many more tiles
WORTH = 16  # tiles for which it is worth while to wake another thread


def snap(vectors: ArrayLike) -> Floats:
    """Unit vectors (..., D) on the grid, float32."""
    return np.asarray(np.rint(np.asarray(vectors, np.float64) * GRID) / GRID, np.float32)


def unit(rows: Doubles) -> Doubles:
    """Rows (N, D) scaled to length one; zero rows stay."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def means(vectors: Floats, starts: Rows) -> Floats:
    """Mean direction (S, D), on the grid, of each run of rows that begins at `starts` (S,)."""
    if not len(starts):
        return np.zeros((0, vectors.shape[1]), np.float32)
    return snap(unit(np.add.reduceat(vectors.astype(np.float64), starts, axis=0)))


class Directions:
    """Unit vectors (C, D) on the grid by row, held as 16-bit integers and given as float32.

    Once searched they are held again in 8 bits, as NumKong (USearch's kernels) packs them: being compared with all then
    takes little longer than reading them.
    """

    def __init__(self, length: int) -> None:
        self._steps = np.zeros((0, length), np.int16)
        self._end = 0  # no row from here on was ever set
        self._packed: dict[int, tuple[numkong.PackedMatrix, float]] = {}  # by tile, with the error of its rounding

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._steps), self._steps.shape[1]

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, rows: slice | Rows | Sequence[int]) -> Floats:
        found = self._steps[rows].astype(np.float32)
        found *= np.float32(1 / GRID)
        return found

    def __setitem__(self, rows: Rows | Sequence[int], vectors: Floats) -> None:
        self._steps[rows] = np.multiply(vectors, np.float32(GRID)).astype(np.int16)
        self._unpack(np.unique(np.asarray(rows) // TILE).tolist())
        self._end = max(self._end, 1 + int(np.max(rows, initial=-1)))

    def coarse(self, rows: Rows) -> Bytes:
        """These in 8 bits."""
        return _coarse(self[rows])[0]

    def grow(self, capacity: int) -> None:
        """Make room for rows below `capacity`, zero until set."""
        self._steps = np.concatenate([self._steps, np.zeros((capacity - len(self), self.shape[1]), np.int16)])

    def coarsely_near(self, queries: Floats, floor: float) -> tuple[Rows, Rows]:
        """Rows of `queries` (Q, D), which may be shorter than one, and of vectors held here (E,) with a product of at
        least `floor`: all that have one and few that don't.

        Products of coarse vectors are off by no more than |q - q'||x| + |q'||x - x'| (Cauchy and Schwarz).
        """
        tiles = range(-(-self._end // TILE))
        threads = max(1, min(processors(), len(tiles) // WORTH))
        search = partial(self._search, *_coarse(queries), floor)
        found = [search(tiles)] if threads == 1 else pool().map(search, [tiles[i::threads] for i in range(threads)])
        rows, others = zip(*found, strict=True)
        return np.concatenate(rows), np.concatenate(others)

    def _search(self, queries: Bytes, error: float, floor: float, tiles: range) -> tuple[Rows, Rows]:
        """The same in some tiles for coarse queries that are off by no more than `error`."""
        rows, others = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for start in range(0, len(queries), ASKED):
            asked = queries[start : start + ASKED]
            room = numkong.empty((ASKED // len(asked), len(asked), TILE), dtype="int32")
            for first in range(0, len(tiles), len(room)):
                some = tiles[first : first + len(room)]
                packed = [self._tile(tile) for tile in some]
                for i, (vectors, _) in enumerate(packed):
                    numkong.dots_packed(asked, vectors, out=room[i])  # type: ignore[arg-type]  # it wants a tensor
                rounding = np.array([error for _, error in packed])
                least = np.ceil((floor - LONGEST * error - (LONGEST + error) * rounding) * COARSE**2).astype(np.int32)
                near = np.flatnonzero(np.asarray(room)[: len(some)] >= least[:, None, None])
                place, column = np.divmod(near, TILE)
                tile, row = np.divmod(place, len(asked))
                rows.append(row + start)
                others.append(np.array(some)[tile] * TILE + column)
        return np.concatenate(rows), np.concatenate(others)

    def _tile(self, tile: int) -> tuple[numkong.PackedMatrix, float]:
        if tile not in self._packed:
            vectors = self[tile * TILE : (tile + 1) * TILE]
            coarse, error = _coarse(vectors)
            whole = np.zeros((TILE, coarse.shape[1]), np.int8)
            whole[: len(coarse)] = coarse
            self._packed[tile] = numkong.dots_pack(whole), error
        return self._packed[tile]

    def _unpack(self, tiles: Iterable[int]) -> None:
        for tile in tiles:
            self._packed.pop(tile, None)


def _coarse(vectors: Floats) -> tuple[Bytes, float]:
    """Vectors (N, D) in 8 bits, and how far the farthest of them is from that."""
    coarse = np.rint(vectors * np.float32(COARSE))
    apart = vectors - coarse / np.float32(COARSE)
    error = float(np.sqrt(np.einsum("ij,ij->i", apart, apart).max(initial=0.0)))
    return coarse.astype(np.int8), error * (1 + 1e-5)
