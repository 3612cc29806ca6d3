"""Who each unnamed face may be: the face and its whole group against the people already named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from kith.people.calibration import Doubles, logit, models, probability
from kith.people.index import Rows
from kith.people.settings import PeopleSettings
from kith.types import Calibration, Evidence, Floats, PersonId, Suggestion

AUTO_ABOVE = {"off": 2.0, "strict": 0.995, "wide": 0.98}  # a probability of 2 is never reached
BECAUSE = 3  # faces shown as the reason of a suggestion
COHORT = 500  # faces that tell how similar strangers usually are
BLOCK = 1024  # probes compared with all people at a time
YEAR = 365.25 * 86400

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """What is known of the named people: exemplar rows, sorted by person, and each person's mean direction.

    `rows` (E,), `starts` (P,) where each person's rows begin, `of` (E,) the person's column, `centroids` (P, D).
    """

    ids: tuple[PersonId, ...]
    rows: Rows
    starts: Rows
    of: Rows
    centroids: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some unnamed rows (M,), whom they may be (M, P), the features, each (M, P), and both log odds."""

    rows: Rows
    allowed: Flags
    features: Mapping[str, Doubles]
    classifier: Doubles
    group: Doubles


def known_people(faces: Sequence[Evidence], vectors: Floats, settings: PeopleSettings) -> People:
    """The named people in the order of their first faces, each with up to `exemplars` faces spread over time."""
    confirmed: dict[PersonId, list[int]] = defaultdict(list)
    for row, face in enumerate(faces):
        if face.person is not None:
            confirmed[face.person].append(row)
    chosen = [choose_exemplars(rows, faces, settings) for rows in confirmed.values()]
    counts = np.array([len(c) for c in chosen], np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1].astype(np.int64)
    rows = np.array([r for c in chosen for r in c], np.int64)
    if not len(rows):
        return People((), rows, starts, rows, vectors[:0])
    means = np.add.reduceat(vectors[rows].astype(np.float64), starts, axis=0)
    return People(
        tuple(confirmed), rows, starts, np.repeat(np.arange(len(counts)), counts), _unit(means).astype(np.float32)
    )


def choose_exemplars(rows: Sequence[int], faces: Sequence[Evidence], settings: PeopleSettings) -> list[int]:
    """Of one person's rows the best face of each equal slice of time; poor faces only where there is no better."""
    good = [r for r in rows if faces[r].quality >= settings.min_quality] or list(rows)
    by_time = sorted(good, key=lambda r: (faces[r].captured_at is None, faces[r].captured_at or 0.0, r))
    slices = np.array_split(np.array(by_time), min(settings.exemplars, len(by_time)))
    return sorted(int(max(s, key=lambda r: (faces[r].quality, -r))) for s in slices)


def match_faces(
    faces: Sequence[Evidence],
    vectors: Floats,
    clusters: Rows,
    calibration: Calibration,
    settings: PeopleSettings,
) -> dict[int, Suggestion]:
    """Suggestions by row. `clusters` (N,) are the groups of `grouping.group_faces`."""
    people = known_people(faces, vectors, settings)
    if not people.ids:
        return {}
    auto_above = AUTO_ABOVE[settings.auto] if calibration.measured else AUTO_ABOVE["off"]
    suggestions = {}
    for block in compare(faces, vectors, clusters, people, calibration):
        odds = np.where(block.allowed, block.group, -np.inf)
        chosen = assign([faces[r].photo for r in block.rows], odds, settings.suggest_above)
        for i in np.flatnonzero(chosen >= 0):
            row, column = int(block.rows[i]), int(chosen[i])
            by_face, by_group = probability(np.array([block.classifier[i, column], block.group[i, column]]))
            suggestions[row] = Suggestion(
                person=people.ids[column],
                probability_classifier=float(by_face),
                probability_group=float(by_group),
                auto=bool(by_group >= auto_above and faces[row].quality >= settings.min_quality),
                because=tuple(faces[r].id for r in _because(row, column, people, vectors)),
            )
    return suggestions


