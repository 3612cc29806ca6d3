"""What digiKam's database says about people, read in one look and kept as frozen values.

Where digiKam keeps what: core/libs/database/tags/facetagsiface.cpp and facetagseditor.cpp of its source.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from kith_digikam import albums, database, regions
from kith_digikam.regions import Rect, Size

PERSON = "person"
SPECIAL = {"unknownPerson": "unknown", "unconfirmedPerson": "unconfirmed", "ignoredPerson": "ignored"}
REFUSED = "facetagextendeddata"  # as 9.1 notes it: which people a face was said not to be


class State(StrEnum):
    """What digiKam knows of a face. Only CONFIRMED and IGNORED are a person's answers."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    UNKNOWN = "unknown"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Face:
    """A face in digiKam: whose it is, or may be where UNCONFIRMED; `refused` are those it was said not to be."""

    state: State
    rect: Rect
    name: str | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of which digiKam says something about people.

    `stored` is its size in the file as digiKam noted it, before the EXIF `orientation`. `people` are tagged on it and
    have no confirmed face there.
    """

    root: int
    folder: str
    name: str
    stored: Size | None
    orientation: int
    faces: tuple[Face, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Library:
    """All that digiKam knows of people.

    `names` are all it has, `several` those that more than one of its tags has. `others` are the pictures of which it
    says nothing about people. `unread` counts faces without a usable rectangle.
    """

    version: int
    roots: tuple[albums.Root, ...]
    pictures: tuple[Picture, ...]
    names: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    others: tuple[Picture, ...] = ()
    unread: int = 0

    def faces(self, state: State) -> int:
        """How many faces are in this state."""
        return sum(face.state is state for picture in self.pictures for face in picture.faces)


PICTURES = """
    SELECT i.id, a.albumRoot, a.relativePath, i.name, n.width, n.height, n.orientation
    FROM Images i JOIN Albums a ON a.id = i.album LEFT JOIN ImageInformation n ON n.imageid = i.id
    WHERE i.status IN (1, 2) AND i.category = 1 ORDER BY a.albumRoot, a.relativePath, i.name
"""  # visible or hidden in a group; images
FACES = """
    SELECT imageid, tagid, property, value FROM ImageTagProperties
    WHERE property IN ('tagRegion', 'autodetectedFace', 'ignoredFace')
       OR lower(property) = 'facetagextendeddata' ORDER BY imageid, rowid
"""


def read(path: Path, here: albums.Volumes | None = None, *, patience: float = database.PATIENCE) -> Library:
    """All that the database at `path` says about people. Raises what `database.opened` raises."""
    with database.opened(path, patience) as db, database.explained(path):
        version = database.version(db) or 0
        roots = db.execute("SELECT id, label, identifier, specificPath FROM AlbumRoots ORDER BY id").fetchall()
        tags = _tags(db)
        pictures = db.execute(PICTURES).fetchall()
        rows = db.execute(FACES).fetchall()
        tagged = db.execute("SELECT imageid, tagid FROM ImageTags").fetchall()
    here = here or albums.volumes()
    faces, unread = _faces(rows, tags)
    people = _people(tagged, tags, faces)
    all_of = {row[0]: _picture(row[1:], faces.get(row[0], ()), people.get(row[0], ())) for row in pictures}
    names = Counter(tag.name for tag in tags.values() if tag.special is None)
    return Library(
        version=version,
        roots=tuple(
            albums.resolved(number, label, identifier or "", folder, here)
            for number, label, identifier, folder in roots
        ),
        pictures=tuple(picture for picture in all_of.values() if picture.faces or picture.people),
        names=tuple(sorted(names)),
        several=tuple(sorted(name for name, count in names.items() if count > 1)),
        others=tuple(picture for picture in all_of.values() if not (picture.faces or picture.people)),
        unread=unread,
    )


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag that stands for a person, or `special`: for unknown, unconfirmed or ignored ones."""

    name: str
    special: str | None


