"""Faces as rows of digiKam's database, and putting them there and taking them away.

Which rows a face has: core/libs/database/tags/facetagseditor.cpp of digiKam's source; all of them seen in 7.9.
"""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kith_digikam import albums, database, reading, regions
from kith_digikam.albums import Root
from kith_digikam.reading import State
from kith_digikam.regions import Rect, Size
from kith_digikam.tags import Tags

REGION, DETECTED, SUGGESTED, IGNORED = "tagRegion", "autodetectedFace", "autodetectedPerson", "ignoredFace"
PUT = "INSERT INTO ImageTagProperties (imageid, tagid, property, value) VALUES (?, ?, ?, ?)"
SAME_FACE = 0.3  # overlap from which two rectangles are one face; detectors differ in how much hair they take along


@dataclass(frozen=True, slots=True)
class Mark:
    """A face on an image: whose tag it has, and where. `rect` is as it stands in the database."""

    image: int
    state: State
    tag: int
    rect: str

    @property
    def place(self) -> Rect | None:
        return regions.parsed(self.rect)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by digiKam's number: where it is below its album root, and its size as stored."""

    id: int
    root: int
    folder: str
    name: str
    stored: Size | None
    orientation: int

    def path(self, root: os.PathLike[str]) -> bytes:
        return os.path.realpath(os.fsencode(root) + b"/" + os.fsencode(f"{self.folder.strip('/')}/{self.name}"))


def roots(path: Path) -> list[Root]:
    """The album roots of the database at `path`, where they are on this machine."""
    with database.opened(path) as db, database.explained(path):
        rows = db.execute("SELECT id, label, identifier, specificPath FROM AlbumRoots ORDER BY id").fetchall()
    here = albums.volumes()
    return [albums.resolved(number, label, name or "", folder, here) for number, label, name, folder in rows]


def images(db: sqlite3.Connection) -> dict[int, Image]:
    """All pictures that are there, by number."""
    found = {}
    for number, root, folder, name, width, height, orientation in db.execute(reading.PICTURES):
        stored = Size(int(width), int(height)) if width and height else None
        found[number] = Image(number, root, folder, name, stored, int(orientation or 1))
    return found


def marks(db: sqlite3.Connection, tags: Tags) -> Mapping[int, Sequence[Mark]]:
    """The faces of each image that has some, each once."""
    found: dict[int, dict[Mark, None]] = defaultdict(dict)
    rows = db.execute(
        "SELECT imageid, tagid, property, value FROM ImageTagProperties WHERE property IN (?, ?, ?) ORDER BY rowid",
        [REGION, DETECTED, IGNORED],
    )
    for image, tag, kind, value in rows:
        state = _state(kind, tag, tags)
        if state is not None and regions.parsed(value) is not None:
            found[image][Mark(image, state, tag, value)] = None
    return {image: tuple(here) for image, here in found.items()}


def refusals(db: sqlite3.Connection, tags: Tags) -> list[tuple[int, str, str]]:
    """Image, rectangle and name of those a face was said not to be, as digiKam 9.1 notes it."""
    query = "SELECT imageid, value FROM ImageTagProperties WHERE lower(property) = ?"
    return [
        (image, value, tags.names[int(number)])
        for image, value in db.execute(query, [reading.REFUSED])
        for number in value.rpartition(",")[2].split(";")
        if number.strip().isdecimal() and int(number) in tags.names
    ]


def _state(kind: str, tag: int, tags: Tags) -> State | None:
    if tag == tags.special.get("ignoredPerson") or kind == IGNORED:
        return State.IGNORED
    if tag == tags.special.get("unknownPerson"):
        return State.UNKNOWN
    if tag not in tags.names:
        return None
    return State.CONFIRMED if kind == REGION else State.UNCONFIRMED


def put(db: sqlite3.Connection, mark: Mark, tags: Tags) -> bool:
    """Put a face there; whether its person's tag was not on the image before and is now."""
    db.executemany(PUT, _rows(mark, tags))
    if mark.state is not State.CONFIRMED:
        return False
    return (
        db.execute("INSERT OR IGNORE INTO ImageTags (imageid, tagid) VALUES (?, ?)", [mark.image, mark.tag]).rowcount
        > 0
    )


def take(db: sqlite3.Connection, mark: Mark, tags: Tags, *, tagged: bool = False) -> None:
    """Take a face away; with `tagged` its person's tag too, if no other face on the image needs it."""
    for row in _rows(mark, tags):
        db.execute("DELETE FROM ImageTagProperties WHERE imageid = ? AND tagid = ? AND property = ? AND value = ?", row)
    if tagged:
        db.execute(
            "DELETE FROM ImageTags WHERE imageid = :image AND tagid = :tag AND NOT EXISTS (SELECT 1 FROM"
            " ImageTagProperties WHERE imageid = :image AND tagid = :tag AND property = :region)",
            {"image": mark.image, "tag": mark.tag, "region": REGION},
        )


def _rows(mark: Mark, tags: Tags) -> list[tuple[int, int, str, str]]:
    image, tag, rect = mark.image, mark.tag, mark.rect
    match mark.state:
        case State.CONFIRMED:
            return [(image, tag, REGION, rect)]
        case State.UNKNOWN:
            return [(image, tag, DETECTED, rect)]
        case State.UNCONFIRMED:
            suggested = (image, tags.unconfirmed(), SUGGESTED, f"{tag},{DETECTED},{rect}")
            return [(image, tag, DETECTED, rect), suggested]
        case State.IGNORED:
            return [(image, tag, IGNORED, rect)]


def same_face(a: Rect, b: Rect) -> bool:
    """Whether two rectangles of one picture are about one face: they overlap, or each holds the other's middle."""
    return iou(a, b) >= SAME_FACE or (_holds_middle(a, b) and _holds_middle(b, a))


def iou(a: Rect, b: Rect) -> float:
    """Intersection over union, 0..1."""
    width = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    height = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    both = max(width, 0) * max(height, 0)
    return both / (a.width * a.height + b.width * b.height - both)


def _holds_middle(a: Rect, b: Rect) -> bool:
    x, y = b.left + b.width / 2, b.top + b.height / 2
    return a.left <= x <= a.left + a.width and a.top <= y <= a.top + a.height
