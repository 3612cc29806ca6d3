"""What is on disk: walk, stat, content key. Nothing here changes anything."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from kith.errors import FileVanished, KithError, PermissionDenied, SymlinkLoop

KEY_BYTES = 64 * 1024  # read at each end of a file for its content key


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A photo file as the walk met it; `path` in the bytes of the file system."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class NotSeen:
    """A file or folder that could not be looked at, and why."""

    path: bytes
    error: KithError


def walk(root: Path, is_photo: Callable[[bytes], bool]) -> Iterator[FileSeen | NotSeen]:
    """All photos below `root`, folders in name order, hidden files and folders left out.

    Links to folders are followed; a link that leads back into the folders it came through is reported, and no
    folder is entered twice. `is_photo` gets a file name in bytes.
    """
    yield from _folder(os.fsencode(root), is_photo, [], set())


def _folder(
    path: bytes, is_photo: Callable[[bytes], bool], above: list[tuple[int, int]], entered: set[tuple[int, int]]
) -> Iterator[FileSeen | NotSeen]:
    try:
        info = os.stat(path)
        entries = sorted(os.scandir(path), key=lambda e: e.name)
    except OSError as error:
        yield NotSeen(path, file_error(path, error))
        return
    identity = (info.st_dev, info.st_ino)
    if identity in above:
        yield NotSeen(path, SymlinkLoop(f"{show(path)} is a link to a folder that contains it; it was not followed."))
        return
    if identity in entered:
        return
    entered.add(identity)
    folders = []
    for entry in entries:
        if entry.name.startswith(b"."):
            continue
        try:
            if entry.is_dir():
                folders.append(entry.path)
            elif is_photo(entry.name):
                found = entry.stat()
                if stat.S_ISREG(found.st_mode):
                    yield FileSeen(entry.path, found.st_size, found.st_mtime_ns)
        except OSError as error:
            yield NotSeen(entry.path, file_error(entry.path, error))
    for folder in folders:
        yield from _folder(folder, is_photo, [*above, identity], entered)


def content_key(path: bytes, size: int) -> bytes:
    """16 bytes that tell a file's content: BLAKE2b of its size, its first and its last 64 KiB.

    Raises FileVanished or PermissionDenied.
    """
    digest = blake2b(size.to_bytes(8, "little"), digest_size=16)
    try:
        with open(path, "rb") as file:  # noqa: PTH123  paths are bytes
            digest.update(file.read(KEY_BYTES))
            if size > KEY_BYTES:
                file.seek(max(KEY_BYTES, size - KEY_BYTES))
                digest.update(file.read(KEY_BYTES))
    except OSError as error:
        raise file_error(path, error) from error
    return digest.digest()


def file_error(path: bytes, error: OSError) -> KithError:
    """The sentence for an operating system error on a file."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return FileVanished(f"{show(path)} was there a moment ago and is gone; it is looked for again next time.")
        case PermissionError():
            return PermissionDenied(f"{show(path)} may not be read by you; give yourself read permission.")
    if error.errno == errno.ELOOP:
        return SymlinkLoop(f"{show(path)} is a link that leads to itself.")
    return FileVanished(f"{show(path)} could not be read: {error.strerror}.")


def show(path: bytes) -> str:
    """A path as one printable line, whatever bytes it holds."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in os.fsdecode(path))
