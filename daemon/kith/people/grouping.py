"""Which faces of a leaf are the same person, before anybody said so: a pure function of its faces and answers.

Every face is replaced by the mean of itself and its sure neighbours (query expansion, Arandjelović & Zisserman, CVPR
2012), average linkage (scipy) is cut at one cosine, and once more over the means of the clusters, which lets strays
in. Must-link pairs have distance 0; cannot-link pairs a distance so large that no average over a leaf falls below the
cut again, which makes ordinary average linkage an exactly constrained one. What a few such pairs divided is reunited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from kith.people.cuts import Cuts
from kith.people.faces import NOBODY
from kith.people.vectors import Doubles, Flags, Rows, unit
from kith.types import Floats, Part, PersonId

NEVER = 1e9  # distance of a cannot-link pair; divided by a whole leaf squared it is still above any cut
SURELY = 1.001  # for the rounding of sums
SETTLED = 3  # clusters of so many faces are not joined in the second pass, which is for strays
SELDOM = 4  # clusters are reunited where at most one face in so many, of the smaller one, is in the way


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What photos and answers say of a leaf's faces: `photo` (n,), `person` (n,) or NOBODY, `rejected` and `parts` by
    row."""

    photo: Rows
    person: Rows
    rejected: Mapping[int, frozenset[PersonId]]
    parts: Mapping[int, frozenset[Part]]


def group_leaf(said: Said, vectors: Floats, burst: Rows, cuts: Cuts) -> Rows:
    """Cluster 0, 1, ... of each face (n,); `vectors` (n, D). Members of one `burst` (n,) belong together.

    A burst with two faces of one photo shows people who look alike, twins perhaps: there likeness decides.
    """
    never = cannot_link(said)
    faces = average_linkage(_expanded(vectors, never, cuts), _of_one(burst, never), never, cuts.same)
    size = np.bincount(faces)
    order = np.argsort(faces, kind="stable")
    means = unit(np.add.reduceat(vectors[order].astype(np.float64), np.cumsum(size) - size, axis=0))
    settled = size >= SETTLED
    apart = settled[:, None] & settled[None, :]
    left, right = _pairs(never)
    apart[faces[left], faces[right]] = True
    np.fill_diagonal(apart, False)
    clusters = average_linkage(means, np.arange(len(means)), apart, cuts.same)
    return _reunited(clusters[faces], vectors.astype(np.float64), never, cuts.one)


def _reunited(cluster: Rows, vectors: Doubles, never: Flags, one: float) -> Rows:
    """Clusters (n,) whose means are nearly the same made one, and the few faces alone that keep them from being one.

    A mirror, a collage, a wrong answer: a pair that must not be linked divides all faces that are like either.
    """
    while True:
        numbers, size = np.unique(cluster, return_counts=True)
        numbers, size = numbers[size >= SETTLED], size[size >= SETTLED]
        if len(numbers) < 2:
            return cluster
        means = unit(np.array([vectors[cluster == number].sum(axis=0) for number in numbers]))
        left, right = np.nonzero(np.triu(np.round(means @ means.T, 6) >= one, 1))
        for i in np.lexsort((right, left, -np.minimum(size[left], size[right]))).tolist():
            together = np.flatnonzero(np.isin(cluster, numbers[[left[i], right[i]]]))
            alone = _in_the_way(vectors[together], never[np.ix_(together, together)])
            if len(alone) * SELDOM <= min(size[left[i]], size[right[i]]):
                cluster[together] = numbers[left[i]]
                cluster[together[alone]] = cluster.max() + 1 + np.arange(len(alone))
                break
        else:
            return cluster


def _in_the_way(vectors: Doubles, never: Flags) -> Rows:
    """Faces (n,) without whom no pair is left that must not be linked: who is in most, then who is least like all."""
    alike = np.round(vectors @ unit(vectors.sum(axis=0, keepdims=True))[0], 6)
    left, degree, out = never.copy(), never.sum(axis=1), []
    while degree.any():
        out.append(int(np.lexsort((alike, -degree))[0]))
        degree -= left[out[-1]]
        degree[out[-1]] = 0
        left[out[-1]] = left[:, out[-1]] = False
    return np.array(out, np.int64)


def _of_one(burst: Rows, never: Flags) -> Rows:
    """The number of each face's burst (n,), one of its own where the burst can't be of one person."""
    mixed = np.isin(burst, burst[(never & (burst[:, None] == burst[None, :])).any(axis=1)])
    return np.where(mixed, burst.max(initial=0) + 1 + np.arange(len(burst)), burst)


