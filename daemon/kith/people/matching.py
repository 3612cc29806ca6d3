"""Who unnamed faces may be: each face and its whole cluster against the people already named.

Pure functions over arrays. A person is a *candidate* for a face when the face or its cluster is more like them than
strangers are (false match rate 1e-3); only candidates bear on a face's result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from kith.people.calibration import GROUP_FEATURES, Models, logit
from kith.people.faces import Barred
from kith.people.settings import PeopleSettings
from kith.people.vectors import Directions, Doubles, Flags, Rows, means, snap, unit
from kith.types import Evidence, Floats, PersonId

BLOCK = 1024  # probes compared with all people at a time
NEAREST = 4  # directions of the cohort that tell how usual a face is
YEAR = 365.25 * 86400.0
DAY = 86400.0
BORN_LATE = 2 * DAY  # a camera's clock and a birth date given as a day may be off by so much


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """What is known of the named people, in canonical order.

    `slots` (E,) of the exemplars, sorted by person, their `vectors` (E, D) and times `taken` (E,), nan where unknown;
    `starts` (P,) where each person's begin; `centroids` (P, D), their mean directions; `born` (P,), nan where unknown.
    """

    ids: tuple[PersonId, ...]
    slots: Rows
    starts: Rows
    vectors: Floats
    taken: Doubles
    centroids: Floats
    born: Doubles

    @classmethod
    def of(
        cls,
        exemplars: Mapping[PersonId, Sequence[int]],
        vectors: Floats | Directions,
        taken: Doubles,
        born: Mapping[PersonId, float],
    ) -> People:
        """`exemplars` are slots, `vectors` (C, D) and `taken` (C,) are by slot."""
        slots = np.array([slot for chosen in exemplars.values() for slot in chosen], np.int64)
        starts = np.cumsum([0, *(len(chosen) for chosen in exemplars.values())])[:-1].astype(np.int64)
        birth = np.array([born.get(person, np.nan) for person in exemplars], np.float64)
        known = vectors[slots]
        return cls(tuple(exemplars), slots, starts, known, taken[slots], means(known, starts), birth)

    @property
    def counts(self) -> Rows:
        return np.diff(self.starts, append=len(self.slots))

    def only(self, some: Set[PersonId]) -> People:
        """These people of them."""
        keep = np.array([person in some for person in self.ids], bool)
        counts, rows = self.counts, np.repeat(keep, self.counts)
        ids = tuple(person for person in self.ids if person in some)
        starts = (np.cumsum(counts[keep]) - counts[keep]).astype(np.int64)
        known = self.slots[rows], starts, self.vectors[rows], self.taken[rows], self.centroids[keep], self.born[keep]
        return People(ids, *known)

    def rows(self, column: int) -> slice:
        """Where the exemplars of a person are."""
        end = self.starts[column + 1] if column + 1 < len(self.starts) else len(self.slots)
        return slice(int(self.starts[column]), int(end))


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Unnamed faces (M,) to be compared.

    `slots` (M,), `vectors` (M, D), times `taken` (M,); `barred` (B, 2): rows of a probe and a person whom it can't be;
    `group` (M,) is the row of its cluster in `means` (G, D), `sizes` (G,) and `named` (G,): how many of its faces are
    whose.
    """

    slots: Rows
    vectors: Floats
    taken: Doubles
    barred: Barred
    group: Rows
    means: Floats
    sizes: Rows
    named: Sequence[Mapping[PersonId, int]]

    def blocks(self) -> Iterator[slice]:
        for start in range(0, len(self.slots), BLOCK):
            yield slice(start, start + BLOCK)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Probe row (E,) and person column (E,), ascending, and features (E,) each."""

    probe: Rows
    person: Rows
    features: Mapping[str, Doubles]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(Candidates):
    """Candidates and both models' log odds (E,)."""

    classifier: Doubles
    group: Doubles


@dataclass(frozen=True, slots=True)
class Scale:
    """How many chances for a mistake a library holds: logarithms of its named people and of its clusters.

    The more clusters there are, the more of them are like somebody by chance. In half doublings, so that it seldom
    changes.
    """

    people: float
    clusters: float

    @classmethod
    def of(cls, people: int, clusters: int) -> Scale:
        return cls(_half_doublings(people), _half_doublings(clusters))


def _half_doublings(count: int) -> float:
    return math.log(2) * math.floor(2 * math.log2(1 + count)) / 2


