"""Figures of merit and their uncertainty: pure functions over arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DRAWS = 1000  # of the bootstrap


@dataclass(frozen=True, slots=True)
class BCubed:
    """BCubed precision, recall and F1 (Bagga and Baldwin 1998), and `drawn` F1 of other draws of the people (1000,)."""

    precision: float
    recall: float
    f1: float
    drawn: np.ndarray


def bcubed(truth: np.ndarray, groups: np.ndarray) -> BCubed:
    """How well `groups` (N,) agree with `truth` (N,), both labels of any kind."""
    people, truth = np.unique(truth, return_inverse=True)
    together, groups = np.unique(groups, return_inverse=True)
    table = np.zeros((len(people), len(together)))
    np.add.at(table, (truth, groups), 1)
    square = table**2
    precision = (square / table.sum(0)).sum(1)
    recall = (square / table.sum(1, keepdims=True)).sum(1)
    sums = np.stack([precision, recall, table.sum(1)], axis=1)
    p, r, _ = sums.sum(0) / len(truth)
    drawn = np.random.default_rng(0).multinomial(len(people), np.full(len(people), 1 / len(people)), DRAWS) @ sums
    ps, rs = drawn[:, 0] / drawn[:, 2], drawn[:, 1] / drawn[:, 2]
    return BCubed(float(p), float(r), float(2 * p * r / (p + r)), 2 * ps * rs / (ps + rs))


def interval(drawn: np.ndarray) -> tuple[float, float]:
    """The middle 95 %."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def wilson(right: float, count: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if not count:
        return 0.0, 1.0
    z, p = 1.96, right / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def share_of_people(right: np.ndarray, person: np.ndarray, named: np.ndarray) -> tuple[float, float, float]:
    """Share of `right` (M,) among names that `named` (M,) faces of `person` (M,), and its 95 % interval.

    Names of one person fail together: the interval is Wilson's, of as many independent names as would vary as much as
    these do among other draws of the people (Kish's effective size). Where all are right, or all wrong, nothing varies,
    and each person counts once.
    """
    share, worth = float(right.mean()), float(len(np.unique(person)))
    if 0 < share < 1:
        worth = min(len(right), share * (1 - share) / _drawn(right, person, named).var())
    return share, *wilson(share * worth, worth)


def _drawn(right: np.ndarray, person: np.ndarray, named: np.ndarray) -> np.ndarray:
    """Share of `right` in other draws of the people (1000,), where a name counts as often as both its people come.

    The vertex bootstrap of Snijders and Borgatti 1999: a person spoils the names of their own faces, and those of the
    faces that are taken for them.
    """
    people, both = np.unique(np.concatenate([person, named]), return_inverse=True)
    pairs, which = np.unique(both.reshape(2, -1), axis=1, return_inverse=True)
    many, good = np.bincount(which.ravel()), np.bincount(which.ravel(), right)
    drawn = np.random.default_rng(0).multinomial(len(people), np.full(len(people), 1 / len(people)), DRAWS)
    come = np.where(pairs[0] == pairs[1], drawn[:, pairs[0]], drawn[:, pairs[0]] * drawn[:, pairs[1]])
    total = come @ many
    return (come @ good)[total > 0] / total[total > 0]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Names given to faces, surest first: `score` (M,), whether `right` (M,), and how many there are to be found."""

    score: np.ndarray
    right: np.ndarray
    wanted: int

    @classmethod
    def of(cls, score: np.ndarray, right: np.ndarray, wanted: int) -> Ranking:
        order = np.argsort(-score, kind="stable")
        return cls(score[order], right[order], wanted)

    def precision(self) -> np.ndarray:
        """Precision (M,) if one stops after each."""
        return np.cumsum(self.right) / np.arange(1, len(self.right) + 1)

    def recall(self) -> np.ndarray:
        """Recall (M,) if one stops after each."""
        return np.cumsum(self.right) / self.wanted

    def recall_at(self, precision: float) -> float:
        """The most that can be found at this precision or better."""
        good = np.flatnonzero(self.precision() >= precision)
        return float(self.recall()[good[-1]]) if len(good) else 0.0

    def cut_at(self, precision: float) -> float:
        """The lowest score at which this precision is reached."""
        good = np.flatnonzero(self.precision() >= precision)
        return float(self.score[good[-1]]) if len(good) else np.inf

    def above(self, cut: float) -> tuple[float, float]:
        """Precision and recall of what scores so much or more."""
        taken = self.score >= cut
        return float(self.right[taken].mean()) if taken.any() else 1.0, float(self.right[taken].sum() / self.wanted)
