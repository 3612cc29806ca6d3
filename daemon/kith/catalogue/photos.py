"""Photos: what a scan saw, and what moved, changed or went missing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from kith.catalogue import trouble
from kith.errors import KithError
from kith.types import Photo, PhotoId

COLUMNS = "id, path, content_key, content_rev, tags_rev, width, height, orientation, said"


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as a scan saw it, with its content key."""

    path: bytes
    size: int
    mtime_ns: int
    content_key: bytes


def get(db: Database, photo: PhotoId) -> Photo:
    return Photo(*db.execute(f"SELECT {COLUMNS} FROM photos WHERE id = ?", [photo]).fetchone())


def by_path(db: Database, path: bytes) -> Photo | None:
    row = db.execute(f"SELECT {COLUMNS} FROM photos WHERE path = ? AND missing = 0", [path]).fetchone()
    return Photo(*row) if row else None


def by_paths(db: Database, paths: Sequence[bytes]) -> dict[bytes, Photo]:
    """The photos that are at some paths (a few thousand at most), by path."""
    marks = ", ".join("?" * len(paths))
    rows = db.execute(f"SELECT {COLUMNS} FROM photos WHERE missing = 0 AND path IN ({marks})", list(paths))
    return {row[1]: Photo(*row) for row in rows}


def known_below(db: Database, root: bytes, *, deep: bool = True) -> Mapping[bytes, tuple[int, int]]:
    """Size and mtime_ns of every photo below a folder, or directly in it, that was there at the last scan."""
    rows = db.execute(
        "SELECT path, size, mtime_ns FROM photos WHERE missing = 0 AND path >= ? AND path < ?", trouble.below(root)
    )
    inside = len(trouble.below(root)[0])
    return {path: (size, mtime) for path, size, mtime in rows if deep or b"/" not in path[inside:]}


def record(db: Database, files: Iterable[FileState], exists: Callable[[bytes], bool] = os.path.lexists) -> None:
    """Take in new and changed files.

    A file whose content is known under a path that doesn't exist any more is that photo, moved: its faces and answers
    come along. New content at a known path is analysed again.
    """
    for file in files:
        trouble.forget(db, file.path)
        if _changed_in_place(db, file):
            continue
        moved = _moved_from(db, file, exists)
        if moved is None:
            db.execute(
                "INSERT INTO photos (path, size, mtime_ns, content_key) VALUES (?, ?, ?, ?)",
                [file.path, file.size, file.mtime_ns, file.content_key],
            )
        else:
            db.execute(
                "UPDATE photos SET path = ?, size = ?, mtime_ns = ?, missing = 0, tags_rev = tags_rev + 1 WHERE id = ?",
                [file.path, file.size, file.mtime_ns, moved],
            )


def _changed_in_place(db: Database, file: FileState) -> bool:
    changed = db.execute(
        "UPDATE photos SET size = ?, mtime_ns = ?, missing = 0,"
        " content_rev = content_rev + (content_key != ?), content_key = ? WHERE path = ?",
        [file.size, file.mtime_ns, file.content_key, file.content_key, file.path],
    )
    return bool(changed.rowcount)


def _moved_from(db: Database, file: FileState, exists: Callable[[bytes], bool]) -> int | None:
    rows = db.execute("SELECT id, path FROM photos WHERE content_key = ? ORDER BY id", [file.content_key]).fetchall()
    return next((photo for photo, path in rows if not exists(path)), None)


def leave(db: Database, root: bytes) -> None:
    """A folder is watched no longer: photos in it that were not looked at yet are left alone, as if they were gone."""
    db.execute(
        "UPDATE photos SET missing = 1 WHERE analysed_key IS NULL AND path >= ? AND path < ?", trouble.below(root)
    )


def looked(
    db: Database,
    root: bytes,
    gone: Iterable[bytes],
    troubled: Sequence[tuple[bytes, KithError]],
    said: Mapping[bytes, str],
    *,
    deep: bool = True,
) -> None:
    """A folder, and if `deep` everything in it, was looked through: note what is gone or can't be seen, and sidecars.

    Nothing that is gone is forgotten: it may be on a disk that comes back, or under a new name.
    """
    for path in gone:
        db.execute("UPDATE photos SET missing = 1 WHERE path = ?", [path])
        trouble.forget(db, path)
    before = dict(
        db.execute("SELECT path, said FROM photos WHERE path >= ? AND path < ?", trouble.below(root)).fetchall()
    )
    for path, stamp in said.items():
        if before.get(path, stamp) != stamp:
            db.execute("UPDATE photos SET said = ? WHERE path = ?", [stamp, path])
            trouble.forget(db, path, "sidecar")
    trouble.forget_below(db, root, "look", {path for path, _ in troubled}, deep=deep)
    for path, error in troubled:
        trouble.note(db, path, "look", error)
