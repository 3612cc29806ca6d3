"""What went wrong, until it goes right."""

from __future__ import annotations

import time
from collections.abc import Collection

from sqlite_utils import Database

from kith.errors import KithError, Retry
from kith.types import Trouble

FIRST_WAIT = 60.0  # seconds before the second try; doubles with each attempt
LONGEST_WAIT = 86400.0


def note(db: Database, path: bytes, stage: str, error: KithError, wait: float | None = None) -> None:
    """Remember that a stage failed on a file, and when to try again: after `wait` seconds, or ever later ones."""
    attempts = 1 + (
        db.execute("SELECT max(attempts) FROM trouble WHERE path = ? AND stage = ?", [path, stage]).fetchone()[0] or 0
    )
    now = time.time()
    if wait is None:
        wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    db.execute(
        "INSERT OR REPLACE INTO trouble (path, stage, code, message, at, attempts, next_try)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            path,
            stage,
            error.code,
            error.message,
            now,
            attempts,
            now + wait if error.retry is Retry.BACKOFF else None,
        ],
    )


def forget(db: Database, path: bytes, stage: str | None = None) -> None:
    """The file has changed, or the stage went well."""
    db.execute("DELETE FROM trouble WHERE path = ? AND (? IS NULL OR stage = ?)", [path, stage, stage])


def forget_stage(db: Database, stage: str) -> None:
    """What the stage depends on has changed: everything is worth another try."""
    db.execute("DELETE FROM trouble WHERE stage = ?", [stage])


def forget_below(db: Database, root: bytes, stage: str, but: Collection[bytes], *, deep: bool = True) -> None:
    """A stage went over a folder, with all in it if `deep`, and met trouble only with the files in `but`."""
    inside = len(below(root)[0])
    for (path,) in db.execute(
        "SELECT path FROM trouble WHERE stage = ? AND path >= ? AND path < ?", [stage, *below(root)]
    ).fetchall():
        if path not in but and (deep or b"/" not in path[inside:]):
            forget(db, path, stage)


def below(root: bytes) -> tuple[bytes, bytes]:
    """The range of the paths inside a folder."""
    folder = root.rstrip(b"/") + b"/"
    return folder, folder[:-1] + b"0"  # "0" is the byte after "/"


def all_of(db: Database) -> list[Trouble]:
    rows = db.execute("SELECT path, stage, code, message, attempts FROM trouble ORDER BY path, stage")
    return [Trouble(*row) for row in rows]
