"""What has happened: written by the catalogue's triggers, read by those who follow."""

from __future__ import annotations

from sqlite_utils import Database

from kith.errors import EventsGone
from kith.types import Event

KEPT = 100_000


def last(db: Database) -> int:
    """The number of the newest event; 0 before the first."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(row[0]) if row else 0


def since(db: Database, after: int, limit: int) -> list[Event]:
    """The events after a number, oldest first.

    Raises EventsGone where some of them were let go, or never were: whoever asks has to look at everything anew.
    """
    oldest = db.execute("SELECT min(id) FROM events").fetchone()[0]
    newest = last(db)
    if after > newest or (after < newest and (oldest is None or after < oldest - 1)):
        raise EventsGone("What happened in between is not known any more; read everything anew.")
    rows = db.execute(
        "SELECT e.id, e.at, e.kind, e.photo_id, p.path, e.person_id, e.act_id FROM events e"
        " LEFT JOIN photos p ON p.id = e.photo_id WHERE e.id > ? ORDER BY e.id LIMIT ?",
        [after, limit],
    )
    return [Event(*row) for row in rows]


def prune(db: Database, keep: int = KEPT) -> None:
    """Let the oldest events go."""
    db.execute("DELETE FROM events WHERE id <= ?", [last(db) - keep])
