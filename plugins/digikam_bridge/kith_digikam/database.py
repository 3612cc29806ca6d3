"""digiKam's database file, opened to be read: which versions are known, and what to say when it can't be read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from kith_digikam.errors import DatabaseBusy, NotFound, NotSqlite, UnknownSchema

OLDEST, TESTED, NEWEST = 10, 15, 17  # schema versions whose tables of photos, tags and faces are alike; README.md
PATIENCE = 10.0  # seconds to wait for a lock
MAGIC = b"SQLite format 3\0"


@contextmanager
def opened(path: Path, patience: float = PATIENCE) -> Iterator[sqlite3.Connection]:
    """One consistent look at digiKam's database, which is never written; digiKam may run meanwhile.

    digiKam can't save while the look lasts: read quickly. Raises NotFound, NotSqlite, UnknownSchema, DatabaseBusy.
    """
    _must_be_sqlite(path)
    alone = _has_a_closed_log(path)
    with explained(path):
        uri = f"file:{quote(os.fspath(path.absolute()))}?mode=ro{'&immutable=1' if alone else ''}"
        with closing(sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)) as db:
            db.execute("PRAGMA query_only = ON")
            db.execute("BEGIN")
            check_version(db, path)
            yield db
    if alone and users(path):
        raise DatabaseBusy(f"digiKam was started while {path} was read. Try again. Nothing was changed.")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors about a file as the bridge's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
            raise DatabaseBusy(
                f"digiKam was ended while it wrote {path}. Start digiKam and end it once, so that it puts its database "
                "in order; then try again. Nothing was changed."
            ) from error
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DatabaseBusy(
                f"{path} is locked by another program, most likely by digiKam while it saves. "
                "Wait until it is done, or close digiKam, and try again. Nothing was changed."
            ) from error
        raise NotSqlite(f"{path} can't be read as digiKam's database ({error}). Nothing was changed.") from error
    except sqlite3.DatabaseError as error:
        raise NotSqlite(f"{path} can't be read as digiKam's database ({error}). Nothing was changed.") from error


def version(db: sqlite3.Connection) -> int | None:
    """The version of the database's schema as digiKam noted it; None where it is no database of digiKam's."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"Settings", "Images", "ImageTagProperties"} <= tables:
        return None
    row = db.execute("SELECT value FROM Settings WHERE keyword = 'DBVersion'").fetchone()
    return int(row[0]) if row and str(row[0]).isdecimal() else None


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """The version of the schema. Raises UnknownSchema for one that the bridge doesn't know, NotSqlite for none."""
    found = version(db)
    if found is None:
        raise NotSqlite(f"{path} is no database of digiKam's; its main one is called digikam4.db.")
    if found < OLDEST:
        raise UnknownSchema(
            f"{path} is of an old digiKam (schema {found}; Kith knows {OLDEST} to {NEWEST}). Open it once with digiKam "
            "7 or newer, which brings it up to date, and try again. Nothing was changed."
        )
    if found > NEWEST:
        raise UnknownSchema(
            f"{path} is of a newer digiKam than this Kith knows (schema {found}; Kith knows {OLDEST} to {NEWEST}). "
            "Install a newer Kith. Nothing was changed."
        )
    return found


def users(path: Path) -> list[int]:
    """The processes of this user, but for this one, that have a file open."""
    wanted = path.stat()
    return [pid for pid in _pids() if pid != os.getpid() and _has_open(pid, (wanted.st_dev, wanted.st_ino))]


def _has_a_closed_log(path: Path) -> bool:
    """Whether this is a database with a write-ahead log that nobody uses.

    SQLite would leave an empty log beside it after reading (fileformat2.html: bytes 18 and 19 of the file are 2).
    """
    with path.open("rb") as file:
        head = file.read(20)
    return head[18:20] == b"\x02\x02" and not path.with_name(f"{path.name}-wal").exists() and not users(path)


def _pids() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal()]


def _has_open(pid: int, wanted: tuple[int, int]) -> bool:
    try:
        handles = list(os.scandir(f"/proc/{pid}/fd"))
    except OSError:
        return False  # another user's, or gone meanwhile
    for handle in handles:
        try:
            state = handle.stat()
        except OSError:
            continue
        if (state.st_dev, state.st_ino) == wanted:
            return True
    return False


def _must_be_sqlite(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except FileNotFoundError as error:
        raise NotFound(f"There is no {path}.") from error
    except OSError as error:
        raise NotFound(f"{path} can't be read: {error.strerror}.") from error
    if head != MAGIC:
        raise NotSqlite(f"{path} is no SQLite database. digiKam's main database is called digikam4.db.")
