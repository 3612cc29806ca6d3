"""The structure of digiKam's main database in words of our own: how tests/data/digikam-*.sql are made.

digikam_schema.py DATABASE PROGRAM    prints the SQL of a digikam4.db that PROGRAM, say "digiKam 7.9.0", has made

Tables and indexes are written down from what SQLite's pragmas say of them, in the order of their names. No pragma tells
of triggers: those have their words here, and tests/unit/test_digikam_schema.py tries them beside the ones of the
digiKam that is installed.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

CONFIGURATION = Path("/usr/share/digikam/database/dbconfig.xml")  # with it digiKam makes new databases
NOTED = ("DBVersion", "DBVersionRequired", "Locale")  # what digiKam looks at before it uses a database
UNTOLD = r"\b(AUTOINCREMENT|CHECK|COLLATE|DESC|GENERATED|REFERENCES|STRICT|VIEW|VIRTUAL|WHERE|WITHOUT)\b"


def _takes_along(table: str, *others: str, icons: tuple[str, ...] = ()) -> str:
    """The body of a trigger: which rows elsewhere go with a row, and which tables had it as their icon."""
    lines = []
    for other in others:
        name, *columns = other.split(".")
        lines.append(f"DELETE FROM {name} WHERE {' OR '.join(f'{column} = OLD.id' for column in columns)};")
    lines += [f"UPDATE {name} SET icon = NULL WHERE icon = OLD.id;" for name in icons]
    return f"BEFORE DELETE ON {table}\n" + "\n".join(lines)


# By name, what a trigger does. TagsTree has a row for each tag and each of the tags above it, 0 for none included.
IMAGE_TABLES = "Tags Information TagProperties Metadata Positions Comments Copyright Properties History"
TRIGGERS = {
    "delete_albumroot": _takes_along("AlbumRoots", "Albums.albumRoot"),
    "delete_album": _takes_along("Albums", "Images.album"),
    "delete_image": _takes_along(
        "Images",
        *(f"Image{name}.imageid" for name in IMAGE_TABLES.split()),
        "VideoMetadata.imageid",
        "ImageRelations.subject.object",
        icons=("Albums", "Tags"),
    ),
    "delete_tag": _takes_along("Tags", "ImageTags.tagid", "ImageTagProperties.tagid", "TagProperties.tagid"),
    "insert_tagstree": """AFTER INSERT ON Tags
INSERT INTO TagsTree (id, pid) VALUES (NEW.id, NEW.pid);
INSERT INTO TagsTree (id, pid) SELECT NEW.id, above.pid FROM TagsTree above WHERE above.id = NEW.pid;""",
    "delete_tagstree": """BEFORE DELETE ON Tags
DELETE FROM Tags WHERE id IN (SELECT below.id FROM TagsTree below WHERE below.pid = OLD.id);
DELETE FROM TagsTree WHERE id = OLD.id OR id IN (SELECT below.id FROM TagsTree below WHERE below.pid = OLD.id);""",
    "move_tagstree": """BEFORE UPDATE OF pid ON Tags
DELETE FROM TagsTree WHERE (id = OLD.id OR id IN (SELECT below.id FROM TagsTree below WHERE below.pid = OLD.id))
    AND pid IN (SELECT above.pid FROM TagsTree above WHERE above.id = OLD.id);