def average_linkage(vectors: Doubles, together: Rows, never: Flags, cosine: float) -> Rows:
    """Cluster 0, 1, ... of each of the unit vectors (n, D), by the average cosine between clusters.

    Rows of the same number in `together` have distance 0; pairs that `never` allows are never in one cluster. What no
    pair joins is clustered apart, and what surely is one cluster isn't clustered at all: the same result, much sooner.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    narrow = vectors.astype(np.float32)
    distance = narrow @ narrow.T
    np.subtract(1, np.round(distance, 6, out=distance), out=distance)
    np.maximum(distance, 0, out=distance)
    if len(np.unique(together)) < len(together):
        distance[together[:, None] == together[None, :]] = 0
    distance[never] = NEVER
    np.fill_diagonal(distance, 0)
    room, label, count = np.float32(1 - cosine) - distance, np.zeros(len(vectors), np.int64), 0
    for rows in _connected(room >= 0):
        if len(rows) > 1 and not _is_one(room[np.ix_(rows, rows)]):
            tree = linkage(squareform(distance[np.ix_(rows, rows)], checks=False), "average")
            label[rows] = count + fcluster(tree, 1 - cosine, "distance") - 1
        else:
            label[rows] = count
        count = int(label[rows].max()) + 1
    return label


def _connected(linked: Flags) -> Iterator[Rows]:
    """The components (k,) of a dense graph (n, n) whose rows are linked to themselves."""
    left = np.ones(len(linked), bool)
    while left.any():
        reached = linked[left.argmax()]
        fresh = reached.copy()
        while fresh.any():
            fresh = linked[fresh].any(axis=0) & ~reached
            reached = reached | fresh
        left &= ~reached
        yield np.flatnonzero(reached)


def _is_one(room: Floats) -> bool:
    """Whether average linkage surely makes one cluster of faces with so much `room` (n, n) below the cut.

    It does where, however they are divided in two, the parts have room on average. A pair without any is made up for
    by the others, each of which is linked to one of the two in the other part: that room is shared among such pairs.
    """
    left, right = _pairs(room < 0)
    left, right = left[left < right], right[left < right]
    if len(left) > len(room):
        return False
    used = np.bincount(np.concatenate([left, right]), minlength=len(room))
    shares = [np.maximum(room[side], 0) / (used[side][:, None] + used) for side in (left, right)]
    return bool((np.minimum(*shares).sum(axis=1) >= -SURELY * room[left, right]).all())


def _expanded(vectors: Floats, never: Flags, cuts: Cuts) -> Doubles:
    """Each unit vector (n, D) replaced by the weighted mean of itself and its sure neighbours."""
    weight = vectors @ vectors.T
    sure = (weight >= cuts.same) & ~never
    weight -= cuts.stranger
    weight /= 1 - cuts.stranger
    weight *= sure
    np.fill_diagonal(weight, 1)
    return unit((weight @ vectors).astype(np.float64))


def _pairs(flags: Flags) -> tuple[Rows, Rows]:
    """Rows and columns (E,) where `flags` (n, n) are set; several times as fast as `np.nonzero` where few are."""
    return np.divmod(np.flatnonzero(flags), len(flags))


def cannot_link(said: Said) -> Flags:
    """Pairs (n, n) that answers or photos forbid: two people, named or not, a rejected person, two faces of one
    photo."""
    named = said.person != NOBODY
    both = named[:, None] & named[None, :]
    never = (said.photo[:, None] == said.photo[None, :]) | both
    for row, people in said.rejected.items():
        refused = np.isin(said.person, list(people))
        never[row] |= refused
        never[:, row] |= refused
    for one, other in _divided(said.parts):
        never[np.ix_(one, other)] = never[np.ix_(other, one)] = True
    never &= ~(both & (said.person[:, None] == said.person[None, :]))
    np.fill_diagonal(never, False)
    return np.asarray(never)


def _divided(parts: Mapping[int, frozenset[Part]]) -> Iterator[tuple[list[int], list[int]]]:
    """Rows of which somebody said that those on one side are different people from those on the other."""
    rows: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, some in parts.items():
        for division, part in some:
            rows[division][part].append(row)
    for sides in rows.values():
        yield from combinations(sides.values(), 2)