def choose_exemplars(slots: Sequence[int], faces: Mapping[int, Evidence], settings: PeopleSettings) -> list[int]:
    """Of one person's faces the best of each equal slice of time; poor faces only where there is no better.

    `slots` in canonical order, so is the result.
    """
    good = [s for s in slots if faces[s].quality >= settings.min_quality] or list(slots)
    rank = {slot: i for i, slot in enumerate(slots)}
    by_time = sorted(good, key=lambda s: (faces[s].captured_at is None, faces[s].captured_at or 0.0, rank[s]))
    slices = np.array_split(np.array(by_time), min(settings.exemplars, len(by_time)))
    best = (max(part.tolist(), key=lambda s: (faces[s].quality, -rank[s])) for part in slices)
    return sorted(best, key=rank.__getitem__)


def compare(probes: Probes, people: People, stranger: float, cohort: Floats) -> Candidates:
    """All candidates of the probes; `stranger` is the cosine at false match rate 1e-3, `cohort` (K, D) `directions`."""
    if not len(probes.slots) or not people.ids:
        return Candidates(np.zeros(0, np.int64), np.zeros(0, np.int64), dict.fromkeys(GROUP_FEATURES, np.zeros(0)))
    found = [_compare(probes, block, people, stranger) for block in probes.blocks()]
    probe, person = (np.concatenate([f[i] for f in found]) for i in (0, 1))
    features = {name: np.concatenate([f[2][name] for f in found]) for name in found[0][2]}
    features["exemplars"] = np.log(people.counts)[person]
    features["years"] = _years(probes.taken[probe], person, people)
    group = probes.group[probe]
    features["face_cohort"] = familiar(probes.vectors, cohort)[probe]
    features["person_cohort"] = familiar(people.centroids, cohort)[person]
    features["group_cohort"] = familiar(probes.means, cohort)[group]
    features["group_size"] = np.log(probes.sizes[group])
    own, every = _named(probes, group, person, people)
    features["group_named"], features["group_other"] = np.log1p(own), (every > own).astype(np.float64)
    return Candidates(probe, person, features)


