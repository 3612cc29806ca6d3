"""From features to probabilities: two logistic models whose weights ship with the model pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kith.people.vectors import Doubles
from kith.types import Calibration

CLASSIFIER_FEATURES = (
    "nearest",
    "centroid",
    "margin",
    "exemplars",
    "years",
    "face_cohort",
    "person_cohort",
    "people",
    "clusters",
)
GROUP_FEATURES = (
    *CLASSIFIER_FEATURES,
    "group_nearest",
    "group_centroid",
    "group_margin",
    "group_cohort",
    "group_size",
    "group_named",
    "group_other",
)


@dataclass(frozen=True, slots=True)
class Models:
    """Weights of the two models by feature, "bias" included."""

    classifier: Mapping[str, float]
    group: Mapping[str, float]

    @classmethod
    def of(cls, calibration: Calibration) -> Models:
        """The pack's two models; a cautious one by cosine alone for each that the pack doesn't have.

        Raises ValueError for a weight of a feature that doesn't exist.
        """
        for weights, known in ((calibration.classifier, CLASSIFIER_FEATURES), (calibration.group, GROUP_FEATURES)):
            unknown = weights.keys() - {*known, "bias"}
            if unknown:
                raise ValueError(f"The calibration has weights of unknown features: {', '.join(sorted(unknown))}.")
        cautious = _by_cosine(calibration.cosine_fmr)
        return cls(calibration.classifier or cautious, calibration.group or cautious)


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
