"""Which unanswered boxes are likely no faces, from what the user said is none: dogs, statues, patterns of leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kith.people.vectors import Doubles, Flags
from kith.types import Calibration, Floats

ENOUGH = 5  # not-a-face answers, and
ENOUGH_FACES = 20  # confirmed faces, without which nothing is filtered
NEAREST = 3  # answers of each kind that a box is compared with
NEVER_ABOVE = 0.5  # quality from which a box is shown whatever it looks like


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """What vision said of some boxes: unit `vectors` (N, D), detector `score` (N,) and `quality` (N,), both 0..1."""

    vectors: Floats
    score: Doubles
    quality: Doubles


def likely_none(not_faces: Boxes, faces: Boxes, unanswered: Boxes, calibration: Calibration) -> Flags:
    """Which of `unanswered` (N,) aren't worth showing; `faces` are confirmed ones.

    A box is left out only where it is like the user's not-a-face answers (false match rate 1e-4), more so than like
    confirmed faces, by more than the most misleading of these is, where the detector was no surer than of what turned
    out to be none, and where quality is poor. Nothing is left out before there are five such answers and twenty
    confirmed faces.
    """
    if len(not_faces.vectors) < ENOUGH or len(faces.vectors) < ENOUGH_FACES:
        return np.zeros(len(unanswered.vectors), bool)
    likeness = _near(unanswered.vectors, not_faces.vectors)
    leaning = likeness - _near(unanswered.vectors, faces.vectors)
    of_faces = _near(faces.vectors, not_faces.vectors) - _near(faces.vectors, faces.vectors, itself=True)
    doubtful = (unanswered.score <= not_faces.score.max()) & (unanswered.quality < NEVER_ABOVE)
    alike = likeness >= calibration.cosine_fmr["1e-4"]
    return np.asarray(doubtful & alike & (leaning > max(0.0, float(of_faces.max()))))


def _near(vectors: Floats, others: Floats, *, itself: bool = False) -> Doubles:
    """Mean cosine of each vector (N,) to the nearest of `others`; with `itself` these are the same, less itself."""
    cosines = (vectors @ others.T).astype(np.float64)
    if itself:
        np.fill_diagonal(cosines, -1)
    return np.asarray(-np.sort(-cosines, axis=1)[:, :NEAREST].mean(axis=1))
