"""Drawn people, good enough for real face detectors: photos for tests and documents that show nobody.

drawn.py FOLDER    draws a small holiday with four people into FOLDER
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """How a drawn person looks; lengths in parts of half the face's width."""

    skin: Colour
    hair: Colour
    shirt: Colour
    iris: Colour = (70, 50, 40)
    width: float = 0.92
    eyes: float = 0.36
    long_hair: bool = False
    bald: bool = False
    beard: bool = False
    glasses: bool = False


LOOKS = {
    "Anna": Look((238, 196, 168), (96, 52, 28), (60, 90, 140), long_hair=True),
    "Bruno": Look((171, 122, 92), (24, 20, 20), (150, 70, 60), width=0.98, beard=True),
    "Clara": Look((246, 210, 186), (206, 160, 84), (70, 120, 90), iris=(60, 110, 150), width=0.86, glasses=True),
    "Otto": Look((232, 182, 152), (170, 170, 172), (90, 80, 110), iris=(90, 120, 90), width=1.0, bald=True, eyes=0.4),
}
REACH = 3.5  # how far a tilted person reaches to the sides, in halves of the face's width
SKY = (((200, 220, 240), (120, 150, 110)), ((236, 220, 196), (160, 130, 110)), ((180, 196, 214), (206, 190, 160)))

# EXIF orientation -> what turns the displayed picture into the stored one
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def darker(colour: Colour, factor: float) -> Colour:
    return tuple(int(c * factor) for c in colour)  # type: ignore[return-value]


class Pen:
    """Draws in the coordinates of one face: its middle is (0, 0), half its width is 1."""

    def __init__(self, picture: Image.Image, centre: Point, unit: float) -> None:
        self.draw, self.centre, self.unit = ImageDraw.Draw(picture), centre, unit

    def at(self, x: float, y: float) -> Point:
        return self.centre[0] + x * self.unit, self.centre[1] + y * self.unit

    def box(self, x: float, y: float, a: float, b: float) -> list[Point]:
        return [self.at(x - a, y - b), self.at(x + a, y + b)]

    def ellipse(self, x: float, y: float, a: float, b: float, fill: Colour) -> None:
        self.draw.ellipse(self.box(x, y, a, b), fill=fill)

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        self.draw.polygon([self.at(*p) for p in points], fill=fill)

    def arc(self, x: float, y: float, a: float, b: float, span: Point, fill: Colour, width: float) -> None:
        self.draw.arc(self.box(x, y, a, b), *span, fill=fill, width=max(1, round(width * self.unit)))


def person(picture: Image.Image, centre: Point, unit: float, look: Look) -> None:
    """Draw a person whose face has its middle at `centre` and half its width `unit` pixels."""
    pen = Pen(picture, centre, unit)
    _body(pen, look)
    _head(pen, look)
    _features(pen, look)
    if look.glasses:
        for side in (-1, 1):
            pen.arc(side * look.eyes, 0.0, 0.29, 0.25, (0, 360), (40, 40, 46), 0.05)
        pen.arc(0, 0.0, 0.09, 0.06, (180, 360), (40, 40, 46), 0.05)


def _body(pen: Pen, look: Look) -> None:
    if look.long_hair:
        pen.draw.rounded_rectangle([pen.at(-1.15, -0.6), pen.at(1.15, 1.75)], radius=pen.unit * 0.6, fill=look.hair)
    pen.polygon([(-0.45, 0.8), (0.45, 0.8), (0.55, 1.9), (-0.55, 1.9)], darker(look.skin, 0.84))
    pen.draw.rounded_rectangle([pen.at(-1.9, 1.6), pen.at(1.9, 6)], radius=pen.unit * 1.1, fill=look.shirt)
    pen.polygon([(-0.5, 1.55), (0.5, 1.55), (0, 2.1)], darker(look.skin, 0.84))


def _head(pen: Pen, look: Look) -> None:
    if not look.bald:
        pen.ellipse(0, -0.25, look.width + 0.16, 1.22, look.hair)
    for side in (-1, 1):
        pen.ellipse(side * (look.width + 0.03), 0.08, 0.15, 0.26, look.skin)
    pen.ellipse(0, 0.05, look.width, 1.15, look.skin)
    if look.beard:
        pen.polygon(
            [(-0.84, 0.3), (-0.6, 0.95), (0, 1.28), (0.6, 0.95), (0.84, 0.3), (0.5, 0.52), (-0.5, 0.52)], look.hair
        )
    w = look.width
    fringe = [
        (-w, -0.3),
        (-w * 0.86, -1.0),
        (0, -1.32),
        (w * 0.86, -1.0),
        (w, -0.3),
        (w * 0.66, -0.62),
        (-w * 0.66, -0.68),
    ]
    if not look.bald:
        pen.polygon(fringe, look.hair)


