"""The real digiKam and darktable, run headless with profiles of their own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL

from kith_digikam.database import users
from required import need

__all__ = ["DigiKam", "host", "need", "without_luarc"]

DID_NOT_COME_UP = 2
# All that digiKam's database knows of its first album is written to the files.
WRITE_ALL = """
call() { dbus-send --session --print-reply --dest="$name" /Digikam "org.kde.KMainWindow.$1" "string:$2"; }
bus=(dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames)
for _ in $(seq 40); do
  name=$("${bus[@]}" | grep -o 'org\\.kde\\.digikam[^"]*')
  call actionIsEnabled album_write_metadata 2>/dev/null | grep -q 'boolean true' && break
  sleep 0.5
done
call activateAction album_write_metadata
"""
# Opens that album, and doesn't let sidecars take back what was edited in the database.
DEFAULTS = """
[AlbumFolderView Sidebar]
CurrentIndex=1
Selection=1
[MainWindow]
InitialAlbumID=1
[Metadata Settings]
Save Rating=true
Rescan File If Modified[$i]=false
"""


def host(
    script: Path, *words: str | Path, tries: int = 1, seconds: int = 400, sign: Path | None = None, **environment: str
) -> None:
    """Run a host program's script; 2 means that the program itself didn't come up, and is worth another try.

    `sign`: a file that the program makes as soon as it is up; one that hangs before is ended.
    """
    # OpenCV points Qt to its own plugins, for all programs that this process starts
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QT_")} | environment
    for _ in range(tries):
        if sign is not None:
            sign.unlink(missing_ok=True)
        code, said = _run(["bash", str(script), *map(str, words)], clean, seconds, sign)
        if code != DID_NOT_COME_UP:
            break
    assert code == 0, said


def without_luarc(profile: Path) -> None:
    """Let the script of darktable start it without the luarc that comes with it: that makes widgets before the main
    loop runs, and where it is too quick, darktable waits for itself for ever."""
    data, program = profile / "share", profile / "bin" / "darktable"
    for folder in (data, program.parent):
        folder.mkdir(parents=True, exist_ok=True)
    (data / "luarc").touch()
    for path in Path("/usr/share/darktable").iterdir():
        if not (data / path.name).exists():
            (data / path.name).symlink_to(path)
    program.write_text(f'#!/bin/sh\nexec "{shutil.which("darktable")}" --datadir "{data}" "$@"\n')
    program.chmod(0o755)


def _run(command: list[str], environment: dict[str, str], seconds: int, sign: Path | None) -> tuple[int, str]:
    """Exit code and words of a command; whatever it started ends with it."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            code = process.wait(seconds) if sign is None or _appears(sign, process) else DID_NOT_COME_UP
        finally:
            _end(process)
        said.seek(0)
        return code, said.read()


def _appears(sign: Path, process: subprocess.Popen[bytes]) -> bool:
    """Whether a file is there in time, or the process has ended by itself."""
    end = time.monotonic() + 45
    while not sign.exists() and process.poll() is None:
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)


class DigiKam:
    """digiKam over one folder of photos, with a database that tests may look into and edit while it is closed."""

    def __init__(self, shared: Path, photos: Path, profile: Path) -> None:
        self.script, self.photos, self.profile = shared / "hosts" / "run_digikam.sh", photos, profile
        self.defaults = profile.with_name(profile.name + "-defaults")
        self.defaults.mkdir()
        (self.defaults / "digikamrc").write_text(DEFAULTS)
        (self.defaults / "write-all").write_text(WRITE_ALL)

    def read_and_write(self) -> None:
        """Read what is new in the photos' sidecars, write everything that digiKam knows to the sidecars, and end."""
        kept = ["-k"] if self.profile.exists() else []
        hook = self.defaults / "write-all"
        words = ["-t", "36", "-w", "-x", hook, *kept, self.photos, self.profile]
        host(self.script, *words, tries=2, XDG_CONFIG_DIRS=f"{self.defaults}:/etc/xdg")

    def find_photos(self) -> None:
        """Let digiKam find all photos, however long that takes."""
        for seconds in ("25", "60", "180"):
            kept = ["-k"] if self.profile.exists() else []
            words = ["-t", seconds, *kept, self.photos, self.profile]
            host(self.script, *words, tries=2, XDG_CONFIG_DIRS=f"{self.defaults}:/etc/xdg")
            with self.database() as db:
                found = {name for (name,) in db.execute("SELECT name FROM Images WHERE status = 1")}
            if found >= {path.name for path in self.photos.glob("*.jpg")}:
                return
        raise AssertionError("digiKam didn't find the photos")

    @contextmanager
    def running(self) -> Iterator[None]:
        """digiKam, with its database open."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
        environment["XDG_CONFIG_DIRS"] = f"{self.defaults}:/etc/xdg"
        command = ["bash", str(self.script), "-t", "900", "-k", str(self.photos), str(self.profile)]
        for _ in range(3):
            process = subprocess.Popen(command, env=environment, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)
            try:
                if self._is_opened_within(90):
                    yield
                    return
            finally:
                _end(process)
        raise AssertionError("digiKam didn't come up")

    def _is_opened_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not users(self.profile / "db" / "digikam4.db"):
            if time.monotonic() > end:
                return False
            time.sleep(0.5)
        return True

    def database(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.profile / "db" / "digikam4.db", isolation_level=None))

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
