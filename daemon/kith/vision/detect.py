"""Finding faces: the detectors' outputs as boxes, and at which scale to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from kith.geometry import SAME_FACE, box_of, edges, overlap
from kith.types import Box, Floats, Image

GRID = 32  # detectors want sides that are multiples of this
OVERLAP = 0.3
# where eyes, nose tip and mouth corners usually are in a face's box, in parts of its sides
USUAL = np.array([[0.31, 0.4], [0.69, 0.4], [0.5, 0.6], [0.34, 0.78], [0.66, 0.78]], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Faces in one picture, in its pixels.

    `boxes` (N, 4) are left, top, right, bottom, `scores` (N,) 0..1, `landmarks` (N, 5, 2) eyes, nose tip, mouth
    corners, the one at the left of the picture first; all float32.
    """

    boxes: Floats
    scores: Floats
    landmarks: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, which: Any) -> Detections:
        """Those that a mask or index array picks."""
        return Detections(self.boxes[which], self.scores[which], self.landmarks[which])

    def scaled(self, x: float, y: float) -> Detections:
        """The same faces in a picture stretched by `x` and `y`."""
        factor = np.array([x, y], np.float32)
        return Detections(self.boxes * np.tile(factor, 2), self.scores, self.landmarks * factor)

    @property
    def heights(self) -> Floats:
        return self.boxes[:, 3] - self.boxes[:, 1]


NONE = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


class DetectorSpec(Protocol):
    """What a detector's pack says about it."""

    @property
    def kind(self) -> str: ...
    @property
    def order(self) -> str: ...
    @property
    def mean(self) -> tuple[float, float, float]: ...
    @property
    def scale(self) -> float: ...


class Detector:
    """A detection model with its preprocessing and decoding."""

    def __init__(self, session: Any, spec: DetectorSpec) -> None:
        self.session = session
        self.spec = spec
        self._input = session.get_inputs()[0].name
        self._outputs = [output.name for output in session.get_outputs()]
        self._decode = DECODERS[spec.kind]

    def __call__(self, image: Image, min_score: float) -> Detections:
        """Faces of a BGR picture (H, W, 3) uint8 looked at in the size it has, best first."""
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(image, 0, -height % GRID, 0, -width % GRID, cv2.BORDER_CONSTANT)
        blob = cv2.dnn.blobFromImage(padded, self.spec.scale, mean=self.spec.mean, swapRB=self.spec.order == "rgb")
        outputs = dict(zip(self._outputs, self.session.run(None, {self._input: blob}), strict=True))
        return suppressed(self._decode(outputs, padded.shape[1], min_score))


def suppressed(found: Detections) -> Detections:
    """Non-maximum suppression: of boxes that overlap by more than OVERLAP only the best stays."""
    if not len(found):
        return found
    corner_size = np.column_stack([found.boxes[:, :2], found.boxes[:, 2:] - found.boxes[:, :2]])
    keep = cv2.dnn.NMSBoxes(corner_size.tolist(), found.scores.tolist(), 0.0, OVERLAP)
    return found.take(np.asarray(keep, np.int64).ravel())


def joined(*parts: Detections) -> Detections:
    """All faces of several looks at one picture, each once."""
    return suppressed(_together(parts))


