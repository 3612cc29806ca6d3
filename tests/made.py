"""Made-up photos and faces for tests that need no pixels."""

from __future__ import annotations

import numpy as np

from kith.types import Analysis, Box, Crop, Floats, FoundFace

PACK = "made"
SAME = 0.5  # cosine from which two made faces are one person


def vector(seed: int, near: Floats | None = None, noise: float = 0.2, length: int = 32) -> Floats:
    """A unit vector; with `near`, one that lies close to it."""
    random = np.random.default_rng(seed).standard_normal(length).astype(np.float32)
    random /= np.linalg.norm(random)
    mixed = random if near is None else near + noise * random
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def face(box: Box, embedding: Floats, quality: float = 0.8) -> FoundFace:
    marks = np.array([[box.x, box.y]] * 5, np.float32)
    return FoundFace(box, marks, 0.9, quality, embedding, Crop(b"jpeg", marks))


def analysis(*faces: FoundFace, captured_at: float | None = None) -> Analysis:
    return Analysis(PACK, 3000, 2000, 1, captured_at, faces)
