"""How good a picture of a face is for recognising it, and whether a pack recognises anything at all."""

from __future__ import annotations

import cv2
import numpy as np

from kith.types import Floats, Image


def sharpness(chip: Image) -> float:
    """Edge energy of an aligned chip's middle relative to its contrast: variance of the Laplacian over variance."""
    side = chip.shape[0]
    grey = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)[side // 5 : -side // 5, side // 5 : -side // 5]
    grey = cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 25.0))


def judge(
    landmarks: Floats, template: Floats, chip: Image, score: float, norm: float, norms: tuple[float, float] | None
) -> float:
    """Quality 0..1 of a face."""
    return score


def ramp(value: float, worthless: float, good: float) -> float:
    """0 at `worthless`, 1 at `good` and beyond, straight between; `good` may be the smaller."""
    return float(np.clip((value - worthless) / (good - worthless), 0.0, 1.0))
