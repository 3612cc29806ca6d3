"""What digiKam's database says is read as digiKam means it, whatever it is doing, and nothing is written there."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from digikam_made import IGNORED, UNKNOWN, MadeDatabase, every_schema, rect
from kith_digikam import database, reading
from kith_digikam.errors import DatabaseBusy, NotFound, NotSqlite, UnknownSchema
from kith_digikam.reading import Face, Library, Picture, State
from kith_digikam.regions import Rect, Size

A, B, C = Rect(10, 20, 30, 40), Rect(110, 20, 30, 40), Rect(210, 20, 30, 40)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def made(tmp_path: Path, photos: Path, schema: int) -> MadeDatabase:
    sizes = {"1.jpg": (3000, 2000, 1), "2.jpg": (2000, 3000, 6), "3.jpg": (3000, 2000, 1)}
    return MadeDatabase(tmp_path / "db" / "digikam4.db", photos, sizes, schema)


@pytest.fixture
def unconfirmed(made: MadeDatabase) -> int:
    """The tag under which digiKam repeats its guesses."""
    tag = made.person("Unconfirmed")
    run(made, "INSERT INTO TagProperties VALUES (?, 'unconfirmedPerson', NULL)", tag)
    return tag


def run(made: MadeDatabase, statement: str, *values: object) -> None:
    with made.open() as db:
        db.execute(statement, values)


def read(made: MadeDatabase) -> Library:
    return reading.read(made.path, patience=0.2)


def only(made: MadeDatabase) -> Picture:
    (picture,) = read(made).pictures
    return picture


@every_schema
def test_people_are_the_leaves_of_the_tag_tree_that_digikam_calls_persons(made: MadeDatabase) -> None:
    made.person("Anna")
    family = made.person("Family")
    run(made, "INSERT INTO Tags (id, pid, name) VALUES (900, ?, 'Otto')", family)
    run(made, "INSERT INTO TagProperties VALUES (900, 'person', 'Otto')")
    run(made, "INSERT INTO Tags (pid, name) VALUES (0, 'Holiday')")
    assert read(made).names == ("Anna", "Family", "Otto")


def test_two_people_of_one_name_are_told(made: MadeDatabase) -> None:
    other = made.person("Colleagues")
    made.person("Anna")
    run(made, "INSERT INTO Tags (id, pid, name) VALUES (900, ?, 'Anna')", other)
    run(made, "INSERT INTO TagProperties VALUES (900, 'person', 'Anna')")
    assert read(made).several == ("Anna",)


@every_schema
def test_faces_are_read_in_every_state(made: MadeDatabase, unconfirmed: int) -> None:
    anna, otto = made.person("Anna"), made.person("Otto")
    made.add(1, anna, "tagRegion", rect(*A))
    made.add(1, otto, "autodetectedFace", rect(*B))
    made.add(1, unconfirmed, "autodetectedPerson", f"{otto},autodetectedFace,{rect(*B)}")
    made.add(1, made.special(UNKNOWN), "autodetectedFace", rect(*C))
    made.add(1, made.special(IGNORED), "ignoredFace", rect(210, 220, 30, 40))
    picture = only(made)
    assert picture.faces == (
        Face(State.CONFIRMED, A, "Anna"),
        Face(State.UNCONFIRMED, B, "Otto"),
        Face(State.UNKNOWN, C),
        Face(State.IGNORED, Rect(210, 220, 30, 40)),
    )
    assert picture.people == ()


@every_schema
def test_the_size_in_the_file_and_the_orientation_come_along(made: MadeDatabase) -> None:
    made.add(2, made.person("Anna"), "tagRegion", rect(*A))
    picture = only(made)
    assert (picture.name, picture.stored, picture.orientation) == ("2.jpg", Size(2000, 3000), 6)


def test_a_face_that_is_there_twice_is_one(made: MadeDatabase) -> None:
    anna = made.person("Anna")
    made.add(1, anna, "tagRegion", rect(*A))
    made.add(1, anna, "tagRegion", rect(*A))
    made.add(1, anna, "faceToTrain", rect(*A))
    assert only(made).faces == (Face(State.CONFIRMED, A, "Anna"),)


@every_schema
def test_who_is_tagged_without_a_face_is_there_without_one(made: MadeDatabase) -> None:
    anna, otto = made.person("Anna"), made.person("Otto")
    made.add(1, anna, "tagRegion", rect(*A))
    run(made, "INSERT INTO ImageTags VALUES (1, ?)", otto)
    run(made, "INSERT INTO ImageTags VALUES (3, ?)", anna)
    pictures = {picture.name: picture for picture in read(made).pictures}
    assert pictures["1.jpg"].people == ("Otto",)
    assert pictures["3.jpg"].people == ("Anna",)


@every_schema
def test_who_a_face_was_said_not_to_be_is_read_where_digikam_keeps_it(made: MadeDatabase) -> None:
    """As digiKam 9.1 notes it."""
    anna, otto = made.person("Anna"), made.person("Otto")
    made.add(1, made.special(UNKNOWN), "autodetectedFace", rect(*A))
    made.add(1, made.special(UNKNOWN), "faceTagExtendedData", f"{rect(*A)},{anna};{otto};99999;x")
    assert only(made).faces == (Face(State.UNKNOWN, A, None, ("Anna", "Otto")),)


def test_regions_that_cannot_be_read_are_counted(made: MadeDatabase) -> None:
    anna = made.person("Anna")
    made.add(1, anna, "tagRegion", "<rect/>")
    made.add(1, anna, "tagRegion", rect(*A))
    library = read(made)
    assert library.unread == 1
    assert library.pictures[0].faces == (Face(State.CONFIRMED, A, "Anna"),)


@every_schema
def test_photos_in_the_wastebasket_and_films_are_left_out(made: MadeDatabase) -> None:
    anna = made.person("Anna")
    for image in (1, 2, 3):
        made.add(image, anna, "tagRegion", rect(*A))
    run(made, "UPDATE Images SET status = 3 WHERE id = 1")
    run(made, "UPDATE Images SET category = 2 WHERE id = 2")
    assert [picture.name for picture in read(made).pictures] == ["3.jpg"]


@every_schema
def test_pictures_have_the_path_where_their_root_is(made: MadeDatabase, photos: Path, tmp_path: Path) -> None:
    made.add(1, made.person("Anna"), "tagRegion", rect(*A))
    run(made, "INSERT INTO Albums (id, albumRoot, relativePath) VALUES (2, 1, '/2019/ümlaut')")
    run(made, "UPDATE Images SET album = 2 WHERE id = 3")
    (tmp_path / "link").symlink_to(photos)
    library = read(made)
    assert [root.path for root in library.roots] == [photos]
    found = reading.paths(library, {1: tmp_path / "link"})
    here = os.fsencode(photos.resolve())
    assert set(found) == {here + b"/1.jpg", here + b"/2.jpg", here + "/2019/ümlaut/3.jpg".encode()}
    assert reading.paths(library, {}) == {}


# -- versions -----------------------------------------------------------------------------------------------------


@every_schema
def test_the_schema_is_known(made: MadeDatabase, schema: int) -> None:
    assert read(made).version == schema


@pytest.mark.parametrize(
    ("version", "what"), [("9", "old digiKam"), ("18", "newer digiKam"), ("x", "no database of digiKam's")]
)
def test_an_unknown_schema_is_refused_clearly(made: MadeDatabase, version: str, what: str) -> None:
    run(made, "UPDATE Settings SET value = ? WHERE keyword = 'DBVersion'", version)
    with pytest.raises((UnknownSchema, NotSqlite), match=what) as told:
        read(made)
    assert str(made.path) in str(told.value)


def test_what_is_no_database_of_digikam_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no"):
        reading.read(tmp_path / "digikam4.db")
    (tmp_path / "digikam4.db").write_bytes(b"")
    with pytest.raises(NotSqlite, match="no SQLite database"):
        reading.read(tmp_path / "digikam4.db")
    (tmp_path / "digikam4.db").unlink()
    with closing(sqlite3.connect(tmp_path / "digikam4.db")) as db:
        db.execute("CREATE TABLE Thumbnails (id INTEGER)")
    with pytest.raises(NotSqlite, match="no database of digiKam's"):
        reading.read(tmp_path / "digikam4.db")


def test_a_damaged_database_is_refused(made: MadeDatabase) -> None:
    with made.path.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(8000))
    with pytest.raises(NotSqlite, match="can't be read"):
        read(made)


# -- beside digiKam -----------------------------------------------------------------------------------------------


@pytest.fixture
def digikam(made: MadeDatabase) -> Iterator[sqlite3.Connection]:
    """A connection as digiKam has it."""
    with made.open() as db:
        yield db


def test_reading_beside_a_digikam_that_runs_changes_nothing(made: MadeDatabase, digikam: sqlite3.Connection) -> None:
    made.add(1, made.person("Anna"), "tagRegion", rect(*A))
    before = made.path.read_bytes()
    digikam.execute("SELECT count(*) FROM Images").fetchone()
    assert read(made).faces(State.CONFIRMED) == 1
    assert made.path.read_bytes() == before
    assert {path.name for path in made.path.parent.iterdir()} == {"digikam4.db"}


def test_a_locked_database_is_said_so(made: MadeDatabase, digikam: sqlite3.Connection) -> None:
    digikam.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseBusy, match="locked by another program, most likely by digiKam"):
        read(made)
    digikam.execute("ROLLBACK")
    read(made)


def test_what_a_digikam_that_was_killed_left_half_done_is_not_read(made: MadeDatabase) -> None:
    half_done(made.path)
    before = made.path.read_bytes()
    with pytest.raises(DatabaseBusy, match="Start digiKam and end it once"):
        read(made)
    assert made.path.read_bytes() == before


def half_done(path: Path) -> None:
    """The state on disk when a program is killed between its journal and its commit."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO Settings VALUES (?, ?)", [(f"k{i}", "x" * 1000) for i in range(200)])
        state, journal = path.read_bytes(), Path(f"{path}-journal").read_bytes()
        db.execute("ROLLBACK")
    path.write_bytes(state)
    Path(f"{path}-journal").write_bytes(journal)


def test_a_database_with_a_write_ahead_log_is_read_with_what_stands_in_the_log(
    made: MadeDatabase, digikam: sqlite3.Connection
) -> None:
    digikam.execute("PRAGMA journal_mode = WAL")
    made.add(1, made.person("Anna"), "tagRegion", rect(*A))
    assert read(made).faces(State.CONFIRMED) == 1


def test_nothing_is_left_beside_a_database_whose_log_was_closed(made: MadeDatabase) -> None:
    made.add(1, made.person("Anna"), "tagRegion", rect(*A))
    with made.open() as db:
        db.execute("PRAGMA journal_mode = WAL")
    before = made.path.read_bytes()
    assert read(made).faces(State.CONFIRMED) == 1
    assert made.path.read_bytes() == before
    assert {path.name for path in made.path.parent.iterdir()} == {"digikam4.db"}


def test_who_has_the_database_open_is_known(made: MadeDatabase) -> None:
    assert database.users(made.path) == []
    program = f"import sys; file = open({str(made.path)!r}, 'rb'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert database.users(made.path) == [other.pid]
    assert database.users(made.path) == []
