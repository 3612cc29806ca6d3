"""Pure geometry of face boxes in the unit square of the displayed picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kith.types import Box

SAME_FACE = 0.5  # overlap from which two boxes on one photo are the same face
SAME_BOX = 0.95  # overlap from which they are the same box, rounded


def edges(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Corners of boxes as an array (N, 4): left, top, right, bottom."""
    a = np.array([(b.x, b.y, b.w, b.h) for b in boxes], np.float64).reshape(-1, 4)
    return np.concatenate([a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2], axis=1)


def box_of(left: float, top: float, right: float, bottom: float) -> Box:
    """The box between two corners, clipped to the frame."""
    left, right = (min(max(v, 0.0), 1.0) for v in (left, right))
    top, bottom = (min(max(v, 0.0), 1.0) for v in (top, bottom))
    return Box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


def overlap(a: Sequence[Box], b: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of every box of `a` with every box of `b`: shape (len(a), len(b)), 0..1."""
    p, q = edges(a)[:, None, :], edges(b)[None, :, :]
    size = np.minimum(p[..., 2:], q[..., 2:]) - np.maximum(p[..., :2], q[..., :2])
    inter = np.prod(np.maximum(size, 0), axis=-1)
    union = np.prod(p[..., 2:] - p[..., :2], axis=-1) + np.prod(q[..., 2:] - q[..., :2], axis=-1) - inter
    ratio: NDArray[np.float64] = np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
    return ratio
