"""From features to probabilities: two logistic models whose weights ship with the model pack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from kith.types import Calibration

Doubles = NDArray[np.float64]

CLASSIFIER_FEATURES = ("nearest", "centroid", "cohort", "margin", "exemplars", "years")
GROUP_FEATURES = (
    *CLASSIFIER_FEATURES,
    "group_nearest",
    "group_centroid",
    "group_margin",
    "group_size",
    "group_named",
    "group_other",
)


class Models(TypedDict):
    classifier: Mapping[str, float]
    group: Mapping[str, float]


def models(calibration: Calibration) -> Models:
    """The pack's two models; a cautious one by cosine alone for each that the pack doesn't have.

    Raises ValueError for a weight of a feature that doesn't exist.
    """
    cautious = _by_cosine(calibration.cosine_fmr)
    for weights, known in ((calibration.classifier, CLASSIFIER_FEATURES), (calibration.group, GROUP_FEATURES)):
        unknown = weights.keys() - {*known, "bias"}
        if unknown:
            raise ValueError(f"The calibration has weights of unknown features: {', '.join(sorted(unknown))}.")
    return Models(classifier=calibration.classifier or cautious, group=calibration.group or cautious)


def logit(weights: Mapping[str, float], features: Mapping[str, Doubles]) -> Doubles:
    """Log odds of a logistic model: bias + sum of weight x feature, in the shape of the features."""
    total = sum(weight * features[name] for name, weight in weights.items() if name != "bias")
    return np.asarray(total + weights.get("bias", 0.0), np.float64)


def probability(log_odds: Doubles) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))), np.float64)


def _by_cosine(cosine_fmr: Mapping[str, float]) -> Mapping[str, float]:
    """Log odds -2 at FMR 1e-3 and +2 at 1e-5, by the centroid's cosine."""
    low, high = cosine_fmr["1e-3"], cosine_fmr["1e-5"]
    slope = 4 / max(high - low, 1e-6)
    return {"bias": -2 - slope * low, "centroid": slope}
