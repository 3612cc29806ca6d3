"""Databases as the installed digiKam makes them, filled as digiKam fills them when it finds photos and faces."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

CONFIGURATION = Path("/usr/share/digikam/database/dbconfig.xml")
PEOPLE, UNKNOWN, IGNORED = "People", "unknownPerson", "ignoredPerson"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


class MadeDatabase:
    """A database over one folder of photos: stored size and EXIF orientation by name."""

    def __init__(self, shared: Path, path: Path, photos: Path, sizes: Mapping[str, tuple[int, int, int]]) -> None:
        if not CONFIGURATION.is_file():
            pytest.skip("needs digiKam's data files")
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        script = shared / "hosts" / "digikam_db.py"
        subprocess.run([sys.executable, script, "create", path, photos], check=True, timeout=60)
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


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything in a database, table by table."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [name for (name,) in db.execute(TABLES)]
        return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}


def rect(left: int, top: int, width: int, height: int) -> str:
    return f'<rect x="{left}" y="{top}" width="{width}" height="{height}"/>'
