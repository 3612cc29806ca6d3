"""What went wrong, until it goes right."""

from __future__ import annotations

import time

from sqlite_utils import Database

from kith.errors import KithError, Retry
from kith.types import Trouble

FIRST_WAIT = 60.0  # seconds before the second try; doubles with each attempt
LONGEST_WAIT = 86400.0


def note(db: Database, path: bytes, stage: str, error: KithError) -> None:
    """Remember that a stage failed on a file, and when to try again."""
    attempts = 1 + (
        db.execute("SELECT max(attempts) FROM trouble WHERE path = ? AND stage = ?", [path, stage]).fetchone()[0] or 0
    )
    now = time.time()
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    db.execute(
        "INSERT OR REPLACE INTO trouble (path, stage, code, message, at, attempts, next_try)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [path, stage, error.code, error.message, now, attempts, now + wait if error.retry is Retry.BACKOFF else None],
    )


def forget(db: Database, path: bytes, stage: str | None = None) -> None:
    """The file has changed, or the stage went well."""
    db.execute("DELETE FROM trouble WHERE path = ? AND (? IS NULL OR stage = ?)", [path, stage, stage])


def forget_stage(db: Database, stage: str) -> None:
    """What the stage depends on has changed: everything is worth another try."""
    db.execute("DELETE FROM trouble WHERE stage = ?", [stage])


def all_of(db: Database) -> list[Trouble]:
    rows = db.execute("SELECT path, stage, code, message, attempts FROM trouble ORDER BY path, stage")
    return [Trouble(*row) for row in rows]
