"""The clusters of all leaves, kept while faces come, go and are answered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kith.people.cuts import Cuts
from kith.people.faces import Faces
from kith.people.graph import Graph
from kith.people.grouping import group_leaf
from kith.people.vectors import Rows, means
from kith.types import Floats

Cluster = tuple[int, ...]  # slots in canonical order


class Clusters:
    """The cluster of each slot, and the mean direction of clusters with two faces or more."""

    def __init__(self, faces: Faces, graph: Graph, cuts: Cuts) -> None:
        self._faces, self._graph, self._cuts = faces, graph, cuts
        self.of: dict[int, Cluster] = {}
        self._firsts: set[int] = set()
        self._row: dict[int, int] = {}  # by first slot
        self._free: list[int] = []
        self._means: Floats = graph.vectors[:0]

    def forget(self, slots: Iterable[int]) -> None:
        """These are gone; the rest of their leaves is grouped anew by the next `update`."""
        for slot in slots:
            self._dissolve(self.of.pop(slot))

    def update(self, touched: Rows, anew: set[int]) -> set[int]:
        """Group the leaves of `touched`; gives the slots in clusters that aren't what they were.

        `anew` are slots with new faces or new answers: a cluster that holds one is never what it was.
        """
        changed: set[int] = set()
        fresh: list[Cluster] = []
        for leaf in self._graph.leaves(touched):
            for cluster in self._group(leaf):
                if self.of.get(cluster[0]) != cluster or not anew.isdisjoint(cluster):
                    changed.update(cluster)
                    fresh.append(cluster)
        for slot in changed & self.of.keys():
            self._dissolve(self.of[slot])
        self._firsts.update(cluster[0] for cluster in fresh)
        for cluster in fresh:
            self.of.update(dict.fromkeys(cluster, cluster))
        self._average([cluster for cluster in fresh if len(cluster) > 1])
        return changed

    def __len__(self) -> int:
        return len(self._firsts)

    def mean(self, cluster: Cluster) -> Floats:
        """Mean direction (D,)."""
        row = self._row.get(cluster[0])
        return np.asarray(self._graph.vectors[cluster[0]] if row is None else self._means[row])

    def averaged(self) -> tuple[list[Cluster], Floats]:
        """All clusters of two or more and their means (G, D)."""
        return [self.of[first] for first in self._row], self._means[list(self._row.values())]

    def _group(self, leaf: Rows) -> list[Cluster]:
        if len(leaf) == 1:
            return [(int(leaf[0]),)]
        slots = self._faces.ordered(leaf.tolist())
        members = [self._faces.at[slot] for slot in slots]
        rows = np.array(slots)
        number = group_leaf(members, self._graph.vectors[rows], self._graph.bursts(rows), self._cuts)
        order = np.argsort(number, kind="stable")
        parts = np.split(rows[order], np.flatnonzero(np.diff(number[order])) + 1)
        return [tuple(part.tolist()) for part in parts]

    def _average(self, clusters: list[Cluster]) -> None:
        if not clusters:
            return
        starts = np.cumsum([0, *(len(c) for c in clusters)])[:-1]
        found = means(self._graph.vectors[[slot for cluster in clusters for slot in cluster]], starts)
        short = len(clusters) - len(self._free)
        if short > 0:
            used, more = len(self._means), max(short, len(self._means) // 4)
            self._means = np.concatenate([self._means, np.zeros((more, found.shape[1]), np.float32)])
            self._free += range(used, used + more)
        for cluster, mean in zip(clusters, found, strict=True):
            row = self._free.pop()
            self._row[cluster[0]], self._means[row] = row, mean

    def _dissolve(self, cluster: Cluster) -> None:
        self._firsts.discard(cluster[0])
        if cluster[0] in self._row:
            self._free.append(self._row.pop(cluster[0]))
