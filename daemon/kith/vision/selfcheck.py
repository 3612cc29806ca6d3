"""Whether a pack tells people apart on this machine and these photos, before it is trusted with names."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from kith.errors import ModelCorrupt
from kith.types import Crop, Floats, PhotoId
from kith.vision import align
from kith.vision.packs import Pack

SAMPLES = 200  # faces that are worth looking at
ENOUGH = 10  # faces with company in their photo that a judgement needs
FORGIVEN = 0.1  # part of the faces that may fail: people in posters, mirrors, twins, things taken for faces
BLUR = 0.012  # standard deviation, in sides of the chip


def self_check(pack: Pack, samples: Sequence[tuple[PhotoId, Crop]]) -> bool:
    """True where the pack is to be trusted; False while there are too few faces to say.

    Of each face a mirrored, slightly blurred twin is made. The twin must be nearer to its face than to every other face
    of the same photo; what is one person and what are two must lie on their sides of the pack's own threshold. Raises
    ModelCorrupt where a pack fails: shuffled weights and wrong preprocessing do.
    """
    if len(samples) < ENOUGH:
        return False
    size = pack.manifest.embedder.size
    faces, twins = _embedded(pack, samples, size)
    if not np.isfinite(faces).all() or not np.isfinite(twins).all():
        raise _corrupt(pack, "it gives numbers that are none")
    photos = np.array([photo for photo, _ in samples], np.int64)
    company = (photos[:, None] == photos) & ~np.eye(len(photos), dtype=bool)
    accompanied = company.any(1)
    similar = twins @ faces.T
    own = similar.diagonal()
    threshold = pack.calibration.cosine_fmr["1e-3"]
    if np.median(own) < threshold:
        raise _corrupt(pack, "it doesn't know a face again in a mirror")
    if accompanied.sum() < ENOUGH:
        return False
    nearest_other = np.where(company, similar, -1).max(1)[accompanied]
    if (nearest_other >= own[accompanied]).mean() > FORGIVEN or np.median(nearest_other) >= threshold:
        raise _corrupt(pack, "it doesn't tell people on one photo apart")
    return True


def _embedded(pack: Pack, samples: Sequence[tuple[PhotoId, Crop]], size: int) -> tuple[Floats, Floats]:
    """Embeddings (N, D) of the faces and of their twins."""
    cuts = [(align.opened(crop), crop.landmarks) for _, crop in samples]
    blurred = [(cv2.GaussianBlur(pixels, (0, 0), _blur(points, pack)), points) for pixels, points in cuts]
    mirrored = [align.mirrored(*cut) for cut in blurred]
    chips = [[align.chip(*cut, pack.template, size) for cut in row] for row in (cuts, mirrored)]
    return pack.embedder(chips[0])[0], pack.embedder(chips[1])[0]


def _blur(landmarks: Floats, pack: Pack) -> float:
    """BLUR in pixels of a cut."""
    chip = pack.manifest.embedder.size
    return max(0.1, BLUR * chip * align.eye_distance(landmarks) / align.eye_distance(pack.template))


def _corrupt(pack: Pack, why: str) -> ModelCorrupt:
    return ModelCorrupt(
        f"The model pack {pack.id} doesn't work on your photos: {why}. Nothing is named by it; install it again, or "
        "another one."
    )
