"""Paths as people can read them, and the operating system's errors as sentences."""

from __future__ import annotations

import errno
import os

from kith.errors import DiskFull, FileVanished, KithError, PermissionDenied, PhotoUnreadable, SymlinkLoop


def show(path: bytes | str | os.PathLike[str]) -> str:
    """A path as one printable line, whatever bytes it holds."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def file_error(path: bytes | str | os.PathLike[str], error: OSError) -> KithError:
    """What an operating system error on a file means for it, and what to do."""
    name = show(path)
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return FileVanished(f"{name} was there a moment ago and is gone; it is looked for again next time.")
        case errno.EACCES | errno.EPERM:
            return PermissionDenied(f"{name} can't be used with your permissions; change them (chmod, chown).")
        case errno.EROFS:
            return PermissionDenied(f"{name} is on a read-only disk; make it writable to have names written there.")
        case errno.ENOSPC | errno.EDQUOT:
            return DiskFull(f"There is no space left for {name}; free some and it is tried again.")
        case errno.ELOOP:
            return SymlinkLoop(f"{name} is a link that leads to itself.")
        case _:
            return PhotoUnreadable(f"{name} could not be read: {error.strerror}.")
