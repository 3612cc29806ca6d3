"""What Kith wrote beside which photo, so that it knows its own words and its own echo."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from kith.catalogue import journal, people, trouble
from kith.files import show
from kith.types import SIDECAR, Answer, Change, Decision, Original, Photo, PhotoId, Said, Written


def written(db: Database, photo: PhotoId) -> Written:
    """What was last written beside a photo, and what was about to be when Kith last stopped."""
    row = db.execute(
        "SELECT base, digest, intended, intended_digest FROM sidecars WHERE photo_id = ?", [photo]
    ).fetchone()
    return Written(*(row or (None, None, None, None)))


def intend(db: Database, photo: PhotoId, base: str, change: Change) -> None:
    """Note, before a photo's sidecar is replaced, what it will say."""
    keep(db, change)
    db.execute(
        "INSERT INTO sidecars (photo_id, intended, intended_digest) VALUES (?, ?, ?)"
        " ON CONFLICT (photo_id) DO UPDATE"
        " SET intended = excluded.intended, intended_digest = excluded.intended_digest",
        [photo, base, change.becomes],
    )


def keep(db: Database, change: Change) -> None:
    """Keep, once, the bytes that a sidecar had before Kith; and note whether others have changed it since."""
    db.execute(
        "INSERT INTO originals (path, bytes, kept_at, digest) VALUES (?1, ?2, ?3, ?5) ON CONFLICT (path) DO UPDATE"
        " SET mixed = mixed OR (?4 IS NOT digest AND ?4 IS NOT digest_before), digest_before = ?4, digest = ?5",
        [change.path, change.before, time.time(), change.was, change.becomes],
    )


def kept(db: Database) -> list[Original]:
    """All sidecars that Kith wrote, as they were before."""
    rows = db.execute("SELECT path, bytes, digest, digest_before, mixed FROM originals ORDER BY path")
    return [
        Original(path, data, frozenset(d for d in (now, before) if d), bool(mixed))
        for path, data, now, before, mixed in rows
    ]


def put_back(db: Database, path: bytes) -> None:
    """A sidecar is again as it was before Kith; the next write keeps it anew."""
    db.execute("DELETE FROM originals WHERE path = ?", [path])


def forget(db: Database, root: bytes) -> None:
    """Let every sidecar below a folder be read as if for the first time: what it says is news."""
    below = "SELECT id FROM photos WHERE path >= ? AND path < ?"
    db.execute(f"DELETE FROM sidecars WHERE photo_id IN ({below})", trouble.below(root))
    db.execute(f"UPDATE photos SET heard = NULL WHERE id IN ({below})", trouble.below(root))


def agree(db: Database, photo: Photo, base: str, digest: bytes | None, stamp: str, words: Sequence[Said]) -> None:
    """The sidecar of a photo has been read and says what the catalogue said; take what else it says for an answer."""
    db.execute("INSERT OR REPLACE INTO sidecars (photo_id, base, digest) VALUES (?, ?, ?)", [photo.id, base, digest])
    db.execute("UPDATE photos SET sidecar_rev = ? WHERE id = ?", [photo.tags_rev, photo.id])
    db.execute("DELETE FROM trouble WHERE path = ? AND stage = 'sidecar'", [photo.path])
    heard(db, photo, stamp, words)


def heard(db: Database, photo: Photo, stamp: str, words: Sequence[Said]) -> None:
    """The sidecar of a photo has been read: take what it says for an answer."""
    db.execute("UPDATE photos SET said = ?, heard = ? WHERE id = ?", [stamp, stamp, photo.id])
    if words:
        journal.say(
            db,
            [d for word in words for d in _decisions(db, photo, word)],
            SIDECAR,
            f"in the sidecar of {show(photo.path)}",
        )


def _decisions(db: Database, photo: Photo, said: Said) -> list[Decision]:
    """Another program's word: as good as a person's, with its source."""
    if said.kind is Answer.MOVED and said.face is not None:
        return [replace(journal.about(db, said.face, said.kind), to=said.box)]
    person = people.named(db, said.name)
    if said.face is not None:
        return [journal.about(db, said.face, said.kind, person)]
    if said.box is None:
        return [Decision(said.kind, photo.content_key, person=person)]
    drawn = Decision(Answer.DRAWN, photo.content_key, said.box)
    return [drawn, replace(drawn, kind=said.kind, person=person)]
