"""Which faces must be looked at together: components of likeness, kept up to date while faces come and go.

Two faces at or above a level's cosine are linked at that level; components of a level are unions of those of the next,
tighter one. A component's leaf is the loosest level at which it has no more than `largest` faces: leaves are what
grouping decides one at a time. The topmost level links bursts: near-identical faces seconds apart.

Links are found by comparing a new face with all others, so they don't depend on the order of arrival. Of the links
only those are remembered that hold the components of some level together (a maximum spanning forest and what came
since), for the day when a face goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from kith.people.cuts import Cuts
from kith.people.index import Neighbours
from kith.people.settings import PeopleSettings
from kith.people.vectors import Directions, Flags, Rows
from kith.types import Evidence, Floats

FEW = 256  # faces up to which arrivals are joined one by one
SPARE = 4  # links remembered per face before they are thinned out to a forest


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Pairs of slots (E,) and the topmost level (E,) at which they are linked."""

    left: Rows
    right: Rows
    level: Rows

    @classmethod
    def none(cls) -> Links:
        return cls(*(np.zeros(0, np.int64) for _ in range(3)))

    @classmethod
    def joined(cls, parts: Sequence[Links]) -> Links:
        columns = zip(*((p.left, p.right, p.level) for p in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def where(self, keep: Flags) -> Links:
        return Links(self.left[keep], self.right[keep], self.level[keep])

    def forest(self, count: int) -> Links:
        """The links that hold the components of every level together, no more than `count` - 1."""
        weight = 1 + self.level.max(initial=0) - self.level  # a sparse graph has no weight 0
        left, right = np.minimum(self.left, self.right), np.maximum(self.left, self.right)
        order = np.lexsort((weight, right, left))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(left[order]) != 0) | (np.diff(right[order]) != 0)
        kept = order[first]
        graph = coo_array((weight[kept], (left[kept], right[kept])), (count, count))
        tree = minimum_spanning_tree(graph.tocsr()).tocoo()
        level = 1 + self.level.max(initial=0) - tree.data.astype(np.int64)
        return Links(tree.row.astype(np.int64), tree.col.astype(np.int64), level)


class Graph:
    """Slots of faces and the component of each slot at each level.

    A slot is a face's place for as long as it stays. `vectors` (C, D) float32 on the grid, zero where no face is;
    `taken` (C,) seconds or nan; `photo` (C,).
    """

    def __init__(self, length: int, cuts: Cuts, settings: PeopleSettings) -> None:
        self._cosines = cuts.levels()
        self._burst, self._seconds = cuts.burst, settings.burst_seconds
        self._largest = settings.largest_component
        self._levels = len(self._cosines) + 1
        self._neighbours = Neighbours(length, min(self._cosines[0], cuts.burst), settings)
        self.taken = np.zeros(0)
        self.photo = np.zeros(0, np.int64)
        self._label = np.zeros((self._levels, 0), np.int32)
        self._size = np.zeros((self._levels, 0), np.int32)
        self._links = [Links.none()]
        self._free: list[int] = []

    @property
    def vectors(self) -> Directions:
        return self._neighbours.vectors

    def add(self, faces: Sequence[Evidence], vectors: Floats) -> tuple[Rows, Rows]:
        """Slots (N,) of new faces, and all slots whose leaf may be another now, theirs included."""
        slots = self._take(len(faces))
        self.taken[slots] = [np.nan if f.captured_at is None else f.captured_at for f in faces]
        self.photo[slots] = [f.photo for f in faces]
        self._neighbours.add(slots, vectors)
        if len(faces) > FEW:
            self._remember(self._found(slots))
            self._label_all()
            return slots, np.flatnonzero(self._neighbours.held)
        touched = [slots]
        links = self._found(slots)
        for link in _by_left(links, slots):
            touched.append(self._join(link))
        self._remember(links)
        return slots, np.unique(np.concatenate(touched))

    def remove(self, slots: Rows) -> Rows:
        """All other slots whose leaf may be another once these are gone."""
        links = Links.joined(self._links)
        gone = np.zeros(len(self.photo), bool)
        gone[slots] = True
        before, size = self._label.copy(), self._size.copy()
        self._links = [links.where(~(gone[links.left] | gone[links.right]))]
        self._neighbours.remove(slots)
        self._free += slots.tolist()
        self._label_all()
        fallen = self._fallen(before, slots)
        if len(fallen):
            self._remember(self._found(fallen))
            self._label_all()
        touched = np.zeros(len(gone), bool)
        for level in range(self._levels):
            was = np.isin(before[level], before[level][slots])
            small = size[level][before[level]] <= self._largest
            touched |= was & (small | (self._size[level][self._label[level]] <= self._largest))
        return np.flatnonzero(touched & self._neighbours.held)

    def leaves(self, slots: Rows) -> Iterator[Rows]:
        """The leaves that these slots are in, each with all its slots, ascending. A leaf may be a single slot."""
        if not len(slots):
            return
        cosine_levels = self._levels - 1
        label, size = self._label[:cosine_levels], self._size[:cosine_levels]
        small = size[np.arange(cosine_levels)[:, None], label[:, slots]] <= self._largest
        small[-1] = True
        level = small.argmax(axis=0)
        for one in np.unique(level):
            roots = np.unique(label[one, slots[level == one]])
            if len(roots) == 1:
                yield np.flatnonzero(label[one] == roots[0])
            else:
                yield from _runs(label[one], roots)

    def bursts(self, slots: Rows) -> Rows:
        """Number of the burst of each slot (N,)."""
        return np.asarray(self._label[-1, slots], np.int64)

    def _take(self, count: int) -> Rows:
        """Free slots, of which there are made a quarter more than needed when they run out."""
        capacity = len(self.photo)
        if count > len(self._free):
            more = max(count - len(self._free), capacity // 4)
            fresh = np.arange(capacity, capacity + more)
            self.taken, self.photo = np.concatenate([self.taken, fresh * np.nan]), np.concatenate([self.photo, fresh])
            own = np.broadcast_to(fresh.astype(np.int32), (self._levels, more))
            self._label = np.concatenate([self._label, own], axis=1)
            self._size = np.concatenate([self._size, np.ones_like(own)], axis=1)
            self._neighbours.grow(capacity + more)
            self._free = [*reversed(fresh.tolist()), *self._free]
        taken = self._free[len(self._free) - count :]
        del self._free[len(self._free) - count :]
        return np.array(taken[::-1], np.int64)

    def _found(self, slots: Rows) -> Links:
        """Links of these slots with all others, both ways where both are among them."""
        parts = [Links.none()]
        for left, right, cosine in self._neighbours.near(slots):
            level = np.searchsorted(self._cosines, cosine, side="right") - 1
            burst = (cosine >= self._burst) & (self.photo[left] != self.photo[right])
            burst &= np.abs(self.taken[left] - self.taken[right]) <= self._seconds
            level[burst] = self._levels - 1
            linked = level >= 0
            parts.append(Links(left, right, level).where(linked))
            if sum(len(p.left) for p in parts) > 1_000_000 + SPARE * len(self.photo):
                parts = [Links.joined(parts).forest(len(self.photo))]
        return Links.joined(parts)

    def _remember(self, links: Links) -> None:
        self._links.append(links)
        if sum(len(p.left) for p in self._links) > SPARE * len(self.photo) + FEW:
            self._links = [Links.joined(self._links).forest(len(self.photo))]

    def _join(self, links: Links) -> Rows:
        """Join components by the links of one face; gives the slots of those that were leaves."""
        touched = []
        for level in range(self._levels):
            label, size = self._label[level], self._size[level]
            ends = np.concatenate([links.left[:1], links.right[links.level >= level]])
            roots = np.unique(label[ends])
            if len(roots) < 2:
                continue
            into, count = roots[np.argmax(size[roots])], size[roots]
            for root, held in zip(roots.tolist(), count.tolist(), strict=True):
                if root == into and held > self._largest:
                    continue
                members = np.flatnonzero(label == root) if held > 1 else np.array([root])
                label[members] = into
                if held <= self._largest:
                    touched.append(members)
            size[into] = count.sum()
        return np.concatenate([np.zeros(0, np.int64), *touched])

    def _label_all(self) -> None:
        """Components of every level from the links that are remembered; the first slot gives a component's number."""
        links, count = Links.joined(self._links), len(self.photo)
        for level in range(self._levels):
            kept = links.level >= level
            graph = coo_array((np.ones(kept.sum(), np.int8), (links.left[kept], links.right[kept])), (count, count))
            _, number = connected_components(graph, directed=False)
            _, first, label, size = np.unique(number, return_index=True, return_inverse=True, return_counts=True)
            self._label[level] = first[label]
            self._size[level, first] = size

    def _fallen(self, before: np.ndarray, gone: Rows) -> Rows:
        """Slots of parts that components fell into, the largest of each left out: whatever joins two is at one."""
        fallen = np.zeros(len(self.photo), bool)
        for level in range(self._levels):
            was, label = before[level], self._label[level]
            rows = np.flatnonzero(np.isin(was, was[gone]) & self._neighbours.held)
            parts, part, count = np.unique(label[rows], return_inverse=True, return_counts=True)
            largest: dict[int, int] = {}
            for i in np.argsort(count, kind="stable").tolist():
                largest[int(was[parts[i]])] = i
            fallen[rows[~np.isin(part, list(largest.values()))]] = True
        return np.flatnonzero(fallen)


def _by_left(links: Links, slots: Rows) -> Iterable[Links]:
    """Links of each slot, in the order of `slots`."""
    order = np.argsort(links.left, kind="stable")
    ordered = Links(links.left[order], links.right[order], links.level[order])
    low, high = np.searchsorted(ordered.left, slots), np.searchsorted(ordered.left, slots, side="right")
    for start, end in zip(low.tolist(), high.tolist(), strict=True):
        if end > start:
            yield Links(ordered.left[start:end], ordered.right[start:end], ordered.level[start:end])


def _runs(label: np.ndarray, roots: np.ndarray) -> Iterable[Rows]:
    """Positions of each of `roots` in `label`."""
    rows = np.flatnonzero(np.isin(label, roots))
    rows = rows[np.argsort(label[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(label[rows])) + 1)
