"""The clusters of all leaves, kept while faces come, go and are answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from kith.people.cuts import Cuts
from kith.people.faces import NOBODY, Faces, grown
from kith.people.graph import Graph
from kith.people.grouping import Said, group_leaf
from kith.people.rings import Rings
from kith.people.vectors import Directions, Rows, means
from kith.types import Floats, PersonId

T = TypeVar("T")
Cluster = tuple[int, ...]  # slots in canonical order
NONE = -1
NAMELESS: Mapping[PersonId, int] = MappingProxyType({})


class Clusters:
    """The cluster of each slot, and the mean direction of clusters with two faces or more.

    `first` (C,) is the first slot of a slot's cluster, which is the cluster's number, or NONE; `size` (C,) is right at
    first slots. A cluster tells by its first `sample` faces in canonical order, which is as good as drawn by lot: more
    would hardly say more, and each face that comes would change what all others are told.
    """

    def __init__(self, faces: Faces, graph: Graph, cuts: Cuts, sample: int) -> None:
        self._faces, self._graph, self._cuts, self._sample = faces, graph, cuts, sample
        self.first = np.zeros(0, np.int32)
        self.size = np.zeros(0, np.int32)
        self._named: dict[int, Counter[PersonId]] = {}
        self._rings = Rings()
        self._count = 0
        self._row = np.zeros(0, np.int32)  # by first slot
        self._free: list[int] = []
        self._means = Directions(graph.vectors.shape[1])

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        self.first, self._row = grown(self.first, capacity, NONE), grown(self._row, capacity, NONE)
        self.size = grown(self.size, capacity, 0)
        self._rings.grow(capacity)

    def forget(self, slots: Iterable[int]) -> None:
        """These are gone; the rest of their leaves is grouped anew by the next `update`."""
        for slot in slots:
            self._dissolve(int(self.first[slot]))

    def update(self, touched: Rows, anew: set[int]) -> tuple[set[int], set[PersonId]]:
        """Group the leaves of `touched`; gives the slots whose cluster tells something else now, and whose names are in
        clusters with other members.

        `anew` are slots with new faces or new answers: what their clusters tell of them is always new.
        """
        changed: set[int] = set()
        people: set[PersonId] = set()
        fresh: dict[Cluster, Counter[PersonId]] = {}
        for leaf in self._graph.leaves(touched):
            for cluster in self._group(leaf):
                before = self.of(cluster[0])
                if before != cluster or not anew.isdisjoint(cluster):
                    fresh[cluster] = self._names(cluster)
                    changed.update(self._told_anew(before, cluster, fresh[cluster], anew))
        for number in np.unique(self.first[[slot for cluster in fresh for slot in cluster]]).tolist():
            self._dissolve(number)
        for cluster, named in fresh.items():
            self._rings.put(cluster)
            self.first[list(cluster)], self.size[cluster[0]] = cluster[0], len(cluster)
            if named:
                self._named[cluster[0]] = named
                people.update(named)
        self._count += len(fresh)
        self._average([cluster[: self._sample] for cluster in fresh if len(cluster) > 1])
        return changed, people

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Cluster]:
        numbers = np.flatnonzero(self.first == np.arange(len(self.first)))
        return (self.of(number) for number in numbers.tolist())

    def of(self, slot: int) -> Cluster:
        """The cluster of a slot; empty where there is none."""
        first = int(self.first[slot])
        return () if first == NONE else tuple(self._rings.members(first))

    def all_of(self, numbers: Rows) -> Rows:
        """All slots of these clusters, ascending."""
        return self._rings.all_of(numbers)

    def named(self, number: int) -> Mapping[PersonId, int]:
        """How many faces of a cluster are confirmed to be whose: of one person, if of any."""
        return self._named.get(number, NAMELESS)

    def means(self, numbers: Rows) -> Floats:
        """Mean directions (G, D) of these clusters."""
        rows = self._row[numbers]
        found = np.empty((len(numbers), self._graph.vectors.shape[1]), np.float32)
        found[rows == NONE] = self._graph.vectors[numbers[rows == NONE]]
        found[rows != NONE] = self._means[rows[rows != NONE]]
        return found

    def coarsely_near(self, queries: Floats, floor: float) -> Rows:
        """Numbers (G,) of all clusters of two faces or more whose mean has a product of at least `floor` with one of
        the queries (Q, D), and of few others."""
        averaged = np.flatnonzero(self._row != NONE)
        number = np.full(len(self._means), NONE, np.int64)
        number[self._row[averaged]] = averaged
        found = number[np.unique(self._means.coarsely_near(queries, floor)[1])]
        return np.asarray(found[found != NONE])

    def _told_anew(self, before: Cluster, cluster: Cluster, named: Mapping[PersonId, int], anew: set[int]) -> set[int]:
        """Members whose cluster told something else `before`, or who are `anew`."""
        number, sample = cluster[0], cluster[: self._sample]
        if before[: self._sample] != sample or not anew.isdisjoint(sample) or self.named(number) != named:
            return set(cluster)
        rows = np.array(cluster)
        return set(rows[self.first[rows] != number].tolist()) | anew.intersection(cluster)

    def _names(self, cluster: Cluster) -> Counter[PersonId]:
        people = self._faces.person[list(cluster)]
        return Counter(PersonId(person) for person in people[people != NOBODY].tolist())

    def _group(self, leaf: Rows) -> list[Cluster]:
        if len(leaf) == 1:
            return [(int(leaf[0]),)]
        rows = leaf[self._faces.rank(leaf)]
        said = Said(
            self._faces.photo[rows],
            self._faces.person[rows],
            _by_row(self._faces.rejected, rows),
            _by_row(self._faces.parts, rows),
        )
        number = group_leaf(said, self._graph.vectors[rows], self._graph.bursts(rows), self._cuts)
        order = np.argsort(number, kind="stable")
        parts = np.split(rows[order], np.flatnonzero(np.diff(number[order])) + 1)
        return [tuple(part.tolist()) for part in parts]

    def _average(self, clusters: list[Cluster]) -> None:
        if not clusters:
            return
        short = len(clusters) - len(self._free)
        if short > 0:
            used, more = len(self._means), max(short, len(self._means) // 4)
            self._means.grow(used + more)
            self._free += range(used, used + more)
        starts = np.cumsum([0, *(len(c) for c in clusters)])[:-1]
        found = means(self._graph.vectors[[slot for cluster in clusters for slot in cluster]], starts)
        rows = np.array([self._free.pop() for _ in clusters])
        self._means[rows] = found
        self._row[[cluster[0] for cluster in clusters]] = rows

    def _dissolve(self, first: int) -> None:
        if first == NONE:
            return
        members = self._rings.members(first)
        self.first[members] = NONE
        self._named.pop(first, None)
        self._rings.part(members)
        self._count -= 1
        if self._row[first] != NONE:
            self._free.append(int(self._row[first]))
            self._row[first] = NONE


def _by_row(by_slot: Mapping[int, T], slots: Rows) -> dict[int, T]:
    return {row: by_slot[slot] for row, slot in enumerate(slots.tolist()) if slot in by_slot}
