"""A Kith with a model pack, and photos that it has scanned: each is made once a run and copied into the tests."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

import drawn
from desk import Desk
from kith import config
from kith.paths import Paths
from kith.service import packs, stages
from kith.service.app import opened
from kith.service.reports import Silent

MOVE = "UPDATE photos SET path = CAST(? || substr(path, ?) AS BLOB)"
AS_BEFORE = "DELETE FROM changed_faces"  # where a photo lies says nothing new about its faces


@dataclass(frozen=True)
class Libraries:
    """Made below `folder` by whichever test process needs them first; `pack` is a folder with a model pack."""

    folder: Path
    pack: Path

    def empty(self, home: Path) -> Desk:
        """A desk whose Kith has the pack and knows no photo."""
        return self._desk(home, "empty", _nothing)

    def two(self, home: Path) -> Desk:
        """A desk with Anna and Otto on 1.jpg to 8.jpg, each in the orientation that it is called after, scanned."""
        return self._desk(home, "two", _two)

    def within(self, home: Path, *, scanned: bool = False, photos: Path | None = None) -> Paths:
        """The same for a Kith inside the test: the pack and no photo, or `drawn.holiday(photos, 16)`, scanned."""
        paths = Paths.below(home)
        name, draw = ("holiday", _holiday) if scanned else ("empty", _nothing)
        self._put(name, draw, photos or home / "photos", paths.data)
        return paths

    def _desk(self, home: Path, name: str, draw: Callable[[Path], object]) -> Desk:
        desk = Desk(home)
        self._put(name, draw, home / "photos", home / "data" / "kith")
        return desk

    def _put(self, name: str, draw: Callable[[Path], object], photos: Path, data: Path) -> None:
        kept = self._made(name, draw)
        shutil.copytree(kept / "data", data, dirs_exist_ok=True)
        if (kept / "photos").is_dir():
            shutil.copytree(kept / "photos", photos, dirs_exist_ok=True)
            _move(data / "catalogue.db", kept / "photos", photos)

    def _made(self, name: str, draw: Callable[[Path], object]) -> Path:
        place = self.folder / name
        with FileLock(f"{place}.lock"):
            if not (place / "made").exists():
                draw(place / "photos")
                paths = Paths.below(place)
                with opened(paths, config.load()) as app:
                    packs.get(app, "auto", self.pack, Silent())
                    if (place / "photos").is_dir():
                        stages.run(app, [place / "photos"], Silent())
                (place / "made").touch()
        return place


def _nothing(folder: Path) -> None:
    """No photos at all, not even a folder for them."""


def _holiday(folder: Path) -> None:
    drawn.holiday(folder, 16)


def _two(folder: Path) -> None:
    for number in range(1, 9):
        drawn.save(drawn.photo(["Anna", "Otto"], seed=number), folder / f"{number}.jpg", orientation=number)


def _move(catalogue: Path, before: Path, after: Path) -> None:
    """Let a catalogue know that its photos lie in another folder now."""
    with closing(sqlite3.connect(catalogue)) as db, db:
        db.execute(MOVE, [os.fsencode(after.resolve()), len(os.fsencode(before.resolve())) + 1])
        db.execute(AS_BEFORE)
