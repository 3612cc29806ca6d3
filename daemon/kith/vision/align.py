"""From a face in a photo to the upright chip an embedder expects, and to the crop that is kept of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from kith.types import Crop, Floats, Image

CROP_SIDE = 256
CROP_REACH = 2.0
CROP_JPEG_QUALITY = 88
MIRRORED = (1, 0, 2, 4, 3)  # what left and right become in a mirror: eyes and mouth corners change places


def similarity(source: Floats, target: Floats) -> NDArray[np.float64]:
    """The rotation, scale and shift that best bring points (N, 2) onto others, as a 2x3 matrix.

    Least squares over similarities without reflection: S. Umeyama, "Least-squares estimation of transformation
    parameters between two point patterns", IEEE PAMI 13(4), 1991.
    """
    a, b = source.astype(np.float64), target.astype(np.float64)
    mean_a, mean_b = a.mean(0), b.mean(0)
    u, s, vt = np.linalg.svd((b - mean_b).T @ (a - mean_a) / len(a))
    sign = np.array([1.0, -1.0 if np.linalg.det(u @ vt) < 0 else 1.0])
    rotation = u @ np.diag(sign) @ vt
    scale = float(s @ sign) / max(float(a.var(0).sum()), 1e-12)
    return np.column_stack([scale * rotation, mean_b - scale * rotation @ mean_a])


def scale_of(matrix: NDArray[np.float64]) -> float:
    """By how much a similarity enlarges."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def residual(landmarks: Floats, template: Floats) -> float:
    """Root-mean-square distance of aligned landmarks (5, 2) from the template, in eye distances of the template.

    Near 0 for a frontal face, larger the more it is turned or nods.
    """
    matrix = similarity(landmarks, template)
    off = landmarks @ matrix[:, :2].T + matrix[:, 2] - template
    return float(np.sqrt((off**2).sum(1).mean()) / eye_distance(template))


def eye_distance(landmarks: Floats) -> float:
    """Pixels between the first two of five landmarks, the eyes."""
    return float(np.hypot(*(landmarks[1] - landmarks[0])))


def chip(image: Image, landmarks: Floats, template: Floats, size: int) -> Image:
    """The face, upright, as the embedder wants it: (size, size, 3) uint8, same channel order as `image`.

    Large faces are averaged down to about twice the chip first, so that fine detail doesn't alias.
    """
    matrix = similarity(landmarks, template)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    back = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    shrink = int(0.5 / max(scale_of(matrix), 1e-6))
    if shrink >= 2:
        height, width = image.shape[:2]
        left, top = np.clip(np.floor(back.min(0)), 0, (width - 1, height - 1)).astype(int)
        right, bottom = np.clip(np.ceil(back.max(0)), (left + 1, top + 1), (width, height)).astype(int)
        region = image[top:bottom, left:right]
        target = (max(1, round((right - left) / shrink)), max(1, round((bottom - top) / shrink)))
        image = cv2.resize(region, target, interpolation=cv2.INTER_AREA)
        ratio = np.array([target[0] / (right - left), target[1] / (bottom - top)])
        matrix = similarity(((landmarks - (left, top) + 0.5) * ratio - 0.5).astype(np.float32), template)
    warped: Image = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return warped


def crop(image: Image, box: Floats, landmarks: Floats) -> Crop:
    """The face cut out with generous surroundings.

    `box` is left, top, right, bottom in pixels of `image`. Sides are at most CROP_SIDE; small faces stay as they are.
    """
    height, width = image.shape[:2]
    reach = CROP_REACH * max(box[2] - box[0], box[3] - box[1]) / 2
    centre = (box[:2] + box[2:]) / 2
    left, top = np.clip(np.floor(centre - reach), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(centre + reach), (left + 1, top + 1), (width, height)).astype(int)
    region = image[top:bottom, left:right]
    ratio = min(1.0, CROP_SIDE / max(region.shape[:2]))
    target = (max(1, round(region.shape[1] * ratio)), max(1, round(region.shape[0] * ratio)))
    scale = np.array([target[0] / region.shape[1], target[1] / region.shape[0]])
    if ratio < 1:
        region = cv2.resize(region, target, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", region, [cv2.IMWRITE_JPEG_QUALITY, CROP_JPEG_QUALITY])
    return Crop(jpeg.tobytes(), ((landmarks - (left, top) + 0.5) * scale - 0.5).astype(np.float32))


def mirrored(image: Image, landmarks: Floats) -> tuple[Image, Floats]:
    """The picture and its five landmarks as a mirror shows them, image left still first."""
    flipped = landmarks[list(MIRRORED)].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped
