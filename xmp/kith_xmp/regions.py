"""Faces in a photo: where they are, and the five ways in which files say so.

Files keep boxes as fractions of the STORED pixels, before EXIF orientation; a `Region` is a box in the DISPLAYED
frame. Sources: MWG Guidelines 2.0 section 5.9; files of all eight orientations by Lightroom; IPTC Photo Metadata
Standard 2021.1 (ImageRegion); exiftool's `acdsee.config` and `picasa_faces.config`.
"""

from __future__ import annotations

import configparser
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kith_xmp import names
from kith_xmp.packet import (
    Element,
    Packet,
    array,
    field_element,
    items,
    text_field,
    value,
)
from kith_xmp.schema import REGION_INFO, REGIONS, tag
from kith_xmp.settings import Settings

Box = tuple[float, float, float, float]

# What a photo shows is far less; what a file may claim is not.
LIMIT_FACES: Final = 1000
SAME_FACE: Final = 0.5
SAME_BOX: Final = 0.9
_STALE_ASPECT: Final = 0.02
_FULL_FRAME: Final = 0.999
_HUMAN: Final = re.compile(r"(?:human|person|face)\w*$", re.IGNORECASE)
_RECT64: Final = re.compile(r"rect64\(([0-9a-fA-F]{1,16})\),([0-9a-fA-F]{1,16})")


@dataclass(frozen=True, slots=True)
class Frame:
    """A photo's stored pixels, and the EXIF orientation 1..8 in which they are shown; None: the photo says none."""

    width: int
    height: int
    orientation: int | None = 1

    @property
    def turn(self) -> int:
        """The orientation; what is missing or invalid is 1."""
        return self.orientation if self.orientation is not None and 1 <= self.orientation <= 8 else 1

    @property
    def displayed(self) -> tuple[int, int]:
        """Width and height as shown."""
        return (self.height, self.width) if self.turn >= 5 else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class Region:
    """A face: centre (x, y) and size (w, h) as fractions of the displayed frame, and whose it is.

    `source` is the schema it was read from, `index` its place in that schema's list, `label` the name to the letter
    where it stands for nobody. `guess` says that Kith wrote the name without having been told.
    """

    name: str | None
    x: float
    y: float
    w: float
    h: float
    source: str = "mwg-rs"
    type: str | None = "Face"
    index: int = -1
    label: str = ""
    guess: bool = False

    @property
    def box(self) -> Box:
        """Centre and size."""
        return self.x, self.y, self.w, self.h


@dataclass(frozen=True, slots=True)
class RegionList:
    """One schema's list: the faces with a box, the names without one, and how many entries there are in all.

    Of more than `LIMIT_FACES` faces only the first are read.
    """

    regions: tuple[Region, ...] = ()
    names: tuple[str, ...] = ()
    size: int = 0
    present: bool = False
    stale: bool = False


def displayed(box: Box, orientation: int) -> Box:
    """A box of the stored pixels as it is shown; both as centre and size in fractions."""
    x, y, w, h = box
    across, down = 1 - x, 1 - y
    centre = {
        1: (x, y),
        2: (across, y),
        3: (across, down),
        4: (x, down),
        5: (y, x),
        6: (down, x),
        7: (down, across),
        8: (y, across),
    }[orientation]
    return (*centre, h, w) if orientation >= 5 else (*centre, w, h)


def stored(box: Box, orientation: int) -> Box:
    """A displayed box in the stored pixels: the inverse of `displayed`."""
    return displayed(box, {6: 8, 8: 6}.get(orientation, orientation))


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    w = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    h = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    inter = max(w, 0.0) * max(h, 0.0)
    union = a[2] * a[3] + b[2] * b[3] - inter
    return inter / union if union > 0 else 0.0


def clip(box: Box) -> Box | None:
    """The part of a box that lies in the frame; None for what is empty, no number, or the whole frame."""
    if not all(math.isfinite(v) for v in box) or box[2] <= 0 or box[3] <= 0:
        return None
    left, right = max(box[0] - box[2] / 2, 0.0), min(box[0] + box[2] / 2, 1.0)
    top, bottom = max(box[1] - box[3] / 2, 0.0), min(box[1] + box[3] / 2, 1.0)
    w, h = right - left, bottom - top
    if w <= 0 or h <= 0 or (w >= _FULL_FRAME and h >= _FULL_FRAME):
        return None
    if (left, right) == (box[0] - box[2] / 2, box[0] + box[2] / 2) and (top, bottom) == (
        box[1] - box[3] / 2,
        box[1] + box[3] / 2,
    ):
        return box
    return (left + right) / 2, (top + bottom) / 2, w, h


