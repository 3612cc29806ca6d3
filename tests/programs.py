"""The real digiKam and darktable, run headless with profiles of their own."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from digikam_made import make_empty
from headless import Seat, comes_up, seat, until, until_or_not
from kith_digikam.database import users

STILL = 1.0  # seconds without a change after which a program is done with what it began
SETTINGS = """[General Settings]
Version=7.9.0
1400x900 screen: Window-Maximized=true
[Album Settings]
Show Splash=false
Scan At Start=true
[Metadata Settings]
Use XMP Sidecar For Reading=true
Metadata Writing Mode=1
Use XMP Sidecar For Writing={write}
Save FaceTags={write}
Save Rating={write}
Save Tags={write}
Rescan File If Modified={rescan}
[Notification Messages]
HelpBoxNotifSeen=true
[Database Settings]
Database Type=QSQLITE
Database Name={folder}/
Database Name Thumbnails={folder}/
Database Name Face={folder}/
Database Name Similarity={folder}/
Internal Database Server=false
"""
FIRST_ALBUM_OPEN = "[AlbumFolderView Sidebar]\nCurrentIndex=1\nSelection=1\n[MainWindow]\nInitialAlbumID=1\n"
DARKTABLE = Path("/usr/share/darktable")
HARNESS = Path(__file__).with_name("darktable.lua")
DARKTABLERC = """opencl=FALSE
write_sidecar_files=after edit
run_crawler_on_start=FALSE
database/create_snapshot=never
backthumbs_inactivity=0
"""


class Darktable:
    """darktable over a folder of photos; what it is to do is said in Lua (darktable.lua).

    What it leaves is in `out`: its log, what the test said, pictures, and what it opened in a browser.
    """

    def __init__(self, photos: Path, profile: Path, out: Path, plugin: Path | None = None) -> None:
        self.photos, self.profile, self.out, self.plugin = photos, profile, out, plugin

    def run(self, body: str, *options: str, seconds: float = 170, **environment: str) -> None:
        """Start it, let it do what a test body says, and see it end by itself. A start that hangs is tried again."""
        self._prepare(body)
        for _ in range(3):
            for left in ("begun", "result"):
                (self.out / left).unlink(missing_ok=True)
            with seat(self.profile, self._environment() | environment) as place:
                program = place.start(*self._command(options), log=self.out / "darktable.log")
                if comes_up(program, (self.out / "begun").exists, 45):
                    self._see_the_end(place, program, seconds)
                    return
        raise AssertionError(f"darktable didn't come up: {self._log()}")

    def _see_the_end(self, place: Seat, program: subprocess.Popen[bytes], seconds: float) -> None:
        ended = until_or_not(lambda: program.poll() is not None, seconds)
        if not ended:
            place.shot(self.out / "late.png")
        result = self.out / "result"
        said = result.read_text() if result.exists() else f"no result: {self._log()}"
        assert said == "fine", said
        assert ended, "darktable didn't end"

    def _prepare(self, body: str) -> None:
        config = self.profile / "config"
        for folder in (self.out, config / "lua", self.profile / "bin"):
            folder.mkdir(parents=True, exist_ok=True)
        if not (config / "darktablerc").exists():
            (config / "darktablerc").write_text(DARKTABLERC)
        if self.plugin:
            shutil.rmtree(config / "lua" / self.plugin.name, ignore_errors=True)
            shutil.copytree(self.plugin, config / "lua" / self.plugin.name)
            (config / "luarc").write_text(f'require "{self.plugin.name}/kith"\n')
        browser = self.profile / "bin" / "xdg-open"
        browser.write_text(f'#!/bin/sh\necho "$1" >> "{self.out}/opened"\n')
        browser.chmod(0o755)
        (self.out / "body.lua").write_text(f'local t = dofile "{HARNESS}"\nt.perform(function()\n{body}\nend)\n')
        _without_luarc(self.profile / "share")

    def _environment(self) -> dict[str, str]:
        path = f"{self.profile / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "TEST_PHOTOS": str(self.photos), "TEST_OUT": str(self.out)}

    def _command(self, options: tuple[str, ...]) -> list[str | Path]:
        config = self.profile / "config"
        folders = {"datadir": "share", "configdir": "config", "cachedir": "cache", "tmpdir": "tmp"}
        places = [word for name, folder in folders.items() for word in (f"--{name}", self.profile / folder)]
        (self.profile / "tmp").mkdir(exist_ok=True)
        settings = [word for option in options for word in ("--conf", option)]
        body = ["--luacmd", f'dofile "{self.out / "body.lua"}"']
        return [
            "darktable", *places, "--library", config / "library.db", "--disable-opencl", "-d", "lua", *settings, *body,
            self.photos,
        ]  # fmt: skip

    def _log(self) -> str:
        log = self.out / "darktable.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""


def _without_luarc(data: Path) -> None:
    """darktable's data files without the luarc that comes with it: that makes widgets before the main loop runs, and
    where it is too quick, darktable waits for itself for ever."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "luarc").touch()
    for path in DARKTABLE.iterdir():
        if not (data / path.name).exists():
            (data / path.name).symlink_to(path)


def settings(folder: Path, *, write: bool = False, rescan: bool = False) -> str:
    """A digikamrc for a database in a folder; `write`: what digiKam knows goes to sidecars."""
    return SETTINGS.format(folder=folder, write=str(write).lower(), rescan=str(rescan).lower())


def call(place: Seat, method: str, action: str) -> str:
    """A method of digiKam's main window over D-Bus; nothing where there is none yet."""
    name = place.on_bus("org.kde.digikam")
    return place.call(name, "/Digikam", f"org.kde.KMainWindow.{method}", action) if name else ""


def _has_opened_the_album(place: Seat) -> bool:
    """Whether its first album, an album root, is the current one: such a one can be written but not renamed.

    Before, digiKam has all actions enabled, and fails where one is used.
    """
    asked = [call(place, "actionIsEnabled", f"album_{what}") for what in ("write_metadata", "rename")]
    return ["boolean true" in said for said in asked] == [True, False] and "boolean" in asked[1]


class DigiKam:
    """digiKam over one folder of photos, with a database that tests may look into and edit while it is closed."""

    def __init__(self, photos: Path, profile: Path) -> None:
        self.photos, self.profile, self.path = photos, profile, profile / "db" / "digikam4.db"
        make_empty(self.path, photos)

    def find_photos(self) -> None:
        """Let digiKam find all photos, and read their sidecars."""
        with self.running():
            self._wait(self._has_found_all)

    def read_and_write(self) -> None:
        """Let digiKam read new photos' sidecars, write everything that it knows to the sidecars, and end."""
        for _ in range(3):
            with self.running(write=True) as place:
                if self._writes(place):
                    return
        raise AssertionError("digiKam didn't write the sidecars")

    def _writes(self, place: Seat) -> bool:
        """Let a digiKam that runs write all sidecars; whether it did."""
        self._wait(self._has_found_all)
        before = self._sidecars()
        if until_or_not(lambda: _has_opened_the_album(place), 60):
            call(place, "activateAction", "album_write_metadata")
        if not until_or_not(lambda: self._are_all_newer(before), 20):
            return False
        self._wait(lambda: self._are_all_newer(before))
        return True

    @contextmanager
    def running(self, *, write: bool = False) -> Iterator[Seat]:
        """digiKam, with its database open."""
        for _ in range(3):
            with seat(self.profile) as place:
                rc = Path(place.environment["XDG_CONFIG_HOME"]) / "digikamrc"
                rc.write_text(settings(self.path.parent, write=write) + FIRST_ALBUM_OPEN)
                if comes_up(place.start("digikam"), lambda: users(self.path), 90):
                    yield place
                    return
        raise AssertionError("digiKam didn't come up")

    def _wait(self, happened: Callable[[], bool]) -> None:
        """Until something has happened, and then until neither the database nor a sidecar changes any more."""
        until(happened, 240)
        with self.database() as db:
            state, since = None, time.monotonic()
            while time.monotonic() - since < STILL:
                time.sleep(0.1)
                now = (*db.execute("PRAGMA data_version").fetchone(), self._sidecars())
                if now != state:
                    state, since = now, time.monotonic()

    def _has_found_all(self) -> bool:
        query = "SELECT name FROM Images JOIN ImageInformation ON imageid = id WHERE status = 1"
        with self.database() as db:
            return {name for (name,) in db.execute(query)} >= {path.name for path in self.photos.glob("*.jpg")}

    def _sidecars(self) -> Mapping[str, int]:
        """When the sidecar of each photo was written last; 0 where there is none."""
        sidecars = {path.name: path.with_name(f"{path.name}.xmp") for path in self.photos.glob("*.jpg")}
        return {name: path.stat().st_mtime_ns if path.exists() else 0 for name, path in sidecars.items()}

    def _are_all_newer(self, before: Mapping[str, int]) -> bool:
        return all(when > before[name] for name, when in self._sidecars().items())

    def database(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.path, isolation_level=None))

    def faces(self) -> dict[str, list[tuple[str, float, float]]]:
        """Confirmed faces: photo -> name and centre in displayed pixels, from left to right."""
        found: dict[str, list[tuple[str, float, float]]] = {}
        with self.database() as db:
            rows = db.execute(
                "SELECT i.name, t.name, p.value FROM ImageTagProperties p JOIN Tags t ON t.id = p.tagid"
                " JOIN Images i ON i.id = p.imageid WHERE p.property = 'tagRegion'"
            ).fetchall()
        for photo, name, rect in rows:
            x, y, w, h = (float(v) for v in re.findall(r'"(\d+)"', rect))
            found.setdefault(photo, []).append((name, x + w / 2, y + h / 2))
        return {photo: sorted(faces, key=lambda face: face[1]) for photo, faces in found.items()}

    def rate(self, stars: int) -> None:
        """Rate all photos."""
        with self.database() as db:
            db.execute("UPDATE ImageInformation SET rating = ?", [stars])

    def remove(self, photo: str, name: str) -> str:
        """Take a person's face from a photo; gives the rectangle it had."""
        with self.database() as db:
            image, tag = _image(db, photo), _tag(db, name)
            where = "WHERE imageid = ? AND tagid = ?"
            (rect,) = db.execute(
                f"SELECT value FROM ImageTagProperties {where} AND property = 'tagRegion'", [image, tag]
            ).fetchone()
            db.execute(f"DELETE FROM ImageTagProperties {where}", [image, tag])
            db.execute(f"DELETE FROM ImageTags {where}", [image, tag])
        return str(rect)

    def add(self, photo: str, name: str, rect: str) -> None:
        """Confirm a face for a person, who may be new."""
        with self.database() as db:
            image, tag = _image(db, photo), _tag(db, name) or _new_person(db, name)
            db.execute("INSERT OR IGNORE INTO ImageTags (imageid, tagid) VALUES (?, ?)", [image, tag])
            db.execute("INSERT INTO ImageTagProperties VALUES (?, ?, 'tagRegion', ?)", [image, tag, rect])

    def guess(self, photo: str, name: str, rect: str) -> None:
        """Let digiKam take a face for somebody, unconfirmed."""
        with self.database() as db:
            image, tag = _image(db, photo), _tag(db, name) or _new_person(db, name)
            repeated = _special(db, "Unconfirmed", "unconfirmedPerson")
            add = "INSERT INTO ImageTagProperties VALUES (?, ?, ?, ?)"
            db.execute(add, [image, tag, "autodetectedFace", rect])
            db.execute(add, [image, repeated, "autodetectedPerson", f"{tag},autodetectedFace,{rect}"])

    def put_away(self, photo: str, rect: str) -> None:
        """Ignore a face."""
        with self.database() as db:
            ignored = _special(db, "Ignored", "ignoredPerson")
            db.execute(
                "INSERT INTO ImageTagProperties VALUES (?, ?, 'ignoredFace', ?)", [_image(db, photo), ignored, rect]
            )

    def tag(self, photo: str, name: str) -> None:
        """Tag a person on a photo without a face."""
        with self.database() as db:
            tag = _tag(db, name) or _new_person(db, name)
            db.execute("INSERT INTO ImageTags VALUES (?, ?)", [_image(db, photo), tag])