def _features(pen: Pen, look: Look) -> None:
    brow = look.hair if not look.bald else darker(look.hair, 0.8)
    for side in (-1, 1):
        x = side * look.eyes
        pen.ellipse(x, -0.02, 0.19, 0.11, (250, 250, 248))
        pen.ellipse(x, -0.02, 0.095, 0.105, look.iris)
        pen.ellipse(x, -0.02, 0.05, 0.055, (10, 10, 10))
        pen.ellipse(x + 0.03, -0.05, 0.02, 0.02, (255, 255, 255))
        pen.arc(x, -0.01, 0.22, 0.15, (200, 340), darker(look.skin, 0.45), 0.035)
        pen.arc(x, -0.18, 0.27, 0.18, (205, 335), brow, 0.075)
        pen.ellipse(side * 0.09, 0.42, 0.05, 0.035, darker(look.skin, 0.55))
        pen.ellipse(side * 0.5, 0.4, 0.2, 0.14, (min(255, look.skin[0] + 5), *darker(look.skin, 0.93)[1:]))
    pen.polygon([(-0.06, 0), (0.06, 0), (0.17, 0.4), (0, 0.47), (-0.17, 0.4)], darker(look.skin, 0.93))
    pen.ellipse(0, 0.72, 0.34, 0.12, (176, 86, 82))
    pen.draw.line([pen.at(-0.33, 0.71), pen.at(0.33, 0.71)], fill=(110, 45, 45), width=max(2, round(0.03 * pen.unit)))


@dataclass(frozen=True)
class Pose:
    """Where a person of a photo is: the middle of the face, half its width, and how far it is tilted (degrees)."""

    name: str
    centre: Point
    unit: float
    tilt: float

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the face, in pixels of the displayed photo."""
        x, y = self.centre
        return round(x - self.unit), round(y - 1.1 * self.unit), round(2 * self.unit), round(2.3 * self.unit)


def poses(names: Sequence[str], size: tuple[int, int] = (1500, 1000), seed: int = 0) -> list[Pose]:
    """Where the people on a photo of this seed are, from left to right."""
    return _planned(names, size, seed)[1]


def _planned(names: Sequence[str], size: tuple[int, int], seed: int) -> tuple[tuple[Colour, Colour], list[Pose]]:
    chance = random.Random(seed)
    width, height = size
    sky = chance.choice(SKY)
    column = width / len(names)
    found = []
    for i, name in enumerate(names):
        unit = min(column * 0.24, height * 0.18) * chance.uniform(0.85, 1.0)
        centre = (column * (i + 0.5) + chance.uniform(-0.04, 0.04) * column, height * chance.uniform(0.4, 0.5))
        found.append(Pose(name, centre, unit, chance.uniform(-7, 7)))
    return sky, found


def photo(names: Sequence[str], size: tuple[int, int] = (1500, 1000), seed: int = 0) -> Image.Image:
    """A photo of some of LOOKS side by side, a little different for each seed."""
    (top, bottom), people = _planned(names, size, seed)
    width, height = size
    gradient = Image.linear_gradient("L").resize(size)
    picture = Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), gradient)
    for pose in people:
        tilted, corner = _tilted(pose, height)
        picture.paste(tilted, corner, mask=tilted.getchannel("A"))
    return picture.filter(ImageFilter.GaussianBlur(width / 1400))


def _tilted(pose: Pose, height: int) -> tuple[Image.Image, tuple[int, int]]:
    """A person on a layer no larger than need be, and where its corner lies in a picture of some height."""
    (x, y), reach = pose.centre, math.ceil(REACH * pose.unit)
    left, top = math.floor(x) - reach, math.floor(y) - reach
    layer = Image.new("RGBA", (2 * reach, math.ceil(y + math.hypot(height - y, reach)) - top))
    centre = x - left, y - top
    person(layer, centre, pose.unit, LOOKS[pose.name])
    return layer.rotate(pose.tilt, Image.Resampling.BICUBIC, center=centre), (left, top)


def save(picture: Image.Image, path: Path, taken: datetime = datetime(2024, 7, 1, 12), orientation: int = 1) -> Path:
    """Store a displayed picture as a camera held in that orientation would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    turn = STORED[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0x9003] = taken.strftime("%Y:%m:%d %H:%M:%S")
    (picture if turn is None else picture.transpose(turn)).save(path, quality=92, exif=exif)
    return path


def holiday(folder: Path, photos: int = 16, seed: int = 1) -> dict[Path, list[str]]:
    """A folder of photos of the four, in changing company, in all orientations; gives who is on which photo."""
    chance = random.Random(seed)
    start = datetime(2024, 7, 1, 9)
    saved = {}
    for i in range(photos):
        names = chance.sample(sorted(LOOKS), chance.choice((1, 2, 2, 3)))
        picture = photo(names, seed=seed * 1000 + i)
        taken = start + timedelta(hours=5 * i)
        saved[save(picture, folder / f"{taken:%m-%d}" / f"DSC{i + 1:04}.jpg", taken, i % 8 + 1)] = names
    return saved


if __name__ == "__main__":
    holiday(Path(sys.argv[1]))