def snap(box: Box, frame: Frame) -> Box:
    """A displayed box with its edges on whole stored pixels inside the frame, at least one pixel each way."""
    if frame.width < 1 or frame.height < 1:
        return box
    x, y, w, h = stored(box, frame.turn)
    left, right = _snap(x, w, frame.width)
    top, bottom = _snap(y, h, frame.height)
    fractions = (
        (left + right) / 2 / frame.width,
        (top + bottom) / 2 / frame.height,
        (right - left) / frame.width,
        (bottom - top) / frame.height,
    )
    return displayed(fractions, frame.turn)


def _snap(centre: float, size: float, pixels: int) -> tuple[int, int]:
    low = min(max(math.floor((centre - size / 2) * pixels + 0.5), 0), pixels - 1)
    high = min(max(math.floor((centre + size / 2) * pixels + 0.5), low + 1), pixels)
    return low, high


def orientation_of(packet: Packet) -> int | None:
    """The packet's tiff:Orientation, for photos that have none of their own."""
    text = packet.text(tag("tiff:Orientation")) or ""
    return int(text) if re.fullmatch(r"[1-8]", text.strip()) else None


def combine(lists: Sequence[RegionList], frame: Frame) -> tuple[Region, ...]:
    """The faces of several schemas, the more trusted first: each face once.

    The first schema that has a face wins; a face without a name takes it from the next that has one. An MP box that
    equals a face's box only when orientation is forgotten was written before a program learned about orientation:
    it is that face, not another, unless the same schema has that face in its right place too.
    """
    found: list[Region] = list(lists[0].regions) if lists else []
    for more in lists[1:]:
        for region in more.regions:
            twin = next((i for i, f in enumerate(found) if overlap(f.box, region.box) >= SAME_FACE), None)
            if twin is None:
                unturned = stored(region.box, frame.turn)
                elsewhere = [f for f in found if f.source != region.source and not _is_among(f, more.regions)]
                if not any(overlap(f.box, unturned) >= SAME_BOX for f in elsewhere):
                    found.append(region)
            elif found[twin].name is None and not found[twin].label and region.name:
                found[twin] = replace(found[twin], name=region.name)
    return tuple(found)


def _is_among(face: Region, regions: Iterable[Region]) -> bool:
    return any(overlap(face.box, r.box) >= SAME_FACE for r in regions)


def read_mwg(packet: Packet, frame: Frame, settings: Settings) -> RegionList:
    """mwg-rs:Regions: what digiKam, Lightroom, exiftool and iPhones write, and what Kith writes."""
    return _areas(packet.element(REGIONS), "mwg-rs", frame, settings)


def read_acdsee(packet: Packet, frame: Frame, settings: Settings) -> RegionList:
    """acdsee-rs:Regions; faces whose name the user denied are left out."""
    return _areas(packet.element(tag("acdsee-rs:Regions")), "acdsee-rs", frame, settings)


def _areas(regions: Element | None, prefix: str, frame: Frame, settings: Settings) -> RegionList:
    """The two schemas with an AppliedToDimensions and a RegionList of centre-and-size areas."""
    if regions is None:
        return RegionList()
    ours = prefix == "mwg-rs"
    dimensions, area = ("stDim", "stArea") if ours else ("acdsee-stDim", "acdsee-stArea")
    applied = _applied(regions, prefix, dimensions)
    entries = list_entries(regions, f"{prefix}:RegionList")
    stale = _is_stale(applied, frame)
    found: list[Region] = []
    lost: list[str] = []
    for i, entry in enumerate(entries):
        kind = text_field(entry, tag(f"{prefix}:Type"))
        if kind and kind.strip().casefold() != "face":
            continue
        if (text_field(entry, tag(f"{prefix}:NameAssignType")) or "").casefold() == "denied":
            continue
        box = None if stale else _area(entry, prefix, area, applied, frame)
        _collect(found, lost, _named(text_field(entry, tag(f"{prefix}:Name")), box, prefix, i, settings))
    return RegionList(tuple(found), tuple(lost), len(entries), True, stale)


