"""What is left to do, as queries on the rows themselves. Nobody enqueues anything."""

from __future__ import annotations

import time

from sqlite_utils import Database

from kith.catalogue.photos import COLUMNS
from kith.types import Photo, Status

NOT_IN_TROUBLE = (
    "NOT EXISTS (SELECT 1 FROM trouble t WHERE t.path = photos.path AND t.stage = ?"
    " AND (t.next_try IS NULL OR t.next_try > ?))"
)


def to_analyse(db: Database) -> list[Photo]:
    """Photos whose faces are not known yet, newest first."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM photos WHERE analysed_rev < content_rev AND missing = 0 AND {NOT_IN_TROUBLE}"
        " ORDER BY mtime_ns DESC, id",
        ["analyse", time.time()],
    )
    return [Photo(*row) for row in rows]


def to_write(db: Database) -> list[Photo]:
    """Photos whose sidecar doesn't say yet what the catalogue says."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM photos WHERE sidecar_rev < tags_rev AND missing = 0 AND analysed_rev > 0"
        f" AND {NOT_IN_TROUBLE} ORDER BY id",
        ["sidecar", time.time()],
    )
    return [Photo(*row) for row in rows]


def to_hear(db: Database) -> list[Photo]:
    """Photos whose sidecar, or what they say themselves where there is none, has not been read yet."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM photos WHERE heard IS NOT said AND missing = 0 AND analysed_rev > 0"
        f" AND {NOT_IN_TROUBLE} ORDER BY id",
        ["sidecar", time.time()],
    )
    return [Photo(*row) for row in rows]


def analyse_again(db: Database, pack: str) -> None:
    """Give up what a pack found that turned out not to work; answers stay."""
    db.execute("UPDATE photos SET analysed_rev = 0 WHERE analysed_pack = ?", [pack])
    db.execute("DELETE FROM embeddings WHERE pack = ?", [pack])
    db.execute("DELETE FROM trouble WHERE stage = 'analyse'")


def status(db: Database, pack: str | None) -> Status:
    row = db.execute(
        "SELECT (SELECT count(*) FROM photos WHERE missing = 0),"
        " (SELECT count(*) FROM photos WHERE missing = 0 AND analysed_rev >= content_rev),"
        " (SELECT count(*) FROM faces f JOIN photos p ON p.id = f.photo_id"
        "   WHERE p.missing = 0 AND f.answer IS NOT 'not-a-face'),"
        " (SELECT count(*) FROM people),"
        " (SELECT count(DISTINCT group_id) FROM faces WHERE answer IS NULL),"
        " (SELECT count(*) FROM trouble)"
    ).fetchone()
    photos, analysed, faces, people, groups, troubles = row
    return Status(photos, analysed, len(to_analyse(db)), faces, people, groups, troubles, pack)
