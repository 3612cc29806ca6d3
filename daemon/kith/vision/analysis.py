"""What a pack sees in a photo, from the file to faces with embeddings: one pure function."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from kith.geometry import box_of
from kith.types import Analysis, Box, Crop, Floats, FoundFace, Image
from kith.vision import align, quality
from kith.vision.decode import Picture, open_picture
from kith.vision.detect import Detections, Search, find, with_given
from kith.vision.packs import Pack
from kith.vision.settings import VisionSettings

ENOUGH_EYES = 0.8  # finer pixels are decoded for faces whose eyes are nearer than this part of the chip's


def analyse(
    path: Path | bytes, pack: Pack, settings: VisionSettings | None = None, given: Sequence[Box] = ()
) -> Analysis:
    """Faces of one photo as one pack sees them; a pure function of the file, the pack, the settings and `given`.

    `given` are boxes that somebody says hold a face: those that the pack doesn't see by itself are faces all the same.
    Raises FileVanished, PermissionDenied, PhotoTooLarge and PhotoUnreadable, each naming the file.
    """
    settings = settings or VisionSettings()
    watch = Stopwatch()
    with watch("read"):
        picture = open_picture(path, settings.limits)
    search = _search(pack, settings)
    with watch("decode"):
        image = picture.pixels(search.fine)
    with watch("detect"):
        found = find(image, pack.detector, search, upright=picture.oriented)
        found = _large_enough(found, image, search, settings.min_size)
        found = with_given(image, found, given, pack.detector, search)
    with watch("decode"):
        image, found = _fine_enough(image, found, picture, pack)
    with watch("align"):
        cuts = [align.cut(image, *face) for face in zip(found.boxes, found.landmarks, strict=True)]
        chips = [align.chip(*cut, pack.template, pack.manifest.embedder.size) for cut in cuts]
    with watch("embed"):
        embeddings, norms = pack.embedder(chips)
    with watch("judge"):
        crops = [align.crop(*cut) for cut in cuts]
        faces = _faces(image, found, crops, chips, embeddings, norms, picture, pack)
    return Analysis(
        pack.id, picture.width, picture.height, picture.orientation, picture.captured_at, faces, watch.seconds
    )


def embed_crops(crops: Sequence[Crop], pack: Pack) -> Floats:
    """Embeddings (N, D) of unit length, from stored crops alone. Raises PhotoUnreadable."""
    size = pack.manifest.embedder.size
    chips = [align.chip(align.opened(crop), crop.landmarks, pack.template, size) for crop in crops]
    return pack.embedder(chips)[0]


class Stopwatch:
    """Seconds by step; a step that runs twice adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start


def _search(pack: Pack, settings: VisionSettings) -> Search:
    table = pack.manifest.detector
    min_score = table.min_score if settings.min_score is None else settings.min_score
    return Search(min_score, min(table.hint_score, min_score), turns=settings.turned)


def _large_enough(found: Detections, image: Image, search: Search, min_size: float) -> Detections:
    """Faces at least `min_size` pixels wide and high as seen at the finest look, with their middle in the frame."""
    height, width = image.shape[:2]
    ratio = min(1.0, search.fine / max(height, width))
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).min(1) * ratio
    middle = (found.boxes[:, 2:] + found.boxes[:, :2]) / 2
    inside = ((middle >= 0) & (middle <= (width, height))).all(1)
    return found.take((sides >= min_size) & inside)


def _fine_enough(image: Image, found: Detections, picture: Picture, pack: Pack) -> tuple[Image, Detections]:
    """The picture decoded anew at a finer scale where the smallest face's chip would want for pixels."""
    side, full = max(image.shape[:2]), max(picture.width, picture.height)
    if not len(found) or side >= full:
        return image, found
    eyes = min(align.eye_distance(points) for points in found.landmarks)
    wanted = ENOUGH_EYES * align.eye_distance(pack.template) / max(eyes, 1e-6)
    if wanted <= 1:
        return image, found
    finer = picture.pixels(min(full, round(side * wanted)))
    return finer, found.scaled(finer.shape[1] / image.shape[1], finer.shape[0] / image.shape[0])


def _faces(
    image: Image,
    found: Detections,
    crops: Sequence[Crop],
    chips: Sequence[Image],
    embeddings: Floats,
    norms: Floats,
    picture: Picture,
    pack: Pack,
) -> tuple[FoundFace, ...]:
    height, width = image.shape[:2]
    frame = np.array([width, height], np.float32)
    ratio = max(picture.width, picture.height) / max(height, width)
    spec = pack.manifest.embedder
    faces = []
    for box, score, points, crop, chip, embedding, norm in zip(
        found.boxes, found.scores, found.landmarks, crops, chips, embeddings, norms, strict=True
    ):
        sides = quality.judge(points * ratio, pack.template, chip, float(score), float(norm), spec.norm_quality)
        faces.append(
            FoundFace(
                box_of(*(float(v) for v in box / np.tile(frame, 2))),
                points / frame,
                float(score),
                sides.quality,
                embedding,
                crop,
            )
        )
    return tuple(faces)