def list_entries(regions: Element, name: str) -> list[Element]:
    """The entries of the list `name` (`prefix:local`) inside a regions structure."""
    region_list = field_element(regions, tag(name))
    return [] if region_list is None else items(region_list)


def _applied(regions: Element, prefix: str, dimensions: str) -> tuple[float, float] | None:
    size = field_element(regions, tag(f"{prefix}:AppliedToDimensions"))
    if size is None:
        return None
    w, h = (_number(text_field(size, tag(f"{dimensions}:{side}"))) for side in "wh")
    return (w, h) if w > 0 and h > 0 else None


def _is_stale(applied: tuple[float, float] | None, frame: Frame) -> bool:
    """Whether boxes were drawn on a picture of another shape (cropped since): neither stored nor transposed."""
    if applied is None or frame.width < 1 or frame.height < 1:
        return False
    aspect, own = applied[0] / applied[1], frame.width / frame.height
    slack = _STALE_ASPECT + 1 / min(*applied, frame.width, frame.height)
    return all(abs(aspect / a - 1) > slack for a in (own, 1 / own))


def _area(entry: Element, prefix: str, area: str, applied: tuple[float, float] | None, frame: Frame) -> Box | None:
    """The displayed box of an entry; None where there is none to trust."""
    kinds = ("Area",) if prefix == "mwg-rs" else ("DLYArea", "ALGArea")
    node = next((n for k in kinds if (n := field_element(entry, tag(f"{prefix}:{k}"))) is not None), None)
    if node is None:
        return None
    x, y, w, h = (_number(text_field(node, tag(f"{area}:{f}"))) for f in "xywh")
    pixels = (text_field(node, tag(f"{area}:unit")) or "").strip().casefold() == "pixel"
    across, down = applied or (frame.width, frame.height)
    diameter = _number(text_field(node, tag(f"{area}:d")))
    if math.isnan(w) and diameter > 0 and across > 0 and down > 0:
        short = 1.0 if pixels else min(across, down)
        w, h = (diameter * short, diameter * short) if pixels else (diameter * short / across, diameter * short / down)
    if pixels:
        if not applied:
            return None
        x, y, w, h = x / across, y / down, w / across, h / down
    part = clip((x, y, w, h))
    return None if part is None else displayed(part, frame.turn)


def read_microsoft(packet: Packet, frame: Frame, settings: Settings) -> RegionList:
    """MP:RegionInfo, of Windows Photo Gallery and digiKam: top-left and size, and people without a rectangle."""
    info = packet.element(REGION_INFO)
    if info is None:
        return RegionList()
    entries = list_entries(info, "MPRI:Regions")
    found: list[Region] = []
    lost: list[str] = []
    for i, entry in enumerate(entries):
        numbers = [_number(n) for n in (text_field(entry, tag("MPReg:Rectangle")) or "").split(",")]
        box = _from_corner(numbers, frame) if len(numbers) == 4 else None
        _collect(found, lost, _named(text_field(entry, tag("MPReg:PersonDisplayName")), box, "MP", i, settings))
    return RegionList(tuple(found), tuple(lost), len(entries), True)


def read_iptc(packet: Packet, frame: Frame, settings: Settings) -> RegionList:
    """Iptc4xmpExt:ImageRegion: only what says that it is a person, by name or by content type."""
    regions = packet.element(tag("Iptc4xmpExt:ImageRegion"))
    if regions is None:
        return RegionList()
    found: list[Region] = []
    lost: list[str] = []
    entries = items(regions)
    for i, entry in enumerate(entries):
        people = field_element(entry, tag("Iptc4xmpExt:PersonInImage"))
        named = [value(p) for p in items(people)] if people is not None else []
        if not named and not _is_human(entry):
            continue
        name = named[0] if named else text_field(entry, tag("Iptc4xmpExt:Name"))
        _collect(found, lost, _named(name, _boundary(entry, frame), "Iptc4xmpExt", i, settings))
        lost += [n for other in named[1:] if (n := names.person(other, settings.nobody))]
    return RegionList(tuple(found), tuple(lost), len(entries), True)


