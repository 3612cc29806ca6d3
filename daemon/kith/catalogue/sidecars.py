"""What Kith wrote beside which photo, so that it knows its own words and its own echo."""

from __future__ import annotations

import time

from sqlite_utils import Database

from kith.types import Photo, PhotoId, Written


def written(db: Database, photo: PhotoId) -> Written:
    """What was last written beside a photo, and what was about to be when Kith last stopped."""
    row = db.execute(
        "SELECT base, digest, intended, intended_digest FROM sidecars WHERE photo_id = ?", [photo]
    ).fetchone()
    return Written(*(row or (None, None, None, None)))


def intend(db: Database, photo: PhotoId, path: bytes, original: bytes | None, base: str, digest: bytes) -> None:
    """Note, before a sidecar is replaced, what it will say; and keep, once, the bytes it had before Kith."""
    db.execute(
        "INSERT OR IGNORE INTO originals (path, bytes, kept_at) VALUES (?, ?, ?)",
        [path, original, time.time()],
    )
    db.execute(
        "INSERT INTO sidecars (photo_id, intended, intended_digest) VALUES (?, ?, ?)"
        " ON CONFLICT (photo_id) DO UPDATE"
        " SET intended = excluded.intended, intended_digest = excluded.intended_digest",
        [photo, base, digest],
    )


def done(db: Database, photo: Photo, base: str | None, digest: bytes | None) -> None:
    """The sidecar of a photo says what the catalogue said when the photo was read."""
    db.execute("INSERT OR REPLACE INTO sidecars (photo_id, base, digest) VALUES (?, ?, ?)", [photo.id, base, digest])
    db.execute("UPDATE photos SET sidecar_rev = ? WHERE id = ?", [photo.tags_rev, photo.id])
    db.execute("DELETE FROM trouble WHERE path = ? AND stage = 'sidecar'", [photo.path])