INSERT INTO TagsTree (id, pid) SELECT moved.id, above.id FROM
    (SELECT NEW.id UNION SELECT id FROM TagsTree WHERE pid = NEW.id) moved,
    (SELECT NEW.pid AS id UNION SELECT pid FROM TagsTree WHERE id = NEW.pid) above;""",
}


def statements(db: sqlite3.Connection) -> list[str]:
    """SQL that makes an empty database of the same structure, for the same version of digiKam.

    Raises ValueError for what it has no words for.
    """
    tables = sorted(name for (name,) in _names(db, "table") if not name.startswith("sqlite_"))
    for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type <> 'trigger' AND sql IS NOT NULL"):
        if untold := re.search(UNTOLD, sql, re.IGNORECASE):
            raise ValueError(f"no pragma tells about {untold[0]} in: {sql}")
    indexes = sorted(index for table in tables for index in _indexes(db, table))
    noted = [(name, _noted(db, name)) for name in NOTED]
    return [
        *(_table(db, name) for name in tables),
        *indexes,
        *(_trigger(name) for (name,) in _names(db, "trigger")),
        *(f"INSERT INTO Settings (keyword, value) VALUES ('{name}', '{value}')" for name, value in noted if value),
    ]


def _names(db: sqlite3.Connection, kind: str) -> list[tuple[str]]:
    """In the order in which they were made: triggers run by it."""
    return db.execute("SELECT name FROM sqlite_master WHERE type = ? ORDER BY rowid", [kind]).fetchall()


def _noted(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM Settings WHERE keyword = ?", [name]).fetchone()
    return row[0] if row else None


def _table(db: sqlite3.Connection, table: str) -> str:
    columns = db.execute('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', [table]).fetchall()
    (keys,) = db.execute("SELECT count(*) FROM pragma_table_info(?) WHERE pk", [table]).fetchone()
    if keys > 1:
        raise ValueError(f"{table} has a primary key of several columns")
    parts = [
        f"{name} {kind}{' PRIMARY KEY' * bool(key)}{' NOT NULL' * filled}{f' DEFAULT {usual}' if usual else ''}"
        for name, kind, filled, usual, key in columns
    ]
    parts += [f"UNIQUE ({', '.join(_columns(db, index))})" for index in _unique(db, table)]
    return f"CREATE TABLE {table} (\n{_wrapped(parts)}\n)"


def _wrapped(parts: list[str]) -> str:
    """Parts with commas between, in lines that end with a part."""
    whole = ", ".join(part.replace(" ", "\0") for part in parts)
    return textwrap.indent(textwrap.fill(whole, 110, break_long_words=False), "    ").replace("\0", " ")


def _unique(db: sqlite3.Connection, table: str) -> Iterator[str]:
    for (name,) in db.execute("SELECT name FROM pragma_index_list(?) WHERE origin = 'u' ORDER BY seq DESC", [table]):
        yield name


def _indexes(db: sqlite3.Connection, table: str) -> Iterator[str]:
    for name, unique in db.execute("SELECT name, \"unique\" FROM pragma_index_list(?) WHERE origin = 'c'", [table]):
        yield f"CREATE {'UNIQUE ' * unique}INDEX {name} ON {table} ({', '.join(_columns(db, name))})"


def _columns(db: sqlite3.Connection, index: str) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", [index])]


def _trigger(name: str) -> str:
    if name not in TRIGGERS:
        raise ValueError(f"nobody has said yet what the trigger {name} does")
    when, _, what = TRIGGERS[name].partition("\n")
    return f"CREATE TRIGGER {name} {when} BEGIN\n{textwrap.indent(what, '    ')}\nEND"


def script(db: sqlite3.Connection, program: str) -> str:
    """The contents of a file of SQL for an empty database."""
    version = _noted(db, "DBVersion")
    head = f"-- An empty digikam4.db of schema {version}, as tests/digikam_schema.py read it in one of {program}."
    return "\n".join([head, *(f"{statement};" for statement in statements(db)), ""])


def installed() -> sqlite3.Connection:
    """An empty database in memory, made as the installed digiKam makes a new one."""
    configuration = ElementTree.parse(CONFIGURATION)
    (actions,) = configuration.iterfind("database[@name='QSQLITE']/dbactions")
    db = sqlite3.connect(":memory:", isolation_level=None)
    for part in ("CreateDB", "CreateIndices", "CreateTriggers"):
        for statement in actions.iterfind(f"dbaction[@name='{part}']/statement"):
            db.execute(statement.text or "")
    updates = [str(action.get("name")) for action in actions.iterfind("dbaction")]
    newest = max(int(found[1]) for name in updates if (found := re.fullmatch(r"UpdateSchemaFromV\d+ToV(\d+)", name)))
    noted = {"DBVersion": str(newest), "DBVersionRequired": "5", "Locale": "UTF-8"}
    db.executemany("INSERT INTO Settings VALUES (?, ?)", noted.items())
    return db


if __name__ == "__main__":
    with closing(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)) as database:
        print(script(database, sys.argv[2]), end="")