def _is_human(entry: Element) -> bool:
    kinds = field_element(entry, tag("Iptc4xmpExt:rCtype"))
    if kinds is None:
        return False
    ids = [i for k in items(kinds) if (i := field_element(k, tag("xmp:Identifier"))) is not None]
    return any(_HUMAN.search(value(li).strip()) for i in ids for li in (items(i) if array(i) is not None else [i]))


def _boundary(entry: Element, frame: Frame) -> Box | None:
    boundary = field_element(entry, tag("Iptc4xmpExt:RegionBoundary"))
    if boundary is None:
        return None
    number: Callable[[str], float] = lambda f: _number(text_field(boundary, tag(f"Iptc4xmpExt:{f}")))  # noqa: E731
    pixels = (text_field(boundary, tag("Iptc4xmpExt:rbUnit")) or "").strip().casefold() == "pixel"
    if frame.width < 1 or frame.height < 1:
        return None
    across, down = (frame.width, frame.height) if pixels else (1, 1)
    shape = (text_field(boundary, tag("Iptc4xmpExt:rbShape")) or "rectangle").strip().casefold()
    x, y = number("rbX") / across, number("rbY") / down
    if shape == "circle":
        radius = number("rbRx") / across
        r_down = radius * frame.width / frame.height
        part = clip((x, y, 2 * radius, 2 * r_down))
        return None if part is None else displayed(part, frame.turn)
    if shape == "rectangle":
        return _from_corner([x, y, number("rbW") / across, number("rbH") / down], frame)
    return _around(boundary, across, down, frame)


def _around(boundary: Element, across: int, down: int, frame: Frame) -> Box | None:
    """The box around a polygon."""
    vertices = field_element(boundary, tag("Iptc4xmpExt:rbVertices"))
    points = items(vertices) if vertices is not None else []
    xs = [_number(text_field(p, tag("Iptc4xmpExt:rbX"))) / across for p in points]
    ys = [_number(text_field(p, tag("Iptc4xmpExt:rbY"))) / down for p in points]
    if not xs:
        return None
    return _from_corner([min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)], frame)


def read_picasa(ini: str, photo: str, frame: Frame, settings: Settings, *, raw: bool = False) -> RegionList:
    """The faces of the photo named `photo` in the text of its folder's .picasa.ini.

    Boxes are left, top, right, bottom in 16 bits each, of the stored pixels; for RAW photos of the displayed ones.
    """
    parser = configparser.RawConfigParser(strict=False, interpolation=None, delimiters=("=",), allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(ini.lstrip("\ufeff"))
    except configparser.Error:
        return RegionList()
    if not parser.has_section(photo):
        return RegionList()
    contacts = {k.casefold(): (v or "").split(";")[0] for k, v in _contacts(parser)}
    found: list[Region] = []
    lost: list[str] = []
    for i, (rect, who) in enumerate(_RECT64.findall(parser.get(photo, "faces", fallback="") or "")):
        left, top, right, bottom = (int(rect.zfill(16)[4 * n : 4 * n + 4], 16) / 65535 for n in range(4))
        box = _from_corner([left, top, right - left, bottom - top], Frame(0, 0) if raw else frame)
        _collect(found, lost, _named(contacts.get(who.casefold()), box, "picasa", i, settings))
    return RegionList(tuple(found), tuple(lost), len(found), True)


def _contacts(parser: configparser.RawConfigParser) -> Iterable[tuple[str, str | None]]:
    return parser.items("Contacts2") if parser.has_section("Contacts2") else ()


def _collect(found: list[Region], lost: list[str], region: Region | str | None) -> None:
    if len(found) + len(lost) >= LIMIT_FACES:
        return
    if isinstance(region, Region):
        found.append(region)
    elif region:
        lost.append(region)


def _named(raw: str | None, box: Box | None, source: str, index: int, settings: Settings) -> Region | str | None:
    """A region where there is a box, else the bare name where there is one."""
    name = names.person(raw, settings.nobody)
    if box is None:
        return name
    label = "" if name else names.clean(raw or "")
    return Region(name, *box, source=source, index=index, label=label)


def _from_corner(numbers: Sequence[float], frame: Frame) -> Box | None:
    x, y, w, h = numbers
    part = clip((x + w / 2, y + h / 2, w, h))
    return None if part is None else displayed(part, frame.turn)


def _number(text: str | None) -> float:
    """A number; NaN for what is none."""
    try:
        return float(text) if text is not None else math.nan
    except ValueError:
        return math.nan
