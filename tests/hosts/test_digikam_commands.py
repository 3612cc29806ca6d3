"""`kith digikam import` says what is in its way, and asks for folders that were moved."""

from __future__ import annotations

import os
import pty
import sqlite3
from pathlib import Path

import pytest

from desk import Desk
from digikam_made import MadeDatabase, every_schema, rect

SETTINGS = "[Database Settings]\nDatabase Type={kind}\nDatabase Name={name}\nDatabase Hostname=nas\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "photos").mkdir()
    return Desk(tmp_path)


@pytest.fixture
def made(desk: Desk, schema: int) -> MadeDatabase:
    """A digiKam that knows Anna on one photo."""
    sizes = {"1.jpg": (3000, 2000, 1)}
    made = MadeDatabase(desk.home / "db" / "digikam4.db", desk.home / "photos", sizes, schema)
    made.add(1, made.person("Anna"), "tagRegion", rect(300, 200, 300, 400))
    configure(desk, "QSQLITE", f"{desk.home}/db/")
    return made


def configure(desk: Desk, kind: str, name: str) -> None:
    (desk.home / "config").mkdir(exist_ok=True)
    (desk.home / "config" / "digikamrc").write_text(SETTINGS.format(kind=kind, name=name))


def moved(made: MadeDatabase) -> None:
    with made.open() as db:
        db.execute("UPDATE AlbumRoots SET label = 'Pictures', identifier = 'volumeid:?path=/old/place'")


def refused(desk: Desk, *words: str | Path) -> str:
    done = desk.run("digikam", "import", *words)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@every_schema
def test_the_database_is_found_and_shown_before_kith_knows_anything(desk: Desk, made: MadeDatabase) -> None:
    before = made.path.read_bytes()
    said = desk.kith("digikam", "import", "--dry-run")
    assert said.splitlines()[1].split() == ["Anna", "1", "–", "–", "1", "–", "–"]
    assert "1 photo of these is not in Kith yet: `kith scan` their folders first, or add --scan." in said
    assert made.path.read_bytes() == before
    assert not (desk.home / "data").exists()


def test_mysql_an_unknown_schema_and_a_lock_are_said_with_what_to_do(desk: Desk, made: MadeDatabase) -> None:
    with made.open() as db:
        db.execute("UPDATE Settings SET value = '99' WHERE keyword = 'DBVersion'")
    assert "newer digiKam than this Kith knows (schema 99" in refused(desk)
    with made.open() as db:
        db.execute("UPDATE Settings SET value = '15' WHERE keyword = 'DBVersion'")
        db.execute("BEGIN EXCLUSIVE")
        assert "locked by another program" in refused(desk)
    configure(desk, "QMYSQL", "digikam")
    assert "MySQL server on nas" in refused(desk)
    assert "no SQLite database" in refused(desk, "--db", desk.home / "config" / "digikamrc")


def test_a_folder_that_was_moved_is_left_out_with_how_to_say_where_it_is(desk: Desk, made: MadeDatabase) -> None:
    moved(made)
    said = refused(desk)
    assert "Pictures isn't there (/old/place); its photos are left out. If it was moved: --root \"Pictures=" in said
    for name in ("Pictures", "/old/place"):
        assert "Anna" in desk.kith("digikam", "import", "--dry-run", "--root", f"{name}={desk.home / 'photos'}")


def test_a_folder_that_was_moved_is_asked_for_where_somebody_sits_at_a_terminal(desk: Desk, made: MadeDatabase) -> None:
    moved(made)
    process, terminal = pty.fork()
    if process == 0:
        command = desk.command("digikam", "import", "--dry-run")
        os.execvpe(command[0], command, desk.environment)
    said = read(terminal, b"Enter leaves it out")
    assert b"/old/place" in said
    os.write(terminal, b"/nowhere\n")
    read(terminal, b"/nowhere is not a folder")
    os.write(terminal, os.fsencode(desk.home / "photos") + b"\n")
    assert b"Anna" in read(terminal, b"Nothing was changed")
    os.close(terminal)
    os.waitpid(process, 0)


def read(terminal: int, until: bytes) -> bytes:
    said = b""
    while until not in said:
        said += os.read(terminal, 1000)
    return said


def test_what_a_killed_digikam_left_half_done_is_not_taken_for_its_word(desk: Desk, made: MadeDatabase) -> None:
    connection = sqlite3.connect(made.path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO Settings VALUES (?, ?)", [(f"k{i}", "x" * 1000) for i in range(200)])
    journal = Path(f"{made.path}-journal")
    halves = made.path.read_bytes(), journal.read_bytes()
    connection.close()
    made.path.write_bytes(halves[0])
    journal.write_bytes(halves[1])
    assert "Start digiKam and end it once" in refused(desk)
