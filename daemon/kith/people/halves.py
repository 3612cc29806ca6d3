"""Some faces divided in two, for a person who says that they are two people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kith.people.vectors import Flags, snap, unit
from kith.types import FaceId, Floats

ROUNDS = 20  # after which what still changes hands is a matter of taste


def halves(ids: Sequence[FaceId], vectors: Floats) -> tuple[tuple[FaceId, ...], tuple[FaceId, ...]]:
    """The faces in two parts, each in the order given, the larger first; `vectors` (N, D) has a row for each.

    Two means on the sphere, begun with the face least like all and the one least like that (Gonzalez 1985). The second
    part is empty where there is nothing to tell them apart by.
    """
    second = _second(snap(vectors).astype(np.float64)) if len(ids) > 1 else np.zeros(len(ids), bool)
    if 2 * second.sum() > len(ids):
        second = ~second
    one, other = (tuple(face for face, here in zip(ids, mask, strict=True) if here) for mask in (~second, second))
    return one, other


def _second(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Flags:
    """Which rows (N,) are in the second part."""
    far = int((points @ points.mean(axis=0)).argmin())
    centres = points[[int((points @ points[far]).argmin()), far]]
    second = np.zeros(len(points), bool)
    for _ in range(ROUNDS):
        before, second = second, np.asarray(np.diff(points @ centres.T, axis=1)[:, 0] > 0)
        if (second == before).all() or second.all() or not second.any():
            break
        centres = unit(np.stack([points[~second].mean(axis=0), points[second].mean(axis=0)]))
    return second
