"""Which faces must be looked at together: components of likeness, kept up to date while faces come and go.

Two faces at or above a level's cosine are linked at that level; components of a level are unions of those of the next,
tighter one. A component's leaf is the loosest level at which it has no more than `largest` faces: leaves are what
grouping decides one at a time. The topmost level links bursts: near-identical faces seconds apart.

Links are found by comparing a new face with all others, so they don't depend on the order of arrival. Where an index
proposes them instead, `settle` makes up for what it missed. Of the links only those are remembered that hold the
components of some level together (a maximum spanning forest and what came since), for the day when a face goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kith.people.cuts import Cuts
from kith.people.faces import grown, taken
from kith.people.index import Near, Neighbours
from kith.people.rings import Rings
from kith.people.settings import PeopleSettings
from kith.people.vectors import Directions, Flags, Rows
from kith.types import Evidence, Floats

FEW = 256  # faces up to which arrivals are joined one by one
MANY = 64  # components that are found faster together
SPARE = 4  # links remembered per face before they are thinned out to a forest


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Pairs of slots (E,) and the topmost level (E,) at which they are linked, nine bytes each."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    level: NDArray[np.int8]

    @classmethod
    def of(cls, left: ArrayLike, right: ArrayLike, level: ArrayLike) -> Links:
        return cls(np.asarray(left, np.int32), np.asarray(right, np.int32), np.asarray(level, np.int8))

    @classmethod
    def none(cls) -> Links:
        return cls.of([], [], [])

    def __len__(self) -> int:
        return len(self.left)

    @classmethod
    def joined(cls, parts: Sequence[Links]) -> Links:
        columns = zip(*((p.left, p.right, p.level) for p in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def where(self, keep: Flags | slice | Rows) -> Links:
        return Links(self.left[keep], self.right[keep], self.level[keep])

    def forest(self, count: int) -> Links:
        """The links that hold the components of every level together, no more than `count` - 1."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import minimum_spanning_tree

        weight = 1 + int(self.level.max(initial=0)) - self.level.astype(np.int64)  # a sparse graph has no weight 0
        left, right = np.minimum(self.left, self.right), np.maximum(self.left, self.right)
        order = np.lexsort((weight, right, left))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(left[order]) != 0) | (np.diff(right[order]) != 0)
        kept = order[first]
        graph = coo_array((weight[kept], (left[kept], right[kept])), (count, count))
        tree = minimum_spanning_tree(graph.tocsr()).tocoo()
        level = 1 + int(self.level.max(initial=0)) - tree.data.astype(np.int64)
        return Links.of(tree.row, tree.col, level)


