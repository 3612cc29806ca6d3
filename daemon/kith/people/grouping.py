"""Which faces are the same person, before anybody said so: a pure function of faces and answers.

Candidate edges of the neighbour graph -> connected components -> inside each component every face is replaced by the
mean of itself and its sure neighbours (query expansion, Arandjelović & Zisserman, CVPR 2012), average linkage (scipy)
is cut at one cosine, and once more over the means of the clusters, which lets strays in. A component's result depends
on nothing outside it. Must-link pairs have distance 0; cannot-link pairs a distance so large that no average over a
component falls below the cut again, which makes ordinary average linkage an exactly constrained one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from kith.people.index import Rows, index_of
from kith.people.settings import PeopleSettings
from kith.types import Calibration, Evidence, FaceId, Floats, GroupId, PersonId

NEVER = 1e9  # distance of a cannot-link pair; divided by a whole component squared it is still above any cut
EDGE = 1.0  # decades of false match rate below 1e-5 at which faces are looked at together
SETTLED = 3  # clusters of so many faces are not joined in the second pass, which is for strays
TIGHTER = 0.5  # decades by which an oversized component is cut tighter, again and again

Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cuts:
    """Cosines that grouping decides by, from a pack's calibration.

    `same`: at a false match rate of 1e-5 (and `strictness` decades less). `decade`: what one decade of false match
    rate is worth there. `stranger`: at 1e-3, where being alike begins to mean anything. `edge`: faces less alike
    share no component. `burst`: near-identical.
    """

    same: float
    decade: float
    stranger: float
    edge: float
    burst: float

    @classmethod
    def of(cls, calibration: Calibration, strictness: float) -> Cuts:
        rare, rarer = calibration.cosine_fmr["1e-4"], calibration.cosine_fmr["1e-5"]
        decade = rarer - rare
        same = rarer + strictness * decade
        stranger = calibration.cosine_fmr["1e-3"]
        return cls(same, decade, stranger, edge=same - EDGE * decade, burst=(1 + rarer) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs of similar rows, (E,) each."""

    left: Rows
    right: Rows
    cosine: Floats

    def where(self, keep: Flags) -> Edges:
        return Edges(self.left[keep], self.right[keep], self.cosine[keep])


def group_faces(faces: Sequence[Evidence], vectors: Floats, calibration: Calibration, settings: PeopleSettings) -> Rows:
    """Cluster of each row, (N,): the smallest row in it. `faces` and `vectors` stand in canonical order."""
    cuts = Cuts.of(calibration, settings.strictness)
    bursts = burst_pairs(faces, vectors, cuts, settings)
    burst = _label(bursts[:, 0], bursts[:, 1], len(faces))
    clusters = np.arange(len(faces))
    for rows in components(vectors, bursts, cuts, settings):
        clusters[rows] = rows[_group_component([faces[r] for r in rows], vectors[rows], burst[rows], cuts)]
    return clusters


def components(vectors: Floats, bursts: Rows, cuts: Cuts, settings: PeopleSettings) -> Iterator[Rows]:
    """Sets of two or more rows that can't be decided apart; those too large are cut at tighter cosines first."""
    edges = similar_pairs(vectors, cuts.edge, settings)
    left, right = np.concatenate([edges.left, bursts[:, 0]]), np.concatenate([edges.right, bursts[:, 1]])
    edges = Edges(left, right, np.concatenate([edges.cosine, np.ones(len(bursts), np.float32)]))
    yield from _cut(np.arange(len(vectors)), edges, cuts.edge, cuts.decade, settings.largest_component)


def _cut(rows: Rows, edges: Edges, cosine: float, decade: float, largest: int) -> Iterator[Rows]:
    """Components of `rows` under `edges` (row numbers of the gallery), in the order of their first rows."""
    left, right = np.searchsorted(rows, edges.left), np.searchsorted(rows, edges.right)
    label = _label(left, right, len(rows))
    edge_label = label[left]
    for number, members in enumerate(_members(label)):
        if len(members) < 2:
            continue
        if len(members) <= largest or cosine >= 1:
            yield rows[members]
            continue
        tighter = min(1.0, cosine + TIGHTER * decade)
        inside = edges.where((edge_label == number) & (edges.cosine >= tighter))
        yield from _cut(rows[members], inside, tighter, decade, largest)


