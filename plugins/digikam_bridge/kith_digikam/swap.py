"""Changing digiKam's database while it is closed: on a copy that takes the original's place whole, or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from kith_digikam import database
from kith_digikam.closed import PATIENCE, locked, must_be_closed
from kith_digikam.errors import DatabaseBusy, DigikamRuns, NotWritten

KEPT = 3  # backups, the youngest
CHUNK = 1 << 22  # bytes read at once
MADE = "%Y%m%dT%H%M%S.%fZ"  # in a backup's name: ISO 8601, in UTC, since the clocks of a place go back
LOCAL = ("%Y-%m-%d-%H%M%S-%f", "%Y-%m-%d-%H%M%S")  # in names of older backups: by the clock of the place
Change = TypeVar("Change")


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def replaced(
    path: Path,
    change: Callable[[sqlite3.Connection], Change | None],
    about_to: Callable[[Change], None],
    clock: Callable[[], datetime] = now,
) -> tuple[Change, Path] | None:
    """Change the database at `path`; gives what `change` gave and the backup, or None where that was None.

    `change` works in one transaction on a copy beside the original; None leaves everything as it is. `about_to` is told
    what was changed right before the copy takes the original's place; `clock` tells the time, in UTC. Killed at any
    moment, one of the two is there whole. Raises DigikamRuns, DatabaseBusy, NotWritten and what database.opened raises;
    then nothing has changed.
    """
    path = path.resolve()
    if path.exists():
        must_be_closed(path)
    with database.opened(path, PATIENCE):
        pass
    with locked(path) as original, _explained(path):
        must_be_closed(path)
        _must_be_in_order(path)
        copy = path.with_name(f".{path.name}.kith-new")
        try:
            digest = _copied(original, path, copy)
            changed = _edited(copy, path, change)
            if changed is None:
                return None
            _flush(copy)
            if _digest(original) != digest or os.fstat(original).st_ino != path.stat().st_ino:
                raise DatabaseBusy(f"{path} was changed by another program meanwhile. Try again. Nothing was changed.")
            about_to(changed)
            return changed, _in_its_place(original, path, copy, clock())
        finally:
            _remove(copy)


def backups(path: Path) -> list[Path]:
    """The backups that pushes left beside a database, oldest first."""
    path = path.resolve()
    prefix = f"{path.name}.before-kith-"
    found = [file for file in path.parent.iterdir() if file.name.startswith(prefix)]
    made = {file: moment for file in found if (moment := _moment(file.name.removeprefix(prefix))) is not None}
    return sorted(made, key=made.__getitem__)


def _moment(word: str) -> datetime | None:
    """When a backup was made, by its name; None for somebody else's file."""
    with suppress(ValueError):
        return datetime.strptime(word, MADE).replace(tzinfo=UTC)
    for form in LOCAL:
        with suppress(ValueError):
            return datetime.strptime(word, form).astimezone(UTC)
    return None


def _must_be_in_order(path: Path) -> None:
    """A journal that holds something is what a digiKam left that was ended in the middle of writing."""
    for suffix in ("-journal", "-wal"):
        with suppress(FileNotFoundError), path.with_name(path.name + suffix).open("rb") as file:
            if file.read(8).strip(b"\0"):
                raise DatabaseBusy(
                    f"digiKam was ended while it wrote {path}. Start digiKam and end it once, so that it puts its "
                    "database in order; then try again. Nothing was changed."
                )


# -- the copy -----------------------------------------------------------------------------------------------------


def _copied(original: int, path: Path, copy: Path) -> bytes:
    """Copy the file with its owner, mode and attributes; gives the digest of its bytes."""
    _remove(copy)
    found = hashlib.blake2b()
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in _chunks(original):
            found.update(chunk)
            file.write(chunk)
    state = os.fstat(original)
    with suppress(PermissionError):
        os.chown(copy, state.st_uid, state.st_gid)
    shutil.copystat(path, copy)
    return found.digest()


def _digest(handle: int) -> bytes:
    found = hashlib.blake2b()
    for chunk in _chunks(handle):
        found.update(chunk)
    return found.digest()


def _chunks(handle: int) -> Iterator[bytes]:
    at = 0
    while chunk := os.pread(handle, CHUNK, at):
        at += len(chunk)
        yield chunk


def _edited(copy: Path, path: Path, change: Callable[[sqlite3.Connection], Change | None]) -> Change | None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        _check(db, f"{path} is damaged. digiKam's Tools > Maintenance may mend it. Nothing was changed.")
        db.execute("BEGIN IMMEDIATE")
        changed = change(db)
        if changed is None:
            db.execute("ROLLBACK")
            return None
        db.execute("COMMIT")
        _check(db, f"The changed copy of {path} is not sound and was thrown away. Nothing was changed.")
    return changed


def _check(db: sqlite3.Connection, sentence: str) -> None:
    sound = db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    if not sound or db.execute("PRAGMA foreign_key_check").fetchone():
        raise NotWritten(sentence)


def _remove(copy: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)


# -- taking the original's place ----------------------------------------------------------------------------------


def _in_its_place(original: int, path: Path, copy: Path, made: datetime) -> Path:
    """Put the copy where the original is, which becomes the backup; a digiKam that came between gets it back."""
    backup = _backup(original, path, made)
    try:
        must_be_closed(path)
        copy.replace(path)
    except BaseException:
        backup.unlink()
        raise
    _flush(path.parent)
    if database.users(backup):
        backup.replace(path)
        raise DigikamRuns("digiKam was started meanwhile. Close it and try again. Nothing was changed.")
    for old in [other for other in backups(path) if other != backup][: 1 - KEPT]:
        old.unlink()
    return backup


def _backup(original: int, path: Path, made: datetime) -> Path:
    """The original under a second name, or a copy of it where the file system knows no second names."""
    backup = path.with_name(f"{path.name}.before-kith-{made:{MADE}}")
    try:
        backup.hardlink_to(path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            raise
        _copied(original, path, backup)
        _flush(backup)
    return backup


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- what went wrong ----------------------------------------------------------------------------------------------


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What the system and SQLite say of a full, closed or broken disk, as sentences."""
    try:
        yield
    except OSError as error:
        raise _failed(path, error.errno in (errno.ENOSPC, errno.EDQUOT), str(error.strerror)) from error
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        raise _failed(path, full, str(error)) from error


def _failed(path: Path, full: bool, why: str) -> NotWritten:
    if full:
        return NotWritten(
            f"There is no space left in {path.parent}, where Kith needs as much again as {path.name} has. "
            "Free some and try again. Nothing was changed."
        )
    return NotWritten(f"{path} could not be changed: {why}. Nothing was changed.")
