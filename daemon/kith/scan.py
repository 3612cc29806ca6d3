"""What is on disk: walk, stat, content key. Nothing here changes anything."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from pathspec import GitIgnoreSpec

from kith.errors import IgnoreInvalid, KithError, SymlinkLoop
from kith.files import file_error, show

KEY_BYTES = 64 * 1024  # read at each end of a file for its content key
RULES = b".kithignore"  # says in gitignore's syntax what below its folder is left alone


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
    root: Path,
    is_photo: Callable[[bytes], bool],
    *,
    hidden: bool = False,
    even: frozenset[bytes] = frozenset(),
    ignore: Iterable[str] = (),
    top: Path | None = None,
    deep: bool = True,
) -> Iterator[FileSeen | NotSeen]:
    """All photos below `root` by their real paths, folders in name order; only those in `root` itself if not `deep`.

    Links are followed to where they lead, so that every file has one path; no folder is entered twice, and a link
    back into a folder it came through is reported. `is_photo` gets a file name in bytes. Hidden files and folders are
    left out unless `hidden`, but for files called as one of `even`.

    What the patterns of `ignore` (gitignore's syntax) match is left out, and what a `.kithignore` says in its folder or
    any above it. The patterns count from `top`, the photo folder that `root` lies in (`root` itself if None): a folder
    gives the same alone as in a walk from the top. Raises IgnoreInvalid where one of `ignore` is no pattern.
    """
    here = os.path.realpath(os.fsencode(root))
    start = here if top is None else os.path.realpath(os.fsencode(top))
    wanted = _Wanted(is_photo, hidden, even, deep)
    try:
        rules = _rules_above(here, start, _Rules(GitIgnoreSpec.from_lines(ignore)), wanted)
    except OSError as error:
        yield NotSeen(here, file_error(here, error))
        return
    except ValueError as error:
        raise IgnoreInvalid(f"What is to be ignored has a pattern that can't be used: {error}.") from error
    if rules is not None:
        yield from _folder(here, wanted, rules, [], set())


@dataclass(frozen=True, slots=True)
class _Wanted:
    is_photo: Callable[[bytes], bool]
    hidden: bool
    even: frozenset[bytes]
    deep: bool

    def is_open(self, name: bytes) -> bool:
        """Whether an entry of this name is looked at, as far as it being hidden goes."""
        return self.hidden or not name.startswith(b".") or name in self.even


@dataclass(frozen=True, slots=True)
class _Rules:
    """Patterns, and the way from the folder they stand in to the one that is looked at; `outer` are those above it."""

    spec: GitIgnoreSpec
    way: str = ""
    outer: _Rules | None = None

    def leave_out(self, name: bytes, *, folder: bool) -> bool:
        """Whether to leave out this entry of the folder that is looked at; the innermost rule that matches decides."""
        said = self.spec.check_file(self.way + os.fsdecode(name) + "/" * folder).include
        if said is None and self.outer is not None:
            return self.outer.leave_out(name, folder=folder)
        return bool(said)

    def into(self, name: bytes) -> _Rules:
        """The same for a folder in this one."""
        outer = None if self.outer is None else self.outer.into(name)
        return replace(self, way=f"{self.way}{os.fsdecode(name)}/", outer=outer)


def _rules_above(here: bytes, top: bytes, given: _Rules, wanted: _Wanted) -> _Rules | None:
    """What is left out in the folder `here`, by the folders above it; None where it is left out itself."""
    parts = here.strip(b"/").split(b"/")
    folder, rules = b"/", _Rules(GitIgnoreSpec([]))
    for part in parts:
        below_top = folder == top or folder.startswith(top.rstrip(b"/") + b"/")
        if folder == top:
            rules = replace(given, outer=rules)
        rules, _ = _with_own(folder, rules)
        if rules.leave_out(part, folder=True) or (below_top and not wanted.is_open(part)):
            return None
        rules = rules.into(part)
        folder = os.path.join(folder, part)  # noqa: PTH118  paths are bytes
    return replace(given, outer=rules) if folder == top else rules


def _with_own(folder: bytes, rules: _Rules) -> tuple[_Rules, IgnoreInvalid | None]:
    """The rules with those of the folder's own file put before them, and what is wrong with that. Raises OSError."""
    path = os.path.join(folder, RULES)  # noqa: PTH118  paths are bytes
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123  paths are bytes
            lines = file.read().splitlines()
    except FileNotFoundError:
        return rules, None
    bad = [line for line in lines if not _is_pattern(line)]
    spec = GitIgnoreSpec.from_lines(line for line in lines if line not in bad)
    told = f"{show(path)} has lines that are no patterns: {'; '.join(bad)}. Change them; the others count."
    return _Rules(spec, outer=rules), IgnoreInvalid(told) if bad else None


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _folder(
    path: bytes, wanted: _Wanted, rules: _Rules, above: list[_Identity], entered: set[_Identity]
) -> Iterator[FileSeen | NotSeen]:
    try:
        identity = _identity(os.stat(path))  # noqa: PTH116  paths are bytes
        entries = sorted((e for e in os.scandir(path) if wanted.is_open(e.name)), key=lambda e: e.name)
        rules, problem = _with_own(path, rules)
    except OSError as error:
        yield NotSeen(path, file_error(path, error))
        return
    if identity in entered:
        return
    entered.add(identity)
    if problem is not None:
        yield NotSeen(os.path.join(path, RULES), problem)  # noqa: PTH118  paths are bytes
    folders = []
    for entry in entries:
        try:
            info = entry.stat()
            is_folder = stat.S_ISDIR(info.st_mode)
            if rules.leave_out(entry.name, folder=is_folder):
                continue
            if is_folder and wanted.deep:
                if _identity(info) in (*above, identity):
                    raise SymlinkLoop(
                        f"{show(entry.path)} leads back to a folder that contains it; it was not followed."
                    )
                folders.append((entry.name, _real(entry)))
            elif stat.S_ISREG(info.st_mode) and wanted.is_photo(entry.name):
                yield FileSeen(_real(entry), info.st_size, info.st_mtime_ns)
        except OSError as error:
            if wanted.is_photo(entry.name) or error.errno == errno.ELOOP:
                yield NotSeen(entry.path, file_error(entry.path, error))
        except SymlinkLoop as error:
            yield NotSeen(entry.path, error)
    for name, folder in folders:
        yield from _folder(folder, wanted, rules.into(name), [*above, identity], entered)


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
