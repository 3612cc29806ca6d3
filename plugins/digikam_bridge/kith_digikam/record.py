"""What Kith put into digiKam's database, kept in Kith's own folder, so that it can be taken back.

Which state of the record fits the database is told by the database itself: SQLite's `user_version`, a number in the
head of the file that digiKam doesn't use, is that of the last push. It changes in the same transaction as the rows.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from kith_digikam.errors import NotWritten
from kith_digikam.marks import Mark
from kith_digikam.tags import Made


@dataclass(frozen=True, slots=True)
class Entry:
    """A face that Kith put there, for a person of this `name` and `person` (Kith's id; None: nobody known).

    `instead` is the face of digiKam's whose place it took. `tagged`: the person's tag came to the image with it.
    """

    mark: Mark
    name: str | None = None
    person: str | None = None
    instead: Mark | None = None
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A face that the user took away in digiKam: it is not that person (`name`), or no face to be shown (None)."""

    image: int
    rect: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """All that stands in digiKam's database by Kith, after the push of this `number`.

    `before` is what the database's number was before the first push.
    """

    number: int = 0
    before: int = 0
    entries: tuple[Entry, ...] = ()
    made: tuple[Made, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """`now`, and what will be so once the database has the number of `next`."""

    now: Pushed = field(default_factory=Pushed)
    next: Pushed | None = None


def file_of(db: sqlite3.Connection, folder: Path) -> Path:
    """Where the record of an open database is kept: databases are told apart by the name that digiKam gave them."""
    row = db.execute("SELECT value FROM Settings WHERE keyword = 'databaseUUID'").fetchone()
    known = "".join(c for c in str(row[0]) if c.isalnum() or c == "-") if row else ""
    return folder / f"{known or 'digikam'}.json"


def number_of(db: sqlite3.Connection) -> int:
    """The number of the last push into an open database; 0 where there was none."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def set_number(db: sqlite3.Connection, number: int) -> None:
    db.execute(f"PRAGMA user_version = {number:d}")


def load(file: Path, number: int) -> tuple[Pushed, bool]:
    """What stands in the database with this number, and whether that is certain.

    It isn't where the user brought an older state of the database back: what is missing there was not taken away.
    """
    try:
        record = msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return Pushed(before=number), True
    except msgspec.MsgspecError as error:
        raise NotWritten(f"{file} is damaged; move it away to push anew. Nothing was changed.") from error
    if record.next is not None and record.next.number == number:
        return record.next, True
    return record.now, record.now.number == number


def save(file: Path, now: Pushed, after: Pushed | None = None) -> None:
    """Keep what stands, and what will; on the disk when this returns."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temp = file.with_name(f".{file.name}.new")
        with temp.open("wb") as out:
            out.write(msgspec.json.encode(Record(now, after)))
            out.flush()
            os.fsync(out.fileno())
        temp.replace(file)
        handle = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise NotWritten(f"{file} can't be written: {error.strerror}. Nothing was changed in digiKam.") from error


def without(pushed: Pushed, gone: set[Entry], refused: tuple[Refused, ...] = ()) -> Pushed:
    """The same, but for some entries, and with what was refused meanwhile."""
    kept = tuple(entry for entry in pushed.entries if entry not in gone)
    return replace(pushed, entries=kept, refused=tuple(dict.fromkeys((*pushed.refused, *refused))))
