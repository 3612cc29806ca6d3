"""Opening the catalogue, and the two ways to use it: `read` and `write`."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from sqlite_utils import Database

from kith.catalogue.schema import NAMES, migrations
from kith.errors import CatalogueCorrupt, CatalogueTooNew, DiskFull, NotFound

P = ParamSpec("P")
T = TypeVar("T")

PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000")


class Catalogue:
    """The one writing connection, and a reading one for each thread that reads.

    A write is a function given to `write`, which runs it in one transaction; reads never wait for it, and see what was
    committed. `on_commit` is called after each write, in the thread that wrote.
    """

    def __init__(self, path: Path, *, readonly: bool) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._local = threading.local()
        self._readers: list[Database] = []
        self._db = _connected(path)
        self.on_commit: Callable[[], None] = _nothing
        _migrate(self._db, path)
        if readonly:
            self._db.conn.execute("PRAGMA query_only = ON")

    def read(self, fn: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `fn(db, ...)`, which must not write."""
        return fn(self._reader(), *args, **kwargs)

    def write(self, fn: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `fn(db, ...)`, committed to disk; an exception rolls everything back."""
        try:
            with self._lock, self._db.atomic():
                result = fn(self._db, *args, **kwargs)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise DiskFull("The disk that holds Kith's catalogue is full. Free some space and go on.") from error
            raise
        self.on_commit()
        return result

    def together(self, fn: Callable[[Catalogue], T]) -> T:
        """The result of `fn(catalogue)`, all of whose reads and writes are one transaction."""
        return self.write(lambda db: fn(cast(Catalogue, _Transaction(db))))

    def close(self) -> None:
        for db in (*self._readers, self._db):
            db.close()

    def _reader(self) -> Database:
        if not hasattr(self._local, "db"):
            self._local.db = _connected(self._path)
            self._local.db.conn.execute("PRAGMA query_only = ON")
            self._readers.append(self._local.db)
        return cast(Database, self._local.db)


class _Transaction:
    """What `Catalogue.together` hands out: reads and writes go to the transaction that is under way."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def read(self, fn: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return fn(self._db, *args, **kwargs)

    write = read


def _nothing() -> None:
    pass


def open_catalogue(path: Path, *, readonly: bool = False) -> Catalogue:
    """Open the catalogue, create or migrate it if need be.

    `readonly` opens an existing one without changing anything. Raises CatalogueTooNew, CatalogueCorrupt, or NotFound
    where a catalogue to read doesn't exist yet.
    """
    if readonly and not path.exists():
        raise NotFound("Kith knows no photos yet: run `kith scan FOLDER` first.")
    if not readonly:
        path.touch(mode=0o600)
    try:
        return Catalogue(path, readonly=readonly)
    except sqlite3.DatabaseError as error:
        raise CatalogueCorrupt(
            f"{path} can't be used as Kith's catalogue ({error}). Nothing was changed. `kith rebuild --from-sidecars` "
            "moves it aside and brings the names back from the sidecars beside your photos."
        ) from error


def _connected(path: Path) -> Database:
    connection = sqlite3.connect(path, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return Database(connection)


def set_aside(path: Path) -> Path | None:
    """Move a catalogue that is damaged out of the way, with its journal; gives where, None where it is sound or absent.

    Nothing of it is lost: SQLite's own tools may still read what is whole in it.
    """
    if not path.exists() or _is_sound(path):
        return None
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _is_sound(path: Path) -> bool:
    try:
        connection = sqlite3.connect(path)
        try:
            return bool(connection.execute("PRAGMA quick_check").fetchall() == [("ok",)])
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return False


def _migrate(db: Database, path: Path) -> None:
    unknown = {migration.name for migration in migrations.applied(db)} - NAMES
    if unknown:
        raise CatalogueTooNew(
            f"{path} was written by a newer Kith ({', '.join(sorted(unknown))}). Install that version or a later one."
        )
    if migrations.pending(db):
        migrations.apply(db)
