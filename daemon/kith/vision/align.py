"""From a face in a photo to the upright chip an embedder expects, and to the crop that is kept of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from kith.errors import PhotoUnreadable
from kith.types import Crop, Floats, Image

CUT_SIDE = 256
CUT_REACH = 2.0  # in longer sides of the face's box
JPEG = (88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420)
FINE_JPEG = (95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
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


def cut(image: Image, box: Floats, landmarks: Floats) -> tuple[Image, Floats]:
    """The part of a picture around a face, its long side at most CUT_SIDE, and the landmarks (5, 2) in its pixels.

    `box` is left, top, right, bottom in pixels of `image`. Faces are embedded from this and nothing else, so that a
    stored crop gives the embedding that the photo gave, but for JPEG's losses.
    """
    height, width = image.shape[:2]
    reach = CUT_REACH * max(box[2] - box[0], box[3] - box[1]) / 2
    centre = (box[:2] + box[2:]) / 2
    left, top = np.clip(np.floor(centre - reach), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(centre + reach), (left + 1, top + 1), (width, height)).astype(int)
    region = image[top:bottom, left:right]
    ratio = min(1.0, CUT_SIDE / max(region.shape[:2]))
    size = (max(1, round((right - left) * ratio)), max(1, round((bottom - top) * ratio)))
    scale = np.array(size) / (right - left, bottom - top)
    pixels = cv2.resize(region, size, interpolation=cv2.INTER_AREA) if ratio < 1 else region
    return pixels, ((landmarks - (left, top) + 0.5) * scale - 0.5).astype(np.float32)


def chip(pixels: Image, landmarks: Floats, template: Floats, size: int) -> Image:
    """The face, upright, as the embedder wants it: (size, size, 3) uint8, from a cut and the landmarks in it."""
    warped: Image = cv2.warpAffine(pixels, similarity(landmarks, template), (size, size), flags=cv2.INTER_LINEAR)
    return warped


def crop(pixels: Image, landmarks: Floats) -> Crop:
    """A cut as it is stored; small ones are spared JPEG's losses, for they have no detail to lose."""
    quality, sampling = FINE_JPEG if max(pixels.shape[:2]) <= CUT_SIDE * 3 // 4 else JPEG
    how = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return Crop(cv2.imencode(".jpg", pixels, how)[1].tobytes(), landmarks)


def opened(crop: Crop) -> Image:
    """A stored crop's pixels, BGR. Raises PhotoUnreadable."""
    pixels: Image | None = cv2.imdecode(np.frombuffer(crop.jpeg, np.uint8), cv2.IMREAD_COLOR) if crop.jpeg else None
    if pixels is None:
        raise PhotoUnreadable("A stored face crop can't be read; scan its photo again.")
    return pixels


def mirrored(image: Image, landmarks: Floats) -> tuple[Image, Floats]:
    """The picture and its five landmarks as a mirror shows them, image left still first."""
    flipped = landmarks[list(MIRRORED)].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped
