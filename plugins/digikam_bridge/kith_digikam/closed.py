"""Whether digiKam is closed, and a lock that keeps it from opening its database meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kith_digikam import places
from kith_digikam.database import users
from kith_digikam.errors import DatabaseBusy, DigikamRuns, NotWritten

PROGRAM = "digikam"
FOLDERS = ("HOME", "XDG_CONFIG_HOME")  # by these a digiKam finds its settings
LOCK_BYTES = (
    0x40000000,
    512,
)  # where SQLite keeps all its locks on a file; sqlite.org/fileformat2.html, "lock-byte page"
PATIENCE = 3.0  # seconds to wait for a lock


def must_be_closed(path: Path) -> None:
    """Raises DigikamRuns where a program has this database open, or a digiKam runs that has not opened any yet."""
    for pid in users(path):
        raise DigikamRuns(f"{_name(pid)} (process {pid}) has {path} open. Close it and try again. Nothing was changed.")
    for pid in _starting():
        raise DigikamRuns(f"digiKam (process {pid}) is just starting. Close it and try again. Nothing was changed.")


@contextmanager
def locked(path: Path, patience: float = PATIENCE) -> Iterator[int]:
    """A handle of the file, locked as SQLite locks it for writing: nobody else reads or writes it for so long.

    Nothing is written by that. No other handle of the file may be closed meanwhile by this process, which would end the
    lock. Raises DatabaseBusy where another program has it locked, NotWritten without the permission.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise NotWritten(f"{path} can't be written: {error.strerror}. Nothing was changed.") from error
    try:
        _lock(handle, path, time.monotonic() + patience)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int, path: Path, until: float) -> None:
    start, length = LOCK_BYTES
    while True:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
            return
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise NotWritten(f"{path} can't be locked: {error.strerror}. Nothing was changed.") from error
            if time.monotonic() > until:
                raise DatabaseBusy(
                    f"{path} is locked by another program, most likely by digiKam on this or another machine. "
                    "Close it and try again. Nothing was changed."
                ) from error
        time.sleep(0.1)


def _starting() -> list[int]:
    """The digiKams of this user, with the same folders, that have no database open yet."""
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        pid = int(entry.name)
        try:
            if entry.stat().st_uid == os.getuid() and _name(pid) == PROGRAM and _is_of_this_user(pid):
                found.append(pid)
        except OSError:
            continue  # it has ended meanwhile, or is another user's
    return found


def _is_of_this_user(pid: int) -> bool:
    """Whether a digiKam has the settings of this user, and has not opened another database."""
    lines = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    its = dict(line.split(b"=", 1) for line in lines if b"=" in line)
    if any(its.get(os.fsencode(name), b"") != os.environb.get(os.fsencode(name), b"") for name in FOLDERS):
        return False
    handles = Path(f"/proc/{pid}/fd").iterdir()
    return not any(handle.readlink().name == places.FILE for handle in handles if handle.is_symlink())


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8", errors="replace").strip()
    except OSError:
        return "A program"
