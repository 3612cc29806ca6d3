"""The pack's probabilities corrected by what the user's own answers showed: Platt's scaling on top of the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kith.people.vectors import Doubles

ENOUGH = 50  # answers below which the pack is believed as it is
ENOUGH_WRONG = 5  # of them suggestions that were wrong, without which there is nothing to tell a slope by
PRIOR = 25.0  # how much the pack's own odds weigh, in answers
SLOPES = (0.5, 1.5)
SHIFTS = (-4.0, 1.0)  # doubt is believed more readily than trust


@dataclass(frozen=True, slots=True)
class Outcome:
    """A suggestion that was answered: its log odds as the pack gave them, and whether it was right."""

    log_odds: float
    right: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """Log odds as the user's library has them: `slope` x the pack's + `shift`.

    It changes what is suggested and in which order. A name is given without asking only where both the pack's own and
    the corrected probability are high enough, so that a correction can make Kith more careful, never less.
    """

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, log_odds: Doubles) -> Doubles:
        return np.asarray(self.slope * log_odds + self.shift)


def refit(outcomes: Sequence[Outcome]) -> Correction:
    """The correction that makes these outcomes most likely, held back towards the pack's own odds.

    The pack stays as it is below 50 answers, 5 of them wrong and 5 right.
    """
    odds = np.array([o.log_odds for o in outcomes], np.float64)
    right = np.array([o.right for o in outcomes], np.float64)
    if len(odds) < ENOUGH or min(right.sum(), len(right) - right.sum()) < ENOUGH_WRONG:
        return Correction()
    from scipy.optimize import minimize

    def loss(line: Doubles) -> float:
        corrected = line[0] * odds + line[1]
        surprise = np.logaddexp(0, corrected) - right * corrected
        return float(surprise.sum() + PRIOR * ((line[0] - 1) ** 2 + (line[1] / 4) ** 2))

    best = minimize(loss, np.array([1.0, 0.0]), bounds=[SLOPES, SHIFTS], method="L-BFGS-B").x
    return Correction(round(float(best[0]), 4), round(float(best[1]), 4))
