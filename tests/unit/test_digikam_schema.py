"""The databases of digiKam that tests make are as digiKam makes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

import digikam_schema
from digikam_made import DATA, SCHEMAS

IMAGES = range(1, 5)
# What happens to a database, one after the other: each row is gone or moved with all that hangs on it.
CHANGES = (
    "UPDATE Tags SET pid = 4 WHERE id = 2",
    "UPDATE Tags SET pid = 0 WHERE id = 3",
    "UPDATE Tags SET name = 'Anna Freud' WHERE id = 3",
    "DELETE FROM Images WHERE id = 1",
    "DELETE FROM Tags WHERE id = 5",
    "DELETE FROM Tags WHERE id = 4",
    "DELETE FROM Albums WHERE id = 1",
    "DELETE FROM AlbumRoots WHERE id = 2",
)


@pytest.fixture(scope="module")
def real() -> Iterator[sqlite3.Connection]:
    """An empty database as the installed digiKam makes it."""
    if not digikam_schema.CONFIGURATION.is_file():
        pytest.skip("needs digiKam's data files")
    with closing(digikam_schema.installed()) as db:
        yield db


@pytest.fixture(scope="module")
def schema(real: sqlite3.Connection) -> int:
    (version,) = real.execute("SELECT value FROM Settings WHERE keyword = 'DBVersion'").fetchone()
    return int(version)


def ours(schema: int) -> closing[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript((DATA / f"digikam-{schema}.sql").read_text())
    return closing(db)


def test_our_database_has_the_structure_of_the_installed_digikams(real: sqlite3.Connection, schema: int) -> None:
    assert schema in SCHEMAS
    with ours(schema) as db:
        assert digikam_schema.statements(db) == digikam_schema.statements(real)


def test_what_digikam_deletes_and_moves_by_itself_is_deleted_and_moved_in_our_database_too(
    real: sqlite3.Connection, schema: int
) -> None:
    with ours(schema) as db:
        for each in (db, real):
            fill(each)
        assert contents(db) == contents(real)
        for change in CHANGES:
            before = contents(real)
            for each in (db, real):
                each.execute(change)
            assert contents(db) == contents(real) != before, change


def fill(db: sqlite3.Connection) -> None:
    """Two album roots, two albums in each, a photo in each album, a tree of tags, and a row of everything for each."""
    for number in (1, 2):
        db.execute("INSERT INTO AlbumRoots (id, status, type, identifier) VALUES (?, 0, 1, ?)", [number, f"{number}"])
    for number in IMAGES:
        root = (number + 1) // 2
        values = [number, root, f"/{number}", 5 - number]
        db.execute("INSERT INTO Albums (id, albumRoot, relativePath, icon) VALUES (?, ?, ?, ?)", values)
        db.execute("INSERT INTO Images (id, album, name, status, category) VALUES (?, ?, 'x', 1, 1)", [number, number])
    for tag, above in ((1, 0), (2, 1), (3, 2), (4, 0), (5, 4), (6, 5)):
        db.execute("INSERT INTO Tags (id, pid, name, icon) VALUES (?, ?, ?, ?)", [tag, above, f"t{tag}", tag % 4 + 1])
        db.execute("INSERT INTO TagProperties VALUES (?, 'person', 'x')", [tag])
    for table, columns in tables(db).items():
        if "imageid" in columns:
            places = ", ".join("?" if column in ("imageid", "tagid") else "'x'" for column in columns if column != "id")
            named = ", ".join(column for column in columns if column != "id")
            for image in IMAGES:
                values = [image, image + 2] if "tagid" in columns else [image]
                db.execute(f"INSERT INTO {table} ({named}) VALUES ({places})", values)
    db.executemany("INSERT INTO ImageRelations VALUES (?, ?, 1)", [(1, 2), (2, 3), (3, 4), (4, 1)])


def tables(db: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table."""
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for (name,) in names}


def contents(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in tables(db)}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_each_file_says_all_that_there_is_in_its_database(schema: int) -> None:
    text = (DATA / f"digikam-{schema}.sql").read_text()
    with ours(schema) as db:
        assert "".join(f"{statement};\n" for statement in digikam_schema.statements(db)) == text.partition("\n")[2]
        noted = dict(db.execute("SELECT keyword, value FROM Settings"))
    assert noted == {"DBVersion": str(schema), "DBVersionRequired": "5", "Locale": "UTF-8"}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE Pets (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TABLE Pets (name TEXT COLLATE NOCASE)",
        "CREATE TABLE Pets (name TEXT, kind TEXT, PRIMARY KEY (name, kind))",
        "CREATE INDEX some ON Images (name) WHERE status = 1",
        "CREATE TRIGGER more AFTER INSERT ON Images BEGIN DELETE FROM Tags; END",
    ],
)
def test_what_there_are_no_words_for_is_refused_rather_than_left_out(statement: str) -> None:
    with ours(SCHEMAS[0]) as db:
        db.execute(statement)
        with pytest.raises(ValueError, match=r"no pragma tells|several columns|nobody has said"):
            digikam_schema.statements(db)
