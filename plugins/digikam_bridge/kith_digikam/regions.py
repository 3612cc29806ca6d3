"""digiKam's rectangles and boxes in the unit square of the displayed picture, and when one can't become the other.

digiKam keeps rectangles in pixels of the picture as it is displayed (EXIF orientation applied), and the size of the
picture as it is stored.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TURNED = frozenset((5, 6, 7, 8))  # EXIF orientations that are displayed a quarter turn from how they are stored
ASPECT = 0.02  # by how much the shape of a frame may differ through rounding, and through RAW borders
LEAST = 0.5  # part of a rectangle that must lie inside the frame


class Rect(NamedTuple):
    """A rectangle in displayed pixels."""

    left: int
    top: int
    width: int
    height: int


class Box(NamedTuple):
    """Centre and size as fractions of the displayed frame."""

    x: float
    y: float
    w: float
    h: float


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def turned(self) -> Size:
        """The size after a quarter turn."""
        return Size(self.height, self.width)


def parsed(value: str) -> Rect | None:
    """The rectangle in a value of ImageTagProperties; None where there is none with an area."""
    tag = re.search(r"<rect\b([^>]*)>", value or "")
    sides = dict(re.findall(r'(\w+)\s*=\s*"(-?\d+)(?:\.\d+)?"', tag[1])) if tag else {}
    if not {"x", "y", "width", "height"} <= sides.keys():
        return None
    rect = Rect(int(sides["x"]), int(sides["y"]), int(sides["width"]), int(sides["height"]))
    return rect if rect.width > 0 and rect.height > 0 else None


def written(rect: Rect) -> str:
    """A rectangle as digiKam writes it."""
    return f'<rect x="{rect.left}" y="{rect.top}" width="{rect.width}" height="{rect.height}"/>'


def frame(stored: Size | None, orientation: int, shown: Size) -> Size | None:
    """The displayed frame that digiKam's rectangles count in, for a picture that is `shown` in this size today.

    `stored` is the size that digiKam noted (None: not at all). None where the picture has another shape today: then it
    was cropped or turned since, and nobody knows where the faces went. One that was only made smaller or larger keeps
    its faces. Of RAW files digiKam may note either side first.
    """
    if stored is None or min(stored) <= 0:
        return shown
    usual = stored.turned if orientation in TURNED else stored
    either = (usual, usual.turned) if orientation in TURNED else (usual,)
    return next((size for size in either if _same_shape(size, shown)), None)


def _same_shape(a: Size, b: Size) -> bool:
    return abs(a.width * b.height - b.width * a.height) <= ASPECT * b.width * a.height


def box(rect: Rect, within: Size) -> Box | None:
    """A rectangle as a box, clipped to the frame; None where most of it lies outside."""
    left, right = max(rect.left, 0), min(rect.left + rect.width, within.width)
    top, bottom = max(rect.top, 0), min(rect.top + rect.height, within.height)
    inside = max(right - left, 0) * max(bottom - top, 0)
    if inside < LEAST * rect.width * rect.height:
        return None
    w, h = within
    return Box((left + right) / 2 / w, (top + bottom) / 2 / h, (right - left) / w, (bottom - top) / h)


def rect(place: Box, within: Size) -> Rect:
    """A box as a rectangle of whole pixels inside the frame; at least one pixel wide and high."""
    left = min(max(round((place.x - place.w / 2) * within.width), 0), within.width - 1)
    top = min(max(round((place.y - place.h / 2) * within.height), 0), within.height - 1)
    right = min(max(round((place.x + place.w / 2) * within.width), left + 1), within.width)
    bottom = min(max(round((place.y + place.h / 2) * within.height), top + 1), within.height)
    return Rect(left, top, right - left, bottom - top)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(a.x + a.w / 2, b.x + b.w / 2) - max(a.x - a.w / 2, b.x - b.w / 2)
    height = min(a.y + a.h / 2, b.y + b.h / 2) - max(a.y - a.h / 2, b.y - b.h / 2)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a.w * a.h + b.w * b.h - width * height)