def _tags(db: sqlite3.Connection) -> Mapping[int, _Tag]:
    found: dict[int, _Tag] = {}
    rows = db.execute(
        "SELECT t.id, t.name, p.property FROM Tags t JOIN TagProperties p ON p.tagid = t.id"
        " WHERE p.property IN ('person', 'unknownPerson', 'unconfirmedPerson', 'ignoredPerson')"
    )
    for tag, name, kind in rows:
        before = found.get(tag, _Tag(name, None))
        found[tag] = before if kind == PERSON else replace(before, special=SPECIAL[kind])
    return found


def _faces(
    rows: Iterable[tuple[int, int, str, str]], tags: Mapping[int, _Tag]
) -> tuple[Mapping[int, tuple[Face, ...]], int]:
    """The faces of each image, each once; and how many have no rectangle."""
    found: dict[int, dict[tuple[int, Rect], Face]] = defaultdict(dict)
    refused: dict[tuple[int, int, Rect], tuple[str, ...]] = {}
    unread = 0
    for image, number, kind, value in rows:
        tag, rect = tags.get(number), regions.parsed(value)
        if tag is None or rect is None:
            unread += tag is not None
        elif kind.casefold() == REFUSED:
            refused[image, number, rect] = _refused(value, tags)
        elif (state := _state(kind, tag)) is not None:
            name = tag.name if state in (State.CONFIRMED, State.UNCONFIRMED) else None
            found[image].setdefault((number, rect), Face(state, rect, name))
    for (image, number, rect), names in refused.items():
        if face := found[image].get((number, rect)):
            found[image][number, rect] = replace(face, refused=names)
    return {image: tuple(faces.values()) for image, faces in found.items()}, unread


def _state(kind: str, tag: _Tag) -> State | None:
    match kind, tag.special:
        case "tagRegion", None:
            return State.CONFIRMED
        case _, "ignored":
            return State.IGNORED
        case _, "unknown":
            return State.UNKNOWN
        case "autodetectedFace", None:
            return State.UNCONFIRMED
        case "ignoredFace", _:
            return State.IGNORED
    return None  # of the Unconfirmed tag, which only repeats what stands at the suggested person


def _refused(value: str, tags: Mapping[int, _Tag]) -> tuple[str, ...]:
    """`<rect …/>,7;12`: the names of the tags behind the rectangle."""
    numbers = value.rpartition(",")[2].split(";")
    known = (tags.get(int(number)) for number in numbers if number.strip().isdecimal())
    return tuple(tag.name for tag in known if tag is not None and tag.special is None)


def _people(
    tagged: Iterable[tuple[int, int]], tags: Mapping[int, _Tag], faces: Mapping[int, Sequence[Face]]
) -> Mapping[int, tuple[str, ...]]:
    """Who is tagged on each image without a confirmed face there."""
    found: dict[int, set[str]] = defaultdict(set)
    for image, number in tagged:
        tag = tags.get(number)
        if tag is not None and tag.special is None:
            found[image].add(tag.name)
    for image, names in found.items():
        names -= {face.name for face in faces.get(image, ()) if face.state is State.CONFIRMED and face.name}
    return {image: tuple(sorted(names)) for image, names in found.items() if names}


def _picture(row: Sequence[object], faces: Sequence[Face], people: Sequence[str]) -> Picture:
    root, folder, name, width, height, orientation = row
    stored = Size(int(str(width)), int(str(height))) if width and height else None
    return Picture(
        int(str(root)), str(folder), str(name), stored, int(str(orientation or 1)), tuple(faces), tuple(people)
    )


def paths(library: Library, roots: Mapping[int, Path]) -> dict[bytes, Picture]:
    """The pictures whose album root is there, those without people too, by their real path."""
    folders: dict[tuple[int, str], bytes] = {}
    found = {}
    for picture in (*library.pictures, *library.others):
        if picture.root not in roots:
            continue
        key = (picture.root, picture.folder)
        if key not in folders:
            folders[key] = os.path.realpath(os.fsencode(roots[picture.root] / picture.folder.strip("/")))
        found[folders[key] + b"/" + os.fsencode(picture.name)] = picture
    return found