def _named(probes: Probes, group: Rows, person: Rows, people: People) -> tuple[Rows, Rows]:
    """How many faces of each pair's cluster (E,) are confirmed to be that person, and how many anybody."""
    pairs, inverse = np.unique(group * len(people.ids) + person, return_inverse=True)
    which = [(probes.named[pair // len(people.ids)], people.ids[pair % len(people.ids)]) for pair in pairs.tolist()]
    own = np.array([named.get(one, 0) for named, one in which], np.int64)
    return own[inverse], np.array([sum(named.values()) for named, _ in which], np.int64)[inverse]


def judge(candidates: Candidates, scale: Scale, models: Models) -> Pairs:
    """Log odds of the candidates in a library of this scale."""
    same = {"people": scale.people, "clusters": scale.clusters}
    features = {**candidates.features, **{name: np.full(len(candidates.probe), v) for name, v in same.items()}}
    classifier, group = logit(models.classifier, features), logit(models.group, features)
    return Pairs(candidates.probe, candidates.person, features, classifier, group)


def directions(cohort: Floats) -> Floats:
    """A pack's cohort (K, D) as unit vectors on the grid."""
    return snap(unit(cohort.astype(np.float64)))


def familiar(vectors: Floats, cohort: Floats) -> Doubles:
    """How usual faces (M, D) are: mean cosine to the nearest `directions` (K, D) of the cohort; 0 without a cohort."""
    if not len(cohort):
        return np.zeros(len(vectors))
    cosines = vectors @ cohort.T
    nearest = min(NEAREST, len(cohort))
    return np.asarray(np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1, dtype=np.float64))


def like(vectors: Floats, people: People) -> tuple[Doubles, Doubles, Doubles]:
    """Cosine of each vector (M, D) to each person's nearest exemplar and centroid (M, P), and their mean, the score."""
    nearest = np.maximum.reduceat(vectors @ people.vectors.T, people.starts, axis=1).astype(np.float64)
    centroid = (vectors @ people.centroids.T).astype(np.float64)
    return nearest, centroid, (nearest + centroid) / 2


def scored(people: People) -> Floats:
    """Vectors (E, D), none longer than one: the greatest product of a face with a person's is its score in `like`."""
    return (people.vectors + np.repeat(people.centroids, people.counts, axis=0)) * np.float32(0.5)


def assign(photos: Rows, pairs: Pairs, above: float) -> Rows:
    """For each probe of `photos` (M,) the number of the chosen pair, or -1 for nobody: a person is in a photo once.

    Probes of one photo get the assignment of the greatest sum of log odds (Hungarian method, scipy); nobody counts as
    the log odds of `above`, so what is less likely is left out.
    """
    gain = pairs.group - np.log(above / (1 - above))
    best = np.full(len(photos), -1, np.int64)
    likely = np.flatnonzero(gain >= 0)
    rising = likely[np.lexsort((-pairs.person[likely], gain[likely]))]
    best[pairs.probe[rising]] = rising  # the last one, which is the likeliest, stays
    chosen = np.flatnonzero(best >= 0)
    wanted = np.stack([photos[chosen], pairs.person[best[chosen]]])
    twice = np.unique(wanted, axis=1, return_counts=True)
    together = likely[np.isin(photos[pairs.probe[likely]], twice[0][0, twice[1] > 1])]
    together = together[np.argsort(photos[pairs.probe[together]], kind="stable")]
    for some in np.split(together, np.flatnonzero(np.diff(photos[pairs.probe[together]])) + 1):
        _share_out(some, pairs, gain, best)
    return best


def _share_out(some: Rows, pairs: Pairs, gain: Doubles, best: Rows) -> None:
    """Choose among the pairs of one photo, each person once; the result goes to `best`."""
    from scipy.optimize import linear_sum_assignment

    probes, row = np.unique(pairs.probe[some], return_inverse=True)
    people, column = np.unique(pairs.person[some], return_inverse=True)
    worth, number = np.zeros((len(probes), len(people))), np.full((len(probes), len(people)), -1)
    worth[row, column], number[row, column] = gain[some], some
    rows, columns = linear_sum_assignment(worth, maximize=True)
    best[probes] = -1
    best[probes[rows]] = np.where(worth[rows, columns] > 0, number[rows, columns], -1)


def _compare(probes: Probes, block: slice, people: People, stranger: float) -> tuple[Rows, Rows, dict[str, Doubles]]:
    """Probe rows, columns and the dense features of the candidates of one block."""
    allowed = _allowed(probes, block, people)
    nearest, centroid, score = like(probes.vectors[block], people)
    used, group = np.unique(probes.group[block], return_inverse=True)
    group_nearest, group_centroid, group_score = (x[group] for x in like(probes.means[used], people))
    row, column = np.nonzero(allowed & (np.maximum(score, group_score) > stranger))
    dense = {
        "nearest": nearest,
        "centroid": centroid,
        "margin": _margin(score, allowed, stranger),
        "group_nearest": group_nearest,
        "group_centroid": group_centroid,
        "group_margin": _margin(group_score, allowed, stranger),
    }
    return row + block.start, column, {name: values[row, column] for name, values in dense.items()}


def _allowed(probes: Probes, block: slice, people: People) -> Flags:
    """Whom the probes may be (M, P): nobody they were said not to be, or who wasn't born."""
    column = {person: c for c, person in enumerate(people.ids)}
    allowed = np.asarray(~(probes.taken[block, None] < people.born[None, :] - BORN_LATE))
    probe, person = probes.barred[(probes.barred[:, 0] >= block.start) & (probes.barred[:, 0] < block.stop)].T
    known = np.array([column.get(PersonId(one), -1) for one in person.tolist()], np.int64)
    allowed[probe[known >= 0] - block.start, known[known >= 0]] = False
    return allowed


def _margin(score: Doubles, allowed: Flags, floor: float) -> Doubles:
    """By how much each person (M, P) leads the best other allowed one, or `floor` where that is more."""
    score = np.where(allowed, score, -np.inf)
    best = score.argmax(axis=1)
    rows = np.arange(len(score))
    top = score[rows, best]
    without = score.copy()
    without[rows, best] = -np.inf
    second = without.max(axis=1)
    other = np.broadcast_to(np.maximum(top, floor)[:, None], score.shape).copy()
    other[rows, best] = np.maximum(second, floor)
    return np.where(allowed, score - other, 0)


def _years(taken: Doubles, person: Rows, people: People) -> Doubles:
    """log(1 + years) from each face (E,) to the nearest exemplar in time of a person (E,); 0 where unknown.

    Where the birth date is known, the time is measured in ages: |log((1 + age) / (1 + age of the exemplar))|, so that
    a year of an infant counts as much as ten of an adult.
    """
    found = np.zeros(len(person))
    for column in np.unique(person).tolist():
        rows = np.flatnonzero(person == column)
        gap = age_gap(taken[rows], people.taken[people.rows(column)], float(people.born[column]))
        found[rows] = np.where(np.isinf(gap), 0, gap)
    return found


def age_gap(taken: Doubles, exemplars: Doubles, born: float) -> Doubles:
    """How far each time (M,) is from the nearest of the exemplars' (E,), as `_years` measures; inf where unknown."""
    if np.isnan(born):
        gap = np.log1p(np.abs(taken[:, None] - exemplars[None, :]) / YEAR)
    else:
        ages, known = (np.log1p(np.maximum(t - born, 0) / YEAR) for t in (taken, exemplars))
        gap = np.abs(ages[:, None] - known[None, :])
    return np.asarray(np.where(np.isnan(gap), np.inf, gap).min(axis=1))