def compare(
    faces: Sequence[Evidence], vectors: Floats, clusters: Rows, people: People, calibration: Calibration
) -> Iterator[Block]:
    """All unnamed, not ignored faces against all people, photo by photo, in blocks."""
    both = models(calibration)
    stranger = calibration.cosine_fmr["1e-3"]
    cohort = vectors[:: max(1, len(vectors) // COHORT)]
    usual = _bulk(people.centroids @ cohort.T)
    groups = _Groups(faces, vectors, clusters, people)
    named_in_photo = defaultdict(set)
    column = {person: c for c, person in enumerate(people.ids)}
    for face in faces:
        if face.person is not None:
            named_in_photo[face.photo].add(column[face.person])
    for rows in _blocks_of_photos(faces):
        allowed = np.ones((len(rows), len(people.ids)), bool)
        for i, r in enumerate(rows):
            allowed[i, list(named_in_photo[faces[r].photo])] = False
            allowed[i, [column[p] for p in faces[r].rejected if p in column]] = False
        by_exemplar = vectors[rows] @ vectors[people.rows].T
        nearest = np.maximum.reduceat(by_exemplar, people.starts, axis=1).astype(np.float64)
        centroid = (vectors[rows] @ people.centroids.T).astype(np.float64)
        score = (nearest + centroid) / 2
        own = _bulk(vectors[rows] @ cohort.T)
        shape = score.shape
        features = {
            "nearest": nearest,
            "centroid": centroid,
            "cohort": (_standing(score, own, 1) + _standing(score, usual, 0)) / 2,
            "margin": _margin(score, allowed, stranger),
            "exemplars": np.broadcast_to(np.log(np.bincount(people.of)), shape).astype(np.float64),
            "years": _years([faces[r] for r in rows], [faces[r] for r in people.rows], people.starts),
            **groups.features(rows, allowed, stranger),
        }
        yield Block(rows, allowed, features, logit(both["classifier"], features), logit(both["group"], features))


class _Groups:
    """What each cluster says: its mean direction against all people, its size, and who of it is named."""

    def __init__(self, faces: Sequence[Evidence], vectors: Floats, clusters: Rows, people: People) -> None:
        self._of = np.unique(clusters, return_inverse=True)[1]
        size = np.bincount(self._of)
        mean = np.zeros((len(size), vectors.shape[1]))
        np.add.at(mean, self._of, vectors)
        self._size, self._mean = size, _unit(mean).astype(np.float32)
        self._people, self._exemplars = people, vectors[people.rows]
        column = {person: c for c, person in enumerate(people.ids)}
        self._named = np.zeros((len(size), len(people.ids)))
        for row, face in enumerate(faces):
            if face.person is not None:
                self._named[self._of[row], column[face.person]] += 1

    def features(self, rows: Rows, allowed: Flags, stranger: float) -> dict[str, Doubles]:
        """Each (M, P)."""
        of = self._of[rows]
        mean, named = self._mean[of], self._named[of]
        nearest = np.maximum.reduceat(mean @ self._exemplars.T, self._people.starts, axis=1).astype(np.float64)
        centroid = (mean @ self._people.centroids.T).astype(np.float64)
        size = np.log(self._size[of])[:, None]
        return {
            "group_nearest": nearest,
            "group_centroid": centroid,
            "group_margin": _margin((nearest + centroid) / 2, allowed, stranger),
            "group_size": np.broadcast_to(size, nearest.shape),
            "group_named": np.log1p(named),
            "group_other": ((named.sum(axis=1, keepdims=True) - named) > 0).astype(np.float64),
        }


def assign(photos: Sequence[int], odds: Doubles, above: float) -> Rows:
    """Column of each row of `odds` (M, P), or -1 for nobody: a person stands in a photo once.

    Rows of one photo get the assignment of the greatest sum of log odds (Hungarian method, scipy); nobody counts as
    the log odds of `above`, so what is less likely is left out.
    """
    gain = odds - np.log(above / (1 - above))
    best = np.argmax(gain, axis=1)
    best[gain[np.arange(len(gain)), best] < 0] = -1
    rows_of = defaultdict(list)
    for i, photo in enumerate(photos):
        if best[i] >= 0:
            rows_of[photo].append(i)
    for together in rows_of.values():
        if len(set(best[together].tolist())) < len(together):
            worth = np.maximum(gain[together], 0)
            some, columns = linear_sum_assignment(worth, maximize=True)
            best[together] = -1
            kept = worth[some, columns] > 0
            best[np.array(together)[some[kept]]] = columns[kept]
    return np.asarray(best)


def _because(row: int, column: int, people: People, vectors: Floats) -> Rows:
    """The person's exemplars most like the face, best first."""
    rows = people.rows[people.of == column]
    return np.asarray(rows[np.argsort(-(vectors[rows] @ vectors[row]), kind="stable")[:BECAUSE]])


def _blocks_of_photos(faces: Sequence[Evidence]) -> Iterator[Rows]:
    """Unnamed, not ignored rows in blocks that keep the faces of a photo together."""
    rows_of = defaultdict(list)
    for row, face in enumerate(faces):
        if face.person is None and not face.ignored:
            rows_of[face.photo].append(row)
    block: list[int] = []
    for rows in rows_of.values():
        block += rows
        if len(block) >= BLOCK:
            yield np.array(block)
            block = []
    if block:
        yield np.array(block)


def _margin(score: Doubles, allowed: Flags, floor: float) -> Doubles:
    """By how much each person (M, P) leads the best other allowed one, or `floor` where that is more."""
    score = np.where(allowed, score, -np.inf)
    padded = np.concatenate([score, np.full((len(score), 2), floor)], axis=1)
    top = -np.partition(-padded, 1, axis=1)[:, :2]
    other = np.where(score >= top[:, :1], top[:, 1:], top[:, :1])
    return np.where(allowed, score - other, 0)


def _bulk(cosines: Floats) -> tuple[Doubles, Doubles]:
    """Median and spread (scaled median deviation) of each row: robust against the few of the same person."""
    middle = np.median(cosines, axis=1)
    spread = 1.4826 * np.median(np.abs(cosines - middle[:, None]), axis=1)
    return middle.astype(np.float64), np.maximum(spread, 1e-3).astype(np.float64)


def _standing(score: Doubles, bulk: tuple[Doubles, Doubles], axis: int) -> Doubles:
    """`score` in spreads above the usual; `axis` is the one the bulk does not run along."""
    middle, spread = (np.expand_dims(b, axis) for b in bulk)
    return np.asarray((score - middle) / spread, np.float64)


def _years(probes: Sequence[Evidence], exemplars: Sequence[Evidence], starts: Rows) -> Doubles:
    """log(1 + years) from each probe to each person's nearest exemplar in time (M, P); 0 where a time is unknown."""
    at = np.array([np.nan if f.captured_at is None else f.captured_at for f in probes])
    known = np.array([np.nan if f.captured_at is None else f.captured_at for f in exemplars])
    gap = np.abs(at[:, None] - known[None, :])
    years = np.minimum.reduceat(np.where(np.isnan(gap), np.inf, gap), starts, axis=1) / YEAR
    return np.asarray(np.where(np.isinf(years), 0, np.log1p(years)))


def _unit(rows: Doubles) -> Doubles:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