class Graph:
    """Slots of faces and the component of each slot at each level.

    A slot is a face's place for as long as it stays. `vectors` (C, D) float32 on the grid, zero where no face is;
    `taken` (C,) seconds or nan; `photo` (C,).
    """

    def __init__(self, length: int, cuts: Cuts, settings: PeopleSettings) -> None:
        self._cosines = cuts.levels()
        self._burst, self._seconds = cuts.burst, settings.burst_seconds
        self._largest, self._exact_up_to = settings.largest_component, settings.exact_up_to
        self._levels = len(self._cosines) + 1
        self._leaf_up_to = np.full(self._levels, self._largest)  # faces, at each level
        self._leaf_up_to[len(self._cosines) - 1] = np.iinfo(np.int32).max  # there is no tighter one
        self._neighbours = Neighbours(length, min(self._cosines[0], cuts.burst), cuts.burst, settings)
        self.taken = np.zeros(0)
        self.photo = np.zeros(0, np.int64)
        self._label = np.zeros((self._levels, 0), np.int32)
        self._size = np.zeros((self._levels, 0), np.int32)
        self._rings = [Rings() for _ in range(self._levels)]
        self._links = [Links.none()]
        self._kept = 0
        self._free: list[int] = []
        self._unsettled: Flags = np.zeros(0, bool)  # compared only with those that the index proposed

    @property
    def vectors(self) -> Directions:
        return self._neighbours.vectors

    def add(self, faces: Sequence[Evidence], vectors: Floats) -> tuple[Rows, Rows]:
        """Slots (N,) of new faces, and all slots whose leaf may be another now, theirs included."""
        slots = self._take(len(faces))
        self.taken[slots] = taken(faces)
        self.photo[slots] = [f.photo for f in faces]
        self._neighbours.add(slots, vectors)
        if len(faces) > self._exact_up_to:
            self._neighbours.learn(self._neighbours.unknown())
        if self._neighbours.proposes():
            self._unsettled[slots] = True
            links = self._found(slots, self._neighbours.proposed)
        else:
            links = self._found(slots, self._neighbours.near)
        return slots, np.union1d(slots, self._take_over(links, slots))

    def unsettled(self) -> int:
        """How many faces were compared only with those that the index proposed."""
        return int(self._unsettled.sum())

    def settle(self, count: int) -> Rows:
        """Compare so many of them with all others; gives the slots whose leaf may be another now."""
        some = np.flatnonzero(self._unsettled)[:count]
        self._unsettled[some] = False
        return self._take_over(self._found(some, self._neighbours.near), some)

    def unindexed(self) -> int:
        """How many faces the index doesn't know yet, where one is worth having."""
        return len(self._neighbours.unknown())

    def index(self, count: int) -> None:
        """Let the index know so many more."""
        self._neighbours.learn(self._neighbours.unknown()[:count])

    def remove(self, slots: Rows) -> Rows:
        """All other slots whose leaf may be another once these are gone."""
        links = Links.joined(self._links)
        gone = np.zeros(len(self.photo), bool)
        gone[slots] = True
        before, size = self._label.copy(), self._size.copy()
        self._links = [links.where(~(gone[links.left] | gone[links.right]))]
        self._kept = len(self._links[0])
        self._neighbours.remove(slots)
        self._unsettled[slots] = False
        self._free += slots.tolist()
        self._label_all()
        fallen = self._fallen(before, slots)
        if len(fallen):
            self._remember(self._found(fallen, self._neighbours.near))
            self._label_all()
        touched = np.zeros(len(gone), bool)
        for level in range(self._levels):
            was = np.isin(before[level], before[level][slots])
            count = np.minimum(size[level][before[level]], self._size[level][self._label[level]])
            touched |= was & (count <= self._leaf_up_to[level])
        return np.flatnonzero(touched & self._neighbours.held)

    def leaves(self, slots: Rows) -> Iterator[Rows]:
        """The leaves that these slots are in, each with all its slots, ascending. A leaf may be a single slot."""
        if not len(slots):
            return
        cosine_levels = self._levels - 1
        label, size = self._label[:cosine_levels], self._size[:cosine_levels]
        count = size[np.arange(cosine_levels)[:, None], label[:, slots]]
        level = (count <= self._leaf_up_to[:cosine_levels, None]).argmax(axis=0)
        for one in np.unique(level).tolist():
            roots = np.unique(label[one, slots[level == one]])
            if len(roots) > MANY:
                yield from _runs(label[one], roots)
            else:
                yield from (np.sort(self._component(one, root)) for root in roots.tolist())

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
            self._unsettled = grown(self._unsettled, capacity + more, False)
            self._neighbours.grow(capacity + more)
            for rings in self._rings:
                rings.grow(capacity + more)
            self._free = [*reversed(fresh.tolist()), *self._free]
        taken = self._free[len(self._free) - count :]
        del self._free[len(self._free) - count :]
        return np.array(taken[::-1], np.int64)

    def _component(self, level: int, root: int) -> Rows:
        """All slots of a component, in any order."""
        if self._size[level, root] > self._largest:
            return np.flatnonzero(self._label[level] == root)
        return np.array(self._rings[level].members(root), np.int64)

    def _found(self, slots: Rows, near: Callable[[Rows], Iterator[Near]]) -> Links:
        """Links of these slots with others, both ways where both are among them; of very many those that join."""
        parts, count = [Links.none()], 0
        label: NDArray[np.int32] | None = None
        for left, right, cosine in near(slots):
            links = self._linked(left, right, cosine)
            if label is not None:
                links = links.where(label[links.level, links.left] != label[links.level, links.right])
            parts.append(links)
            count += len(links)
            if count > 1_000_000 + SPARE * len(self.photo):
                parts = [Links.joined(parts).forest(len(self.photo))]
                count, label = len(parts[0]), np.array([numbers for numbers, _ in self._components(parts[0])])
        return Links.joined(parts)

    def _linked(self, left: Rows, right: Rows, cosine: Floats) -> Links:
        """Links of pairs (E,) at or above the loosest level's cosine, or of one burst."""
        level = np.searchsorted(self._cosines, cosine, side="right") - 1
        burst = (cosine >= self._burst) & (self.photo[left] != self.photo[right])
        burst &= np.abs(self.taken[left] - self.taken[right]) <= self._seconds
        level[burst] = self._levels - 1
        linked = level >= 0
        return Links.of(left[linked], right[linked], level[linked])

    def _take_over(self, links: Links, slots: Rows) -> Rows:
        """Join components by new links of these slots; gives all slots whose leaf may be another now."""
        if len(slots) > FEW:
            self._remember(links)
            self._label_all()
            return np.flatnonzero(self._neighbours.held)
        touched = [slots[:0]]
        for of_one in _by_left(links, slots):
            joining = np.zeros(len(of_one), bool)
            touched.append(self._join(of_one, joining))
            self._remember(of_one.where(joining))
        return np.unique(np.concatenate(touched))

    def _remember(self, links: Links) -> None:
        self._links.append(links)
        self._kept += len(links)
        if self._kept > SPARE * len(self.photo) + FEW:
            self._links = [Links.joined(self._links).forest(len(self.photo))]
            self._kept = len(self._links[0])

    def _join(self, links: Links, joining: Flags) -> Rows:
        """Join components by the links of one face, noting which did; gives the slots of those that were leaves."""
        touched = [np.zeros(0, np.int64)]
        for level in range(self._levels):
            label, size, rings = self._label[level], self._size[level], self._rings[level]
            rows = np.flatnonzero(links.level >= level)
            roots, first = np.unique(label[links.right[rows]], return_index=True)
            own = label[links.left[0]]
            joining[rows[first[roots != own]]] = True
            roots = np.union1d(roots, own)
            if len(roots) < 2:
                continue
            into, count = int(roots[np.argmax(size[roots])]), size[roots]
            for root, held in zip(roots.tolist(), count.tolist(), strict=True):
                if root == into and held > self._leaf_up_to[level]:
                    continue
                members = self._component(level, root)
                if held <= self._leaf_up_to[level]:
                    touched.append(members)
                if root != into:
                    label[members] = into
                    rings.join(root, into)
            size[into] = count.sum()
        return np.concatenate(touched)

    def _label_all(self) -> None:
        """Components of every level from the links that are remembered."""
        for level, (label, size) in enumerate(self._components(Links.joined(self._links))):
            self._label[level], self._size[level] = label, size
            self._rings[level].put_all(self._label[level])

    def _components(self, links: Links) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Level by level, the component of each slot (C,), whose first slot gives its number, and sizes (C,) there."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        count = len(self.photo)
        for level in range(self._levels):
            kept = links.level >= level
            graph = coo_array((np.ones(kept.sum(), np.int8), (links.left[kept], links.right[kept])), (count, count))
            _, number = connected_components(graph, directed=False)
            _, first, size = np.unique(number, return_index=True, return_counts=True)
            yield first[number].astype(np.int32), size[number].astype(np.int32)

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
    ordered = links.where(order)
    low, high = np.searchsorted(ordered.left, slots), np.searchsorted(ordered.left, slots, side="right")
    for start, end in zip(low.tolist(), high.tolist(), strict=True):
        if end > start:
            yield ordered.where(slice(start, end))


def _runs(label: np.ndarray, roots: np.ndarray) -> Iterable[Rows]:
    """Positions of each of `roots` in `label`."""
    rows = np.flatnonzero(np.isin(label, roots))
    rows = rows[np.argsort(label[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(label[rows])) + 1)