def similar_pairs(vectors: Floats, cosine: float, settings: PeopleSettings) -> Edges:
    """Edges of the kNN graph at or above `cosine`."""
    if len(vectors) == 0:
        return Edges(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    rows, cosines = index_of(vectors, settings.exact_up_to).nearest(vectors, settings.neighbours + 1)
    left = np.repeat(np.arange(len(vectors)), rows.shape[1])
    right, similar = rows.ravel(), cosines.ravel()
    return Edges(left, right, similar).where((similar >= cosine) & (left != right))


def burst_pairs(faces: Sequence[Evidence], vectors: Floats, cuts: Cuts, settings: PeopleSettings) -> Rows:
    """Pairs of rows (B, 2) of different photos a few seconds apart that look nearly identical."""
    taken = np.array([np.nan if f.captured_at is None else f.captured_at for f in faces], np.float64)
    photo = np.array([f.photo for f in faces], np.int64)
    order = np.argsort(taken, kind="stable")
    order = order[~np.isnan(taken[order])]
    pairs = [np.zeros((0, 2), np.int64)]
    for step in range(1, min(len(order), settings.neighbours)):
        a, b = order[:-step], order[step:]
        near = taken[b] - taken[a] <= settings.burst_seconds
        if not near.any():
            break
        a, b = a[near], b[near]
        alike = (np.einsum("ij,ij->i", vectors[a], vectors[b]) >= cuts.burst) & (photo[a] != photo[b])
        pairs.append(np.stack([a[alike], b[alike]], axis=1))
    return np.concatenate(pairs)


def _group_component(members: Sequence[Evidence], vectors: Floats, burst: Rows, cuts: Cuts) -> Rows:
    """For each member the position of the first of its cluster; members of one `burst` belong together."""
    never = cannot_link(members)
    faces = _average_linkage(_expanded(vectors, never, cuts), burst, never, cuts.same)
    sums, size = np.zeros((faces.max() + 1, vectors.shape[1])), np.bincount(faces)
    np.add.at(sums, faces, vectors)
    means = _unit(sums)
    settled = size >= SETTLED
    apart = settled[:, None] & settled[None, :]
    left, right = np.nonzero(never)
    apart[faces[left], faces[right]] = True
    np.fill_diagonal(apart, False)
    clusters = _average_linkage(means, np.arange(len(means)), apart, cuts.same)
    return _first_of(clusters[faces])


def _average_linkage(vectors: Doubles, together: Rows, never: Flags, cosine: float) -> Rows:
    """Cluster 0, 1, ... of each of the unit vectors (n, D), by the average cosine between clusters.

    Rows of the same number in `together` have distance 0; pairs that `never` allows are never in one cluster.
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors), np.int64)
    distance = np.maximum(1 - np.round(vectors @ vectors.T, 6), 0)
    distance[together[:, None] == together[None, :]] = 0
    distance[never] = NEVER
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    return np.asarray(fcluster(tree, 1 - cosine, "distance") - 1, np.int64)


def _expanded(vectors: Floats, never: Flags, cuts: Cuts) -> Doubles:
    """Each unit vector (n, D) replaced by the weighted mean of itself and its sure neighbours."""
    cosines = vectors.astype(np.float64) @ vectors.T
    weight = np.where((cosines >= cuts.same) & ~never, (cosines - cuts.stranger) / (1 - cuts.stranger), 0)
    np.fill_diagonal(weight, 1)
    return _unit(weight @ vectors)


def _unit(rows: Doubles) -> Doubles:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def cannot_link(faces: Sequence[Evidence]) -> Flags:
    """Pairs (n, n) that answers or photos forbid: two people, a rejected person, two faces of one photo."""
    _, person = np.unique([-1 if f.person is None else f.person for f in faces], return_inverse=True)
    named = np.array([f.person is not None for f in faces])
    both = named[:, None] & named[None, :]
    same_person = both & (person[:, None] == person[None, :])
    photo = np.array([f.photo for f in faces])
    never = (photo[:, None] == photo[None, :]) | both
    for i, face in enumerate(faces):
        if face.rejected:
            refused = np.array([f.person in face.rejected for f in faces])
            never[i] |= refused
            never[:, i] |= refused
    never &= ~same_person
    np.fill_diagonal(never, False)
    return np.asarray(never)


def _label(left: Rows, right: Rows, count: int) -> Rows:
    """Connected component of each of `count` rows, under edges (E,) and (E,)."""
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def unite_people(faces: Sequence[Evidence], clusters: Rows) -> Rows:
    """Clusters with all confirmed faces of a person in one.

    Clusters that hold a person are joined, largest first; an unnamed face whose photo already gave that person a face
    stays behind in its old cluster.
    """
    united = clusters.copy()
    by_cluster = dict(zip(np.unique(clusters).tolist(), _members(clusters), strict=True))
    homes: dict[int, set[int]] = defaultdict(set)
    for row, face in enumerate(faces):
        if face.person is not None:
            homes[face.person].add(int(clusters[row]))
    for person, held in homes.items():
        if len(held) < 2:
            continue
        ordered = sorted(held, key=lambda c: (-len(by_cluster[c]), c))
        rows = [int(r) for c in ordered for r in by_cluster[c]]
        confirmed = {r for r in rows if faces[r].person == person}
        photos = {faces[r].photo for r in confirmed}
        joined = set(confirmed)
        for r in rows:
            if r not in confirmed and faces[r].photo not in photos:
                joined.add(r)
                photos.add(faces[r].photo)
        members = np.array(sorted(joined))
        left = np.array(sorted(set(rows) - joined), np.int64)
        united[members] = members[0]
        united[left] = left[_first_of(clusters[left])]
    return united


def join_suggested(faces: Sequence[Evidence], clusters: Rows, suggested: Mapping[int, PersonId]) -> Rows:
    """Clusters with each `suggested` row moved to the cluster of its person, unless one of its photo is there."""
    home = {face.person: int(clusters[row]) for row, face in enumerate(faces) if face.person is not None}
    there = {(face.photo, int(clusters[row])) for row, face in enumerate(faces)}
    joined = clusters.copy()
    for row in sorted(suggested):
        target = home[suggested[row]]
        if (faces[row].photo, target) not in there:
            joined[row] = target
            there.add((faces[row].photo, target))
    return joined


def shown(clusters: Rows, faces: Sequence[Evidence], vectors: Floats, cuts: Cuts, settings: PeopleSettings) -> Flags:
    """Rows (N,) whose cluster has a named face or a core point: a face with `min_faces` - 1 others near it there.

    Only faces of enough quality count for a core point.
    """
    good = np.array([f.quality >= settings.min_quality for f in faces], bool)
    named = np.array([f.person is not None for f in faces], bool)
    result = np.zeros(len(faces), bool)
    for members in _members(clusters):
        core = members[good[members]][: settings.largest_component]
        if named[members].any():
            result[members] = True
        elif len(core) >= settings.min_faces:
            near = vectors[core] @ vectors[core].T >= cuts.same - cuts.decade
            np.fill_diagonal(near, True)
            result[members] = near.sum(axis=1).max() >= settings.min_faces
    return result


def number_groups(
    ids: Sequence[FaceId], clusters: Rows, kept: Flags, previous: Mapping[FaceId, GroupId], next_group: int
) -> dict[FaceId, GroupId]:
    """Group ids of the `kept` rows: each group keeps the id that most of its members had, new ones are counted up, the
    largest first."""
    members = defaultdict(list)
    for row in np.flatnonzero(kept):
        members[int(clusters[row])].append(ids[int(row)])
    votes = [
        (-count, cluster, old)
        for cluster, faces in members.items()
        for old, count in Counter(previous[f] for f in faces if f in previous).items()
    ]
    number: dict[int, GroupId] = {}
    taken: set[GroupId] = set()
    for _, cluster, old in sorted(votes):
        if cluster not in number and old not in taken:
            number[cluster] = old
            taken.add(old)
    fresh = max([next_group, *(g + 1 for g in previous.values())])
    for cluster in sorted(members.keys() - number.keys(), key=lambda cluster: (-len(members[cluster]), cluster)):
        number[cluster] = GroupId(fresh)
        fresh += 1
    return {face: number[cluster] for cluster, faces in members.items() for face in faces}


def _members(label: NDArray[np.integer]) -> Iterable[Rows]:
    """Rows of each label, ascending labels, ascending rows."""
    order = np.argsort(label, kind="stable")
    ends = np.flatnonzero(np.diff(label[order])) + 1
    return np.split(order, ends) if len(order) else []


def _first_of(label: NDArray[np.integer]) -> Rows:
    """For each position the first position with the same label."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], np.int64)
