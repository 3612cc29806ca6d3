"""Neighbours among unit vectors: exactly, by comparing all pairs, or proposed at once by USearch's HNSW."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kith.people.faces import grown
from kith.people.rings import Rings
from kith.people.settings import PeopleSettings
from kith.people.threads import pool
from kith.people.vectors import Directions, Flags, Rows
from kith.types import Floats

if TYPE_CHECKING:
    from usearch.index import Index

Near = tuple[Rows, Rows, Floats]  # slots, others and cosines (E,)

FEW = 16  # faces up to which a coarse look at all others, then an exact one at those it leaves, is faster
BLOCK = 1024  # faces compared at a time,
TILE = 4096  # with so many others: what fits into a processor's cache
AT_ONCE = 1000  # vectors added to the index at a time
CONNECTIVITY, EXPANSION_ADD = 32, 256  # HNSW's M and efConstruction
THOROUGH, FAST = 256, 64  # HNSW's ef: for a face's neighbours, and where there are many to look at
FOLLOWERS = 64  # of one leader, so that looking at all of them doesn't take long
ASKED = 256  # faces that the index is asked about at a time


class Neighbours:
    """Vectors by slot, and who is at or above a cosine `floor` to whom.

    Above `exact_up_to` slots in use, an index is worth having; it proposes a face's `neighbours` nearest and may miss
    some of them. It knows what `learn` gave it: coarse vectors, and of crowds only some, leaders whom the others follow
    (a face with `crowd` faces in the index at or above the cosine `close`). HNSW does badly among thousands of faces of
    one person, and this halves it. All cosines are exact, whoever proposed the pair.
    """

    def __init__(self, length: int, floor: float, close: float, settings: PeopleSettings) -> None:
        self.vectors = Directions(length)
        self.held: Flags = np.zeros(0, bool)
        self._known: Flags = np.zeros(0, bool)  # to the index,
        self._leads: Flags = np.zeros(0, bool)  # or in it
        self._following = Rings()
        self._count = self._unknown = 0
        self._floor, self._close, self._settings = np.float32(floor), np.float32(close), settings
        self._index: Index | None = None

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        self.vectors.grow(capacity)
        self.held, self._known = grown(self.held, capacity, False), grown(self._known, capacity, False)
        self._leads = grown(self._leads, capacity, False)
        self._following.grow(capacity)

    def add(self, slots: Rows, vectors: Floats) -> None:
        """`slots` (N,) hold `vectors` (N, D) from now on; an index that knows all others knows a few at once."""
        at_once = self.proposes() and len(slots) <= AT_ONCE
        self.vectors[slots], self.held[slots] = vectors, True
        self._count += len(slots)
        self._unknown += len(slots)
        if at_once:
            self.learn(slots)

    def remove(self, slots: Rows) -> None:
        leaders = slots[self._leads[slots]]
        for slot in slots[self._known[slots] & ~self._leads[slots]].tolist():
            self._following.drop(slot)
        bereft = self._following.all_of(leaders)
        self._following.part(bereft)
        self._unknown -= int((~self._known[slots]).sum())
        self._count -= len(slots)
        self.held[slots], self._leads[slots] = False, False
        self._known[slots] = self._known[bereft] = False
        self._unknown += int(self.held[bereft].sum())
        if self._index is not None:
            self._index.remove(leaders)

    def unknown(self) -> Rows:
        """Slots that the index is to learn, where one is worth having."""
        if self._count <= self._settings.exact_up_to or not self._unknown:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self.held & ~self._known)

    def learn(self, slots: Rows) -> None:
        """Let the index know these: about a millisecond each, on all processors."""
        for start in range(0, len(slots), AT_ONCE):
            self._learn(slots[start : start + AT_ONCE])

    def _learn(self, slots: Rows) -> None:
        if self._index is None:
            self._index = _new_index(self.vectors.shape[1])
        leader = np.full(len(slots), -1)
        for i, some in enumerate(self._leaders(slots)):
            leader[i] = self._with_room(some)
            if leader[i] >= 0:
                self._following.join(int(slots[i]), int(leader[i]))
        fresh = slots[leader < 0]
        self._index.add(fresh, self.vectors.coarse(fresh))
        self._known[slots], self._leads[fresh] = True, True
        self._unknown -= len(slots)

    def _leaders(self, slots: Rows) -> list[Rows]:
        """For each of slots (N,) the nearest faces in the index, best first, where it is in a crowd of them."""
        crowd, leaders = self._settings.crowd, [np.zeros(0, np.int64) for _ in slots]
        right, count = self._asked(slots, crowd, FAST)
        full = np.flatnonzero(count == crowd)
        nearest = right[np.repeat(count == crowd, count)].reshape(len(full), crowd)
        others = self.vectors[nearest.ravel()].reshape(len(full), crowd, self.vectors.shape[1])
        cosines = np.einsum("ijk,ik->ij", others, self.vectors[slots[full]])
        for i in np.flatnonzero((cosines >= self._close).all(axis=1)).tolist():
            leaders[full[i]] = nearest[i, np.argsort(-cosines[i], kind="stable")]
        return leaders

    def _with_room(self, leaders: Rows) -> int:
        """The first who hasn't too many followers, or -1."""
        return next((one for one in leaders.tolist() if len(self._following.members(one)) <= FOLLOWERS), -1)

    def proposes(self) -> bool:
        """Whether the index knows all slots in use, and is worth asking."""
        return self._index is not None and not self._unknown and self._count > self._settings.exact_up_to

    def near(self, slots: Rows) -> Iterator[Near]:
        """Slots (E,), others (E,) and cosines (E,) of all pairs at or above the floor, at least once each."""
        if len(slots) <= FEW:
            rows, others = self.vectors.coarsely_near(self.vectors[slots], float(self._floor))
            yield from self._compared_one_by_one(slots[rows], others)
            return
        slots, waiting = np.sort(slots), self.held.copy()
        for start in range(0, len(slots), BLOCK):
            block = slots[start : start + BLOCK]
            tiles = np.unique(np.flatnonzero(waiting) // TILE).tolist()
            for rows, others, cosines in pool().map(partial(self._compared, self.vectors[block]), tiles):
                keep = (block[rows] != others) & waiting[others]
                if keep.any():
                    yield block[rows[keep]], others[keep], cosines[keep]
            waiting[block] = False

    def proposed(self, slots: Rows) -> Iterator[Near]:
        """The same of those pairs that the index finds; of a few faces also with those that follow whom it finds."""
        few = len(slots) <= FEW
        for start in range(0, len(slots), ASKED):
            block = slots[start : start + ASKED]
            right, count = self._asked(block, self._settings.neighbours + 1, THOROUGH if few else FAST)
            left = np.repeat(block, count)
            following = list(self._following.around(right)) if few else []
            left = np.concatenate([left, *(left[at] for at, _ in following)])
            yield from self._compared_one_by_one(left, np.concatenate([right, *(others for _, others in following)]))

    def _compared_one_by_one(self, left: Rows, right: Rows) -> Iterator[Near]:
        """Those of these pairs (E,) that are at or above the floor."""
        order = np.argsort(left, kind="stable")
        slots, starts = np.unique(left[order], return_index=True)
        for slot, others in zip(slots.tolist(), np.split(right[order], starts)[1:], strict=True):
            cosines = self.vectors[others] @ self.vectors[[slot]][0]
            keep = (cosines >= self._floor) & self.held[others] & (others != slot)
            yield np.full(keep.sum(), slot), others[keep], cosines[keep]

    def _asked(self, slots: Rows, most: int, expansion: int) -> tuple[Rows, Rows]:
        """Slots (E,) that the index finds nearest to slots (N,), and how many for each (N,)."""
        if self._index is None or not len(self._index):
            return np.zeros(0, np.int64), np.zeros(len(slots), np.int64)
        from usearch.index import Matches

        self._index.expansion_search = expansion  # type: ignore[misc]  # mypy doesn't see the setter
        found = self._index.search(self.vectors.coarse(slots), most)
        keys = [found.keys] if isinstance(found, Matches) else [one.keys for one in found]
        return np.concatenate(keys).astype(np.int64), np.array([len(some) for some in keys])

    def _compared(self, queries: Floats, tile: int) -> tuple[Rows, Rows, Floats]:
        """Rows of `queries`, slots of the tile and cosines (E,) of the pairs at or above the floor."""
        others = self.vectors[tile * TILE : (tile + 1) * TILE]
        cosines = queries @ others.T
        near = np.flatnonzero(cosines >= self._floor)
        rows, columns = np.divmod(near, len(others))
        return rows, columns + tile * TILE, cosines.ravel()[near]


def _new_index(length: int) -> Index:
    """An index of vectors (N, length) that holds none yet."""
    # onnxruntime's import crashes where USearch's library was loaded before it (USearch 2.26, onnxruntime 1.32)
    import onnxruntime  # noqa: F401
    from usearch.index import Index

    return Index(ndim=length, metric="ip", dtype="i8", connectivity=CONNECTIVITY, expansion_add=EXPANSION_ADD)