def look(image: Image, detector: Detector, long_side: int, min_score: float) -> Detections:
    """Faces in pixels of `image`, looked at with its long side brought down to `long_side`, never up."""
    height, width = image.shape[:2]
    factor = min(1.0, long_side / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if factor < 1 else image
    return detector(small, min_score).scaled(width / size[0], height / size[1])


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for faces: scores 0..1, sides in pixels.

    A second look at `fine` follows the first at `coarse` when it can show more: a face or a mere hint of one (score
    from `hint_score`) smaller than `small` pixels in the first look, or `group` faces or more.
    """

    min_score: float
    hint_score: float
    coarse: int = 640
    fine: int = 1280
    small: float = 40.0
    group: int = 3
    turns: bool = True


def find(image: Image, detector: Detector, search: Search, *, upright: bool) -> Detections:
    """Faces of a BGR picture in its pixels.

    Where it isn't known to be `upright` and no face is seen surely, it is looked at on its sides too: a face that lies
    is often seen faintly, with wrong landmarks. The look that shows most wins.
    """
    hints = look(image, detector, search.coarse, search.hint_score)
    long_side = max(image.shape[:2])
    if long_side > search.coarse * 1.2 and worth_another_look(hints, long_side, search):
        hints = joined(hints, look(image, detector, search.fine, search.min_score))
    found = hints.take(hints.scores >= search.min_score)
    sure = len(found) > 0 and found.scores.max() >= (1 + search.min_score) / 2
    if sure or upright or not search.turns:
        return found
    looks = (found, *on_its_sides(image, detector, search))
    return max(looks, key=lambda seen: float(seen.scores.sum()))


def with_given(image: Image, found: Detections, given: Sequence[Box], detector: Detector, search: Search) -> Detections:
    """What was found, and a face for every given box that no found face covers.

    Such a face has the given box. Its landmarks come from a closer look at it, where a hint of a face lies in the box
    (its score is the hint's), or from where they usually are in a box (its score is 0).
    """
    height, width = image.shape[:2]
    sides = np.array([width, height, width, height], np.float32)
    seen = [box_of(*(float(v) for v in box / sides)) for box in found.boxes]
    missing = [box for box in given if not (seen and overlap([box], seen).max() >= SAME_FACE)]
    faces = [_in_box(image, corners, detector, search) for corners in edges(missing).astype(np.float32) * sides]
    return _together([found, *faces])


def _in_box(image: Image, box: Floats, detector: Detector, search: Search) -> Detections:
    """One face in a box (left, top, right, bottom) of a picture."""
    size = box[2:] - box[:2]
    left, top = np.clip(box[:2] - size, 0, None).astype(int)
    right, bottom = np.ceil(box[2:] + size).astype(int)
    near = image[top:bottom, left:right]
    points, score = box[:2] + USUAL * size, 0.0
    if near.size:
        hints = look(near, detector, search.coarse, search.hint_score)
        at = np.array([left, top], np.float32)
        hints = Detections(hints.boxes + np.tile(at, 2), hints.scores, hints.landmarks + at)
        middle = (hints.boxes[:, :2] + hints.boxes[:, 2:]) / 2
        inside = np.flatnonzero(((middle > box[:2]) & (middle < box[2:])).all(1))
        if len(inside):
            best = inside[hints.scores[inside].argmax()]
            points, score = hints.landmarks[best], float(hints.scores[best])
    return _float32([box], [score], [points])


def worth_another_look(hints: Detections, long_side: int, search: Search) -> bool:
    """Whether a finer look is likely to find more faces than the first."""
    sure = int((hints.scores >= search.min_score).sum())
    small = hints.heights * search.coarse / long_side < search.small
    return sure >= search.group or bool(small.any())


def on_its_sides(image: Image, detector: Detector, search: Search) -> tuple[Detections, Detections]:
    """Faces of a picture as seen after a quarter turn clockwise, and after one the other way; in its own pixels."""
    height, width = image.shape[:2]
    clockwise = look(cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE), detector, search.coarse, search.min_score)
    counter = look(cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE), detector, search.coarse, search.min_score)
    # a point (x, y) of the picture lies at (height - y, x) after a clockwise turn, at (y, width - x) after the other
    return (
        _turned_back(clockwise, lambda p: np.stack([p[..., 1], height - p[..., 0]], -1)),
        _turned_back(counter, lambda p: np.stack([width - p[..., 1], p[..., 0]], -1)),
    )


def _turned_back(found: Detections, back: Callable[[Floats], Floats]) -> Detections:
    corners = back(found.boxes.reshape(-1, 2, 2))
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
    return Detections(boxes, found.scores, back(found.landmarks))


def _boxes(centre: Floats, size: Floats) -> Floats:
    return np.concatenate([centre - size / 2, centre + size / 2], 1)


def decode_yunet(outputs: Mapping[str, Floats], width: int, min_score: float) -> Detections:
    """YuNet: W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", MIR 2023; OpenCV Zoo's model.

    Anchor-free at strides 8, 16, 32: cls_S, obj_S (1, n, 1), bbox_S (1, n, 4), kps_S (1, n, 10). The score is the
    geometric mean of class and objectness.
    """
    parts = []
    for stride in (8, 16, 32):
        cls, obj = (outputs[f"{name}_{stride}"].reshape(-1).clip(0, 1) for name in ("cls", "obj"))
        scores = np.sqrt(cls * obj)
        (i,) = np.nonzero(scores >= min_score)
        cell = np.stack([i % (width // stride), i // (width // stride)], 1).astype(np.float32)
        bbox = outputs[f"bbox_{stride}"].reshape(-1, 4)[i]
        kps = outputs[f"kps_{stride}"].reshape(-1, 5, 2)[i]
        boxes = _boxes((cell + bbox[:, :2]) * stride, np.exp(bbox[:, 2:]) * stride)
        parts.append(Detections(boxes, scores[i], (kps + cell[:, None]) * stride))
    return _together(parts)


def decode_scrfd(outputs: Mapping[str, Floats], width: int, min_score: float) -> Detections:
    """SCRFD: J. Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", ICLR 2022.

    Nine outputs in order: scores, box distances, landmark offsets, each at strides 8, 16, 32, two anchors a cell.
    """
    ordered = list(outputs.values())
    parts = []
    for level, stride in enumerate((8, 16, 32)):
        scores = ordered[level].reshape(-1)
        (i,) = np.nonzero(scores >= min_score)
        cell = i // 2
        origin = np.stack([cell % (width // stride), cell // (width // stride)], 1).astype(np.float32) * stride
        reach = ordered[3 + level].reshape(-1, 4)[i] * stride
        kps = ordered[6 + level].reshape(-1, 5, 2)[i] * stride
        boxes = np.concatenate([origin - reach[:, :2], origin + reach[:, 2:]], 1)
        parts.append(Detections(boxes, scores[i], kps + origin[:, None]))
    return _together(parts)


def decode_centerface(outputs: Mapping[str, Floats], width: int, min_score: float) -> Detections:
    """CenterFace: Y. Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2020.

    Four maps at stride 4, in order: heat (1, 1, h, w), log size and offset (1, 2, h, w; y first), landmarks
    (1, 10, h, w; y first, in units of the box from its corner).
    """
    heat, size, offset, points = (output[0] for output in outputs.values())
    row, column = np.nonzero(heat[0] >= min_score)
    extent = np.exp(size[:, row, column].T[:, ::-1]) * 4
    cell = np.stack([column, row], 1)
    centre = (cell + offset[:, row, column].T[:, ::-1] + 0.5) * 4
    corner = np.maximum(centre - extent / 2, 0)
    kps = points[:, row, column].T.reshape(-1, 5, 2)[:, :, ::-1]
    boxes = np.concatenate([corner, corner + extent], 1)
    return _float32(boxes, heat[0, row, column], kps * extent[:, None] + corner[:, None])


def _together(parts: Sequence[Detections]) -> Detections:
    return _float32(
        np.concatenate([p.boxes for p in parts]),
        np.concatenate([p.scores for p in parts]),
        np.concatenate([p.landmarks for p in parts]),
    )


def _float32(boxes: Any, scores: Any, landmarks: Any) -> Detections:
    return Detections(*(np.asarray(a, np.float32) for a in (boxes, scores, landmarks)))


DECODERS: Mapping[str, Callable[[Mapping[str, Floats], int, float], Detections]] = {
    "yunet": decode_yunet,
    "scrfd": decode_scrfd,
    "centerface": decode_centerface,
}
