"""What is left to do, as queries on the rows themselves. Nobody enqueues anything."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlite_utils import Database

from kith.catalogue import trouble
from kith.catalogue.photos import COLUMNS
from kith.types import Photo, PhotoId, Status


def to_analyse(db: Database) -> list[Photo]:
    """Photos whose faces are not known yet, newest first."""
    return _waiting(db, "analysed_rev < content_rev", stage="analyse", order="mtime_ns DESC, id")


def is_to_analyse(db: Database, photo: PhotoId) -> bool:
    """Whether a photo's faces are not known yet, and it is there."""
    row = db.execute("SELECT 1 FROM photos WHERE id = ? AND analysed_rev < content_rev AND missing = 0", [photo])
    return row.fetchone() is not None


def drawn(db: Database) -> list[Photo]:
    """Photos with a box that somebody drew and nobody has looked into yet."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM photos WHERE analysed_rev < content_rev AND missing = 0 AND id IN"
        " (SELECT photo_id FROM faces f WHERE given AND score = 0 AND NOT EXISTS"
        " (SELECT 1 FROM crops c WHERE c.face_id = f.id)) ORDER BY id"
    )
    return [Photo(*row) for row in rows]


def to_write(db: Database) -> list[Photo]:
    """Photos whose sidecar doesn't say yet what the catalogue says."""
    return _waiting(db, "sidecar_rev < tags_rev AND analysed_rev > 0", stage="sidecar", order="id")


def to_hear(db: Database) -> list[Photo]:
    """Photos whose sidecar, or what they say themselves where there is none, has not been read yet."""
    return _waiting(db, "heard IS NOT said AND analysed_rev > 0", stage="sidecar", order="id")


def _waiting(db: Database, behind: str, *, stage: str, order: str) -> list[Photo]:
    """Photos that are there, behind in something, and in no trouble with that stage that has to wait."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM photos WHERE {behind} AND missing = 0 AND NOT EXISTS"
        " (SELECT 1 FROM trouble t WHERE t.path = photos.path AND t.stage = ?"
        f" AND (t.next_try IS NULL OR t.next_try > ?)) ORDER BY {order}",
        [stage, time.time()],
    )
    return [Photo(*row) for row in rows]


def analyse_again(db: Database, pack: str) -> None:
    """Give up what a pack found that turned out not to work; answers stay."""
    db.execute("UPDATE photos SET analysed_rev = 0 WHERE analysed_pack = ?", [pack])
    db.execute("DELETE FROM embeddings WHERE pack = ?", [pack])
    db.execute("DELETE FROM trouble WHERE stage = 'analyse'")


def look_again(db: Database, scope: Sequence[bytes], *, clear: bool, deep: bool = False) -> int:
    """Let the faces on some photos be found anew; gives how many photos. Answers stay, whatever is found.

    `scope` are files and folders. With `clear` everything found that nobody answered is removed first, and if `deep`
    also how answered faces look to the models.
    """
    photos = in_scope(db, scope)
    for photo in photos:
        if clear:
            db.execute("DELETE FROM faces WHERE photo_id = ? AND answer IS NULL AND NOT given", [photo.id])
        if deep:
            db.execute("DELETE FROM embeddings WHERE face_id IN (SELECT id FROM faces WHERE photo_id = ?)", [photo.id])
        db.execute("UPDATE photos SET analysed_rev = 0, tags_rev = tags_rev + 1 WHERE id = ?", [photo.id])
        db.execute("DELETE FROM trouble WHERE path = ? AND stage = 'analyse'", [photo.path])
    return len(photos)


def in_scope(db: Database, scope: Sequence[bytes]) -> list[Photo]:
    """Photos that are there, at or below some paths."""
    found: dict[int, Photo] = {}
    for path in scope:
        rows = db.execute(
            f"SELECT {COLUMNS} FROM photos WHERE missing = 0 AND (path = ? OR (path >= ? AND path < ?)) ORDER BY id",
            [path, *trouble.below(path)],
        )
        found |= {row[0]: Photo(*row) for row in rows}
    return list(found.values())


def status(db: Database, pack: str | None) -> Status:
    row = db.execute(
        "SELECT (SELECT count(*) FROM photos WHERE missing = 0),"
        " (SELECT count(*) FROM photos WHERE missing = 0 AND analysed_rev >= content_rev),"
        " (SELECT count(*) FROM faces f JOIN photos p ON p.id = f.photo_id"
        "   WHERE p.missing = 0 AND f.answer IS NOT 'not-a-face'),"
        " (SELECT count(*) FROM people p WHERE EXISTS (SELECT 1 FROM faces WHERE person_id = p.id)"
        "   OR EXISTS (SELECT 1 FROM presences WHERE person_id = p.id)),"
        " (SELECT count(DISTINCT group_id) FROM faces WHERE answer IS NULL),"
        " (SELECT count(*) FROM faces WHERE dispute = 'open')"
        " + (SELECT count(*) FROM presences WHERE dispute = 'open'),"
        " (SELECT count(*) FROM trouble)"
    ).fetchone()
    photos, analysed, faces, people, groups, disputes, troubles = row
    return Status(photos, analysed, photos - analysed, faces, people, groups, disputes, troubles, pack)
