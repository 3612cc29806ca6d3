"""What is on disk: walk, stat, content key. Nothing here changes anything."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from kith.errors import KithError, SymlinkLoop
from kith.files import file_error, show

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


def walk(
    root: Path, is_photo: Callable[[bytes], bool], *, hidden: bool = False, even: frozenset[bytes] = frozenset()
) -> Iterator[FileSeen | NotSeen]:
    """All photos below `root` by their real paths, folders in name order.

    Links are followed to where they lead, so that every file has one path; no folder is entered twice, and a link
    back into a folder it came through is reported. `is_photo` gets a file name in bytes. Hidden files and folders are
    left out unless `hidden`, but for files called as one of `even`.
    """
    top = os.path.realpath(os.fsencode(root))
    wanted = _Wanted(is_photo, hidden, even)
    yield from _folder(top, wanted, [], set())


@dataclass(frozen=True, slots=True)
class _Wanted:
    is_photo: Callable[[bytes], bool]
    hidden: bool
    even: frozenset[bytes]


def _folder(
    path: bytes, wanted: _Wanted, above: list[_Identity], entered: set[_Identity]
) -> Iterator[FileSeen | NotSeen]:
    try:
        identity = _identity(os.stat(path))  # noqa: PTH116  paths are bytes
        entries = sorted(os.scandir(path), key=lambda e: e.name)
    except OSError as error:
        yield NotSeen(path, file_error(path, error))
        return
    if identity in entered:
        return
    entered.add(identity)
    folders = []
    for entry in entries:
        if entry.name.startswith(b".") and not wanted.hidden and entry.name not in wanted.even:
            continue
        try:
            info = entry.stat()
            if stat.S_ISDIR(info.st_mode):
                if _identity(info) in (*above, identity):
                    raise SymlinkLoop(
                        f"{show(entry.path)} leads back to a folder that contains it; it was not followed."
                    )
                folders.append(_real(entry))
            elif stat.S_ISREG(info.st_mode) and wanted.is_photo(entry.name):
                yield FileSeen(_real(entry), info.st_size, info.st_mtime_ns)
        except OSError as error:
            if wanted.is_photo(entry.name) or error.errno == errno.ELOOP:
                yield NotSeen(entry.path, file_error(entry.path, error))
        except SymlinkLoop as error:
            yield NotSeen(entry.path, error)
    for folder in folders:
        yield from _folder(folder, wanted, [*above, identity], entered)


_Identity = tuple[int, int]


def _identity(info: os.stat_result) -> _Identity:
    return info.st_dev, info.st_ino


def _real(entry: os.DirEntry[bytes]) -> bytes:
    return os.path.realpath(entry.path) if entry.is_symlink() else entry.path


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
