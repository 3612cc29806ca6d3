"""Databases as digiKam makes them, filled as digiKam fills them when it finds photos and faces."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

DATA = Path(__file__).parent / "data"
SCHEMAS = (15, 16, 17)  # of digiKam 7.9, 8.6 and 9.1
every_schema = pytest.mark.parametrize("schema", SCHEMAS)
PEOPLE, UNKNOWN, IGNORED = "People", "unknownPerson", "ignoredPerson"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


class MadeDatabase:
    """A database over one folder of photos: stored size and EXIF orientation by name."""

    def __init__(
        self, path: Path, photos: Path, sizes: Mapping[str, tuple[int, int, int]], schema: int = SCHEMAS[0]
    ) -> None:
        self.path = path
        make_empty(path, photos, schema)
        with self.open() as db:
            db.execute("INSERT INTO Albums (albumRoot, relativePath, date) VALUES (1, '/', '2024-07-01')")
            for number, (name, (width, height, orientation)) in enumerate(sizes.items(), start=1):
                db.execute(
                    "INSERT INTO Images (id, album, name, status, category, uniqueHash) VALUES (?, 1, ?, 1, 1, ?)",
                    [number, name, f"{number:032x}"],
                )
                db.execute(
                    "INSERT INTO ImageInformation (imageid, rating, orientation, width, height) VALUES (?, 0, ?, ?, ?)",
                    [number, orientation, width, height],
                )
            root = self._tag(db, 0, PEOPLE)
            self._tag(db, root, "Unknown", ("person", None), (UNKNOWN, None))
            self._tag(db, root, "Ignored", ("person", None), (IGNORED, None))

    def open(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.path, isolation_level=None))

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything in it, table by table."""
        return rows(self.path)

    def person(self, name: str) -> int:
        """The tag of a person, made if need be."""
        with self.open() as db:
            row = db.execute(
                "SELECT t.id FROM Tags t JOIN TagProperties p ON p.tagid = t.id"
                " WHERE t.name = ? AND p.property = 'person'",
                [name],
            ).fetchone()
            if row:
                return int(row[0])
            (root,) = db.execute("SELECT id FROM Tags WHERE name = ?", [PEOPLE]).fetchone()
            return self._tag(db, root, name, ("person", name), ("faceEngineId", name))

    def special(self, kind: str) -> int:
        with self.open() as db:
            return int(db.execute("SELECT tagid FROM TagProperties WHERE property = ?", [kind]).fetchone()[0])

    def add(self, image: int, tag: int, kind: str, rect: str) -> None:
        """A row about a face; a confirmed one tags the image too."""
        with self.open() as db:
            db.execute("INSERT INTO ImageTagProperties VALUES (?, ?, ?, ?)", [image, tag, kind, rect])
            if kind == "tagRegion":
                db.execute("INSERT OR IGNORE INTO ImageTags VALUES (?, ?)", [image, tag])

    def faces(self) -> set[tuple[int, str, str, str]]:
        """Image, name of the tag, property, rectangle of all faces."""
        with self.open() as db:
            return set(
                db.execute(
                    "SELECT p.imageid, t.name, p.property, p.value FROM ImageTagProperties p"
                    " JOIN Tags t ON t.id = p.tagid WHERE p.property <> 'autodetectedPerson'"
                )
            )

    def _tag(self, db: sqlite3.Connection, parent: int, name: str, *properties: tuple[str, str | None]) -> int:
        tag = int(db.execute("INSERT INTO Tags (pid, name) VALUES (?, ?) RETURNING id", [parent, name]).fetchone()[0])
        db.executemany("INSERT INTO TagProperties VALUES (?, ?, ?)", [(tag, *each) for each in properties])
        return tag


def make_empty(path: Path, photos: Path, schema: int = SCHEMAS[0]) -> None:
    """A database that has never seen a photo, with a folder as its only album root: digiKam takes it as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript((DATA / f"digikam-{schema}.sql").read_text())
        db.execute("INSERT INTO Settings (keyword, value) VALUES ('databaseUUID', ?)", [str(uuid.uuid4())])
        db.execute(
            "INSERT INTO AlbumRoots (label, status, type, identifier, specificPath) VALUES (?, 0, 1, ?, '/')",
            [photos.name, f"volumeid:?path={quote(str(photos.absolute()))}"],
        )


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything in a database, table by table."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [name for (name,) in db.execute(TABLES)]
        return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}


def rect(left: int, top: int, width: int, height: int) -> str:
    return f'<rect x="{left}" y="{top}" width="{width}" height="{height}"/>'
