"""Pushing into digiKam's database on a bad day: digiKam runs, no space, no permission, `kill -9` at any line."""

from __future__ import annotations

import itertools
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digikam_made import UNKNOWN, MadeDatabase, rect, rows
from disks import disk
from kith_digikam import errors, pushing, swap
from kith_digikam.closed import locked
from kith_digikam.reading import State
from served import Served, running, served

# For each number it is given, pushes in a process of its own, which is killed when it comes to that many different
# lines of the bridge; says whether it came so far.
DRIVER = """
import os, signal, sys
from pathlib import Path
from kith.client import Client
from kith_digikam import closed, marks, pushing, record, swap, tags

database, folder, socket, photos = map(Path, sys.argv[1:])
MINE = {module.__file__ for module in (closed, marks, pushing, record, swap, tags)}

def push(target):
    seen = set()
    def line(frame, event, argument):
        seen.add((frame.f_code.co_filename, frame.f_lineno))
        if len(seen) >= target:
            os.kill(os.getpid(), signal.SIGKILL)
        return line
    sys.settrace(lambda frame, event, argument: line if frame.f_code.co_filename in MINE else None)
    with Client(socket) as kith:
        pushing.push(database, kith, folder, {1: photos})

for word in sys.stdin:
    child = os.fork()
    if child == 0:
        push(int(word))
        os._exit(0)
    print(os.WIFSIGNALED(os.waitpid(child, 0)[1]), flush=True)
"""


class World:
    """A digiKam database over the photos of a Kith that answers at a socket."""

    def __init__(self, home: Path, kith: Served) -> None:
        self.kith, self.photos = kith, kith.control.app.paths.data.parent / "photos"
        sizes = {}
        for entry in kith.client.get("/v1/photos")["photos"]:
            photo = kith.client.get(f"/v1/photos/{entry[0]}")["photo"]
            orientation = int(Path(photo["path"]).stem) % 8 + 1
            size = (photo["width"], photo["height"])
            sizes[Path(photo["path"]).name] = (*(size[::-1] if orientation > 4 else size), orientation)
        self.made = MadeDatabase(home / "digikam" / "digikam4.db", self.photos, sizes)
        self.database, self.folder = self.made.path, home / "record"

    def push(self, **options: Any) -> pushing.Done:
        return pushing.push(self.database, self.kith.client, self.folder, {1: self.photos}, **options)

    def undo(self) -> int:
        return pushing.undo(self.database, self.folder)[0]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Eight photos of two people, each named once, in all orientations; digiKam has found some of their faces."""
    with running(tmp_path / "kith", [(1, 2)] * 8, pixels=False) as control, served(control) as kith:
        for face, name in (("f1", "Anna Freud"), ("f2", "Otto Dix")):
            kith.client.post(f"/v1/faces/{face}/name", name=name)
        control.believe()
        world = World(tmp_path, kith)
        world.made.add(3, world.made.special(UNKNOWN), "autodetectedFace", rect(80, 100, 80, 90))
        yield world


def leftovers(world: World) -> list[str]:
    """Files beside the database that are neither it nor a backup."""
    kept = {world.database, *swap.backups(world.database)}
    return [path.name for path in world.database.parent.iterdir() if path not in kept]


@contextmanager
def killer(world: World) -> Iterator[Callable[[int], bool]]:
    """Kills a push at its n-th line; gives whether it was killed, or had ended before."""
    words = [str(word) for word in (world.database, world.folder, world.kith.socket, world.photos)]
    command = [sys.executable, "-c", DRIVER, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdin
        assert driver.stdout

        def kill(target: int) -> bool:
            driver.stdin.write(f"{target}\n")
            driver.stdin.flush()
            return {"True\n": True, "False\n": False}[driver.stdout.readline()]

        yield kill
        driver.stdin.close()
        assert driver.wait(20) == 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_any_line_the_database_is_whole_and_the_next_push_completes_it(world: World) -> None:
    before, original = rows(world.database), world.database.read_bytes()
    world.push()
    after, pushed = rows(world.database), len(world.made.faces())
    assert pushed == 14
    assert world.undo() == 14
    assert rows(world.database) == before
    with killer(world) as kill:
        for target in itertools.count(1):
            for file in (*world.folder.iterdir(), *swap.backups(world.database)):
                file.unlink()
            world.database.write_bytes(original)
            killed = kill(target)
            assert integrity(world.database) == "ok", target
            now, kept = rows(world.database), [rows(backup) for backup in swap.backups(world.database)]
            assert now in (before, after), target
            assert all(backup == before for backup in kept), target
            assert now == before or kept, target
            world.push()
            assert rows(world.database) == after, target
            assert not leftovers(world), target
            if not killed:
                break
    assert target > 150
    assert world.undo() == 14
    assert rows(world.database) == before


def integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("PRAGMA integrity_check").fetchone()[0])


@contextmanager
def another(code: str, *words: str | Path) -> Iterator[None]:
    """Another program that has said that it is ready, for as long as the block lasts."""
    command = [sys.executable, "-c", code, *map(str, words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield
        process.communicate()


OPENS = "import sys; file = open(sys.argv[1]); print('ready', flush=True); sys.stdin.read()"
LOCKS = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE" if sys.argv[2] == "writes" else "BEGIN")
db.execute("SELECT * FROM Tags").fetchone()
print("ready", flush=True)
sys.stdin.read()
"""
LOOKS_LIKE_DIGIKAM = """
import sys
open("/proc/self/comm", "w").write("digikam")
print("ready", flush=True)
sys.stdin.read()
"""


