"""How good a picture of a face is for recognising it: 0..1, as good as its weakest side."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kith.types import Floats, Image
from kith.vision import align

# What is worthless and what is good enough, for each side of quality; README.md tells how they were found.
EYES = (0.1, 0.5)  # distance of the eyes in the photo, in the eye distance of the embedder's chip
SHARPNESS = (0.004, 0.04)
POSE = (0.35, 0.15)  # residual of the landmarks, in eye distances
SCORE = (0.3, 0.8)


@dataclass(frozen=True, slots=True)
class Sides:
    """The sides of a face's quality, each 0..1; the face is as good as its weakest. `norm` is 1 where the model's
    norm says nothing.
    """

    eyes: float
    sharpness: float
    pose: float
    score: float
    norm: float

    @property
    def quality(self) -> float:
        return min(self.eyes, self.sharpness, self.pose, self.score, self.norm)


def judge(
    landmarks: Floats, template: Floats, chip: Image, score: float, norm: float, norms: tuple[float, float] | None
) -> Sides:
    """The sides of a face's quality.

    `landmarks` (5, 2) are in pixels of the photo at its full size, `template` (5, 2) in those of the aligned `chip`;
    `score` is the detector's; `norm` is the embedding's length before normalising, `norms` the lengths of worthless
    and of good faces where the model has such.
    """
    return Sides(
        eyes=ramp(align.eye_distance(landmarks) / align.eye_distance(template), *EYES),
        sharpness=ramp(sharpness(chip), *SHARPNESS),
        pose=ramp(align.residual(landmarks, template), *POSE),
        score=ramp(score, *SCORE),
        norm=1.0 if norms is None else ramp(norm, *norms),
    )


def sharpness(chip: Image) -> float:
    """Fine edges of an aligned chip's middle relative to its contrast: variance of the Laplacian over variance.

    J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000, made independent of contrast
    and of the chip's size.
    """
    margin = chip.shape[0] // 5
    middle = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)[margin:-margin, margin:-margin]
    grey = cv2.resize(middle, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 25.0))


def ramp(value: float, worthless: float, good: float) -> float:
    """0 at `worthless`, 1 at `good` and beyond, straight between; `good` may be the smaller."""
    return float(np.clip((value - worthless) / (good - worthless), 0.0, 1.0))
