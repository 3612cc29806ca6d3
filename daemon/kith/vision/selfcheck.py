"""Whether a pack tells people apart on this machine and these photos, before it is trusted with names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kith.errors import ModelCorrupt
from kith.types import Crop, Floats, PhotoId
from kith.vision import align

if TYPE_CHECKING:
    from kith.vision.packs import Pack

ENOUGH = 5  # photos with several faces that a judgement needs
FORGIVEN = 0.2  # part of these photos that may fail: posters, mirrors, twins, collages, things taken for faces
APART = 0.25  # how far different faces must be apart, in parts of the pack's own distance for one person
BLUR = 0.012  # standard deviation, in sides of the chip


def self_check(pack: Pack, samples: Sequence[tuple[PhotoId, Crop]]) -> bool:
    """True where the pack is to be trusted; False while there are too few photos with several faces to say.

    Of each face a mirrored, slightly blurred twin is made. The twin must be nearer to its face than to every other face
    of the same photo, and itself one person by the pack's own threshold; different faces must not all be alike. Raises
    ModelCorrupt where a pack fails: shuffled weights and wrong preprocessing do.
    """
    if not samples:
        return False
    faces, twins = _embedded(pack, samples, pack.manifest.embedder.size)
    if not np.isfinite(faces).all() or not np.isfinite(twins).all():
        raise _corrupt(pack, "it gives numbers that are none")
    similar = twins @ faces.T
    photos = np.array([photo for photo, _ in samples], np.int64)
    groups = [np.flatnonzero(photos == photo) for photo in np.unique(photos)]
    blocks = [similar[np.ix_(group, group)] for group in groups if len(group) > 1]
    if len(blocks) < ENOUGH:
        return False
    threshold = pack.calibration.cosine_fmr["1e-3"]
    if np.median(similar.diagonal()) < threshold:
        raise _corrupt(pack, "it doesn't know a face again in a mirror")
    if np.mean([not _twins_are_nearest(block) for block in blocks]) > FORGIVEN:
        raise _corrupt(pack, "it takes other people for a face's mirror image")
    if 1 - np.median([_between_faces(block) for block in blocks]) < APART * (1 - threshold):
        raise _corrupt(pack, "all people look the same to it")
    return True


def _twins_are_nearest(similar: Floats) -> bool:
    """Whether every twin (row) of one photo is most like its own face (column)."""
    return bool((similar.argmax(1) == np.arange(len(similar))).all())


def _between_faces(similar: Floats) -> float:
    """The median similarity of the different faces of one photo."""
    return float(np.median(similar[~np.eye(len(similar), dtype=bool)]))


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