def refused(world: World, kind: type[errors.DigikamError]) -> str:
    """The sentence with which a push is refused; it leaves the database and its folder as they were."""
    before, files = world.database.read_bytes(), sorted(world.database.parent.iterdir())
    with pytest.raises(kind) as told:
        world.push()
    assert world.database.read_bytes() == before
    assert sorted(world.database.parent.iterdir()) == files
    assert "Nothing was changed" in told.value.message
    return told.value.message


def test_while_a_program_has_the_database_open_nothing_is_pushed(world: World) -> None:
    with another(OPENS, world.database):
        assert "Close it and try again" in refused(world, errors.DigikamRuns)
    assert world.push().plan.count(State.UNCONFIRMED) == 14


def test_while_digikam_starts_nothing_is_pushed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # it is this user's digiKam, and no other test's
    with another(LOOKS_LIKE_DIGIKAM):
        assert "digiKam (process" in refused(world, errors.DigikamRuns)


@pytest.mark.parametrize("how", ["reads", "writes"])
def test_who_locks_the_database_keeps_kith_out_and_kith_them(world: World, how: str) -> None:
    """As between a digiKam on another machine, whose files this machine can't see, and Kith."""
    waits = pytest.raises(errors.DatabaseBusy, match="locked by another program")
    with another(LOCKS, world.database, how), waits, locked(world.database, 0.1):
        raise AssertionError("it isn't locked")
    with locked(world.database, 0.1):
        command = [sys.executable, "-c", LOCKS, world.database, how]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert "database is locked" in done.stderr


def test_a_journal_that_a_killed_digikam_left_is_left_to_digikam(world: World) -> None:
    journal = world.database.with_name("digikam4.db-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    with pytest.raises(errors.DatabaseBusy, match="Start digiKam and end it once"):
        world.push()
    journal.write_bytes(bytes(512))
    assert world.push().backup is not None


def test_a_damaged_database_is_left_alone(world: World) -> None:
    with world.made.open() as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'dir_index'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with world.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert "is damaged" in refused(world, errors.NotWritten)


def test_on_a_full_disk_nothing_is_changed(world: World, tmp_path: Path) -> None:
    size = world.database.stat().st_size
    with disk(tmp_path / "small", f"{size + size // 2}") as small:
        original = world.database.read_bytes()
        (small / "digikam4.db").write_bytes(original)
        world.database = world.made.path = small / "digikam4.db"
        assert "no space left" in refused(world, errors.NotWritten)


def test_where_kith_cant_note_what_it_pushed_it_pushes_nothing(world: World, tmp_path: Path) -> None:
    with disk(tmp_path / "record", "4k") as full:
        (full / "filling").write_bytes(bytes(4096))
        assert "digiKam" in refused_for(world, full)


def refused_for(world: World, folder: Path) -> str:
    world.folder = folder / "record"
    return refused(world, errors.NotWritten)


def test_the_file_keeps_its_mode_and_a_link_stays_one(world: World, tmp_path: Path) -> None:
    world.database.chmod(0o640)
    link = tmp_path / "link.db"
    link.symlink_to(world.database)
    real, world.database = world.database, link
    world.push()
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert len(swap.backups(link)) == 1


def test_the_last_three_backups_are_kept(world: World) -> None:
    first = rows(world.database)
    for _ in range(3):
        world.push()
        world.undo()
    backups = swap.backups(world.database)
    assert len(backups) == 3
    assert rows(backups[-2]) == first
    assert rows(world.database) == first


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def changed_at(world: World, *moment: int) -> Path:
    """Change digiKam's database at a moment in UTC; gives the backup."""
    done = swap.replaced(world.database, _counted, lambda _: None, lambda: datetime(*moment, tzinfo=UTC))
    assert done is not None
    return done[1]


def _counted(db: sqlite3.Connection) -> bool:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.execute(f"PRAGMA user_version = {version + 1}")
    return True


@pytest.mark.usefixtures("_in_berlin")
def test_the_youngest_backups_are_kept_in_the_night_when_clocks_go_back(world: World) -> None:
    was = []
    made = []
    for hour, minute in ((0, 50), (1, 10), (1, 30), (1, 40)):  # 2:50 in summer, then 2:10, 2:30 and 2:40 in winter
        was.append(world.database.read_bytes())
        made.append(changed_at(world, 2026, 10, 25, hour, minute))
    assert swap.backups(world.database) == made[1:]
    assert [backup.read_bytes() for backup in made[1:]] == was[1:]
    assert made == sorted(made)
    assert all(backup.name.endswith("Z") for backup in made)


@pytest.mark.usefixtures("_in_berlin")
def test_backups_named_by_the_clock_of_the_place_still_count_and_files_of_others_stay(world: World) -> None:
    words = ("2026-07-01-130000", "2026-07-01-130000-500000", "2026-07-01-130000-500000.copy", "for-ever")
    files = [world.database.with_name(f"{world.database.name}.before-kith-{word}") for word in words]
    for file in files:
        file.write_bytes(b"")
    older, old, *strange = files
    first = changed_at(world, 2026, 7, 1, 11, 30)  # half past one
    assert swap.backups(world.database) == [older, old, first]
    second = changed_at(world, 2026, 7, 1, 11, 40)
    assert swap.backups(world.database) == [old, first, second]
    assert all(file.exists() for file in strange)


def test_the_backup_just_made_is_kept_even_if_the_clock_was_put_back(world: World) -> None:
    for year in (2026, 2027, 2028, 2020):
        backup = changed_at(world, year, 1, 1)
    assert backup.exists()
    assert len(swap.backups(world.database)) == 3