def _image(db: sqlite3.Connection, photo: str) -> int:
    return int(db.execute("SELECT id FROM Images WHERE name = ?", [photo]).fetchone()[0])


def _tag(db: sqlite3.Connection, name: str) -> int | None:
    row = db.execute("SELECT id FROM Tags WHERE name = ?", [name]).fetchone()
    return int(row[0]) if row else None


def _new_person(db: sqlite3.Connection, name: str) -> int:
    (tag,) = db.execute(
        "INSERT INTO Tags (pid, name) VALUES (?, ?) RETURNING id", [_tag(db, "People"), name]
    ).fetchone()
    for known in ("person", "faceEngineId"):
        db.execute("INSERT INTO TagProperties (tagid, property, value) VALUES (?, ?, ?)", [tag, known, name])
    return int(tag)


def _special(db: sqlite3.Connection, name: str, kind: str) -> int:
    """The tag for faces of a kind that are nobody's, as digiKam makes it when it first needs it."""
    tag = _tag(db, name)
    if tag is None:
        (tag,) = db.execute(
            "INSERT INTO Tags (pid, name) VALUES (?, ?) RETURNING id", [_tag(db, "People"), name]
        ).fetchone()
        for known in ("person", kind):
            db.execute("INSERT INTO TagProperties (tagid, property, value) VALUES (?, ?, NULL)", [tag, known])
    return int(tag)
