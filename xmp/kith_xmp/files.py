"""Sidecar files: which one belongs to a photo, reading one that may be half-written, replacing one whole.

`replace` is the one function that puts bytes into a user's file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from kith_xmp.packet import Packet, Unreadable, parse
from kith_xmp.schema import tag

_RAW_NAMES: Final = (
    "3fr ari arw bay cap cr2 cr3 crw dcr dcs dng drf eip erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf pef "
    "ptx pxn r3d raf raw rw2 rwl rwz sr2 srf srw x3f"
)
_IMAGE_NAMES: Final = "avif bmp gif heic heif hif jp2 jpe jpeg jpg jxl png psd tif tiff webp"
RAW: Final = frozenset(_RAW_NAMES.split())
IMAGES: Final = RAW | frozenset(_IMAGE_NAMES.split())
SIDECAR: Final = ".xmp"

_DUPLICATE: Final = re.compile(r"(?P<stem>.+)_\d{2,}(?P<ext>\.[^.]+)\.xmp", re.IGNORECASE)
_TEMP: Final = re.compile(r"\.kith-[0-9a-f]{16}\.tmp")
_TEMP_AGE_S: Final = 3600.0
_EXTENSION: Final = tag("photoshop:SidecarForExtension")


class NotReplaced(Exception):
    """A file could not be replaced; it is as it was. The message says which, why, and what to do."""

    why: ClassVar[str] = "it could not be replaced"

    def __init__(self, path: Path, detail: str = "") -> None:
        super().__init__(f"{path}: {self.why}" + (f" ({detail})" if detail else ""))
        self.path = path


class Changed(NotReplaced):
    """Another program changed, made or removed the file since it was read: read it again and start over."""

    why = "another program changed it meanwhile; it is read again"


class DiskFull(NotReplaced):
    """No space, or no quota, left."""

    why = "the disk is full; free some space"


class Denied(NotReplaced):
    """The folder or file may not be written."""

    why = "writing is not permitted; check the permissions of the file and its folder"


class ReadOnly(Denied):
    """The file system is mounted read-only."""

    why = "the disk is mounted read-only"


class Gone(NotReplaced):
    """The folder is no longer there, or the disk fails."""

    why = "its folder can't be reached; check that the disk is connected"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What tells one state of a file from another."""

    mtime_ns: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The bytes of a file, the packet that they hold, and the state that they belong to."""

    data: bytes
    packet: Packet
    snapshot: Snapshot


# Which file


def target(photo: Path, siblings: Collection[str] = (), *, short: bool = False) -> Path:
    """Where a photo's new sidecar goes: IMG.EXT.xmp, or IMG.xmp if the user chose `short` names.

    `siblings` are the names in its folder: where another image would be meant by IMG.xmp too, it isn't used.
    """
    brief = photo.stem + SIDECAR
    return photo.with_name(brief if short and _is_for(photo, siblings, brief) else photo.name + SIDECAR)


def find(photo: Path, siblings: Collection[str]) -> Path | None:
    """The existing sidecar of a photo among the names in its folder, None if it has none.

    IMG.EXT.xmp, in any case of the suffix; else IMG.xmp, if it says that it is for EXT, or EXT is a RAW format, or no
    other image has the same stem.
    """
    long = _spelled(photo.name + SIDECAR, siblings, photo.name)
    if long is not None:
        return photo.with_name(long)
    short = _spelled(photo.stem + SIDECAR, siblings, photo.stem)
    return photo.with_name(short) if short is not None and _is_for(photo, siblings, short) else None


def _spelled(name: str, siblings: Collection[str], exact: str) -> str | None:
    """The sibling of this name, whatever the case of its suffix; the lower-case one if there are several."""
    if name in siblings:
        return name
    same = [s for s in siblings if s.startswith(exact) and s[len(exact) :].casefold() == SIDECAR]
    return min(same, default=None)


def _is_for(photo: Path, siblings: Collection[str], short: str) -> bool:
    """Whether IMG.xmp is the sidecar of this photo rather than of another image with its stem."""
    extension = photo.suffix[1:].casefold()
    said = _extension_in(photo.with_name(short))
    if said:
        return said.casefold() == extension
    twins = {Path(s).suffix[1:].casefold() for s in siblings if Path(s).stem == photo.stem and s != photo.name}
    return extension in RAW or not (twins & IMAGES)


def _extension_in(sidecar: Path) -> str | None:
    try:
        return parse(sidecar.read_bytes()).text(_EXTENSION)
    except (OSError, Unreadable):
        return None


def photo_of(sidecar: Path, siblings: Collection[str]) -> Path | None:
    """The photo that a sidecar belongs to, None if it has none among the names in its folder.

    darktable keeps the edits of a duplicate of IMG.EXT in IMG_01.EXT.xmp: those belong to no photo of that name.
    """
    if sidecar.suffix.casefold() != SIDECAR:
        return None
    if sidecar.stem in siblings:
        return sidecar.with_name(sidecar.stem)
    photos = sorted(s for s in siblings if Path(s).stem == sidecar.stem and Path(s).suffix[1:].casefold() in IMAGES)
    return next((p for s in photos if find(p := sidecar.with_name(s), siblings) == sidecar), None)


def is_duplicate(sidecar: str, siblings: Collection[str]) -> bool:
    """Whether this is darktable's sidecar of a duplicate: STEM_NN.EXT.xmp without STEM_NN.EXT beside STEM.EXT."""
    match = _DUPLICATE.fullmatch(sidecar)
    if match is None or sidecar[: -len(SIDECAR)] in siblings:
        return False
    return match["stem"] + match["ext"] in siblings


# Reading


def snapshot(path: Path) -> Snapshot | None:
    """The state of a file, through links; None if there is no file."""
    try:
        s = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Snapshot(s.st_mtime_ns, s.st_size, s.st_ino)


def is_quiet(state: Snapshot, now_ns: int, seconds: float = 10.0) -> bool:
    """Whether a file was left alone for so long that nobody is writing it in place."""
    return abs(now_ns - state.mtime_ns) >= seconds * 1e9


def load(
    path: Path, *, tries: int = 3, pause: float = 2.0, sleep: Callable[[float], None] = time.sleep
) -> Loaded | None:
    """Read a sidecar that others may be writing in place; None if there is no such file.

    What can't be parsed, or changes under the reader, is read again after a pause. Raises `Unreadable` when it never
    could be parsed, and the OSErrors of reading.
    """
    problem = Unreadable("it changes all the time")
    for attempt in range(tries + 1):
        if attempt:
            sleep(pause)
        before = snapshot(path)
        if before is None:
            return None
        try:
            data = path.read_bytes()
            packet = parse(data)
        except FileNotFoundError:
            continue
        except Unreadable as e:
            problem = e
            continue
        if snapshot(path) == before:
            return Loaded(data, packet, before)
    raise problem


# Replacing


def _no_step(_name: str) -> None:
    """Steps are only of interest to tests."""


def replace(path: Path, data: bytes, expected: Snapshot | None, *, step: Callable[[str], None] = _no_step) -> Snapshot:
    """Put `data` in the place of a file whose state is still `expected`; None: of no file.

    A reader sees the old bytes or the new ones, also after a crash. Mode, owner and extended attributes stay; links
    are followed. Returns the new state. Raises `NotReplaced`, by kind; the file is then as it was. `step` is called
    with a word before each step.
    """
    path = Path(os.path.realpath(path))
    try:
        with _translated(path):
            temp = path.with_name(f".kith-{secrets.token_hex(8)}.tmp")
            try:
                return _replace(path, temp, data, expected, step)
            except BaseException:
                with contextlib.suppress(OSError):
                    temp.unlink()
                raise
    finally:
        step("done")


def _replace(path: Path, temp: Path, data: bytes, expected: Snapshot | None, step: Callable[[str], None]) -> Snapshot:
    step("check")
    _unchanged(path, expected)
    step("create")
    with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as file:
        step("write")
        file.write(data)
        file.flush()
        if expected is not None:
            step("copy")
            _copy_attributes(path, file.fileno())
        step("sync")
        os.fsync(file.fileno())
        step("verify")
        state = os.fstat(file.fileno())
    if state.st_size != len(data) or temp.read_bytes() != data:
        raise OSError(errno.EIO, "what was read back is not what was written")
    step("check again")
    _unchanged(path, expected)
    step("rename")
    _put(temp, path, new=expected is None)
    step("sync folder")
    _sync_folder(path.parent)
    return Snapshot(state.st_mtime_ns, state.st_size, state.st_ino)


def _unchanged(path: Path, expected: Snapshot | None) -> None:
    if snapshot(path) != expected:
        raise Changed(path)


def _put(temp: Path, path: Path, *, new: bool) -> None:
    """Rename; a new file never takes the place of one that appeared meanwhile."""
    if not new:
        temp.replace(path)
        return
    try:
        os.link(temp, path)
    except FileExistsError:
        raise Changed(path) from None
    except OSError as e:
        # FAT and some network disks know no links: there a look and a rename must do.
        if e.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        _unchanged(path, None)
        temp.replace(path)
        return
    temp.unlink()


def _copy_attributes(path: Path, to: int) -> None:
    """Mode, owner, and extended attributes (access control lists among them), as far as the system allows."""
    state = path.stat()
    with contextlib.suppress(PermissionError):
        os.fchown(to, state.st_uid, state.st_gid)
    os.fchmod(to, state.st_mode & 0o7777)
    try:
        attributes = os.listxattr(path)
    except OSError:
        return
    for name in attributes:
        with contextlib.suppress(OSError):
            os.setxattr(to, name, os.getxattr(path, name))


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some file systems can't sync a folder; the rename holds all the same.
        with contextlib.suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Errors of the system as the kinds that a caller acts on."""
    try:
        yield
    except OSError as e:
        detail = os.strerror(e.errno) if e.errno else str(e)
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path, detail) from e
        if e.errno == errno.EROFS:
            raise ReadOnly(path, detail) from e
        if e.errno in (errno.EACCES, errno.EPERM):
            raise Denied(path, detail) from e
        if e.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.EIO):
            raise Gone(path, detail) from e
        raise NotReplaced(path, detail) from e


def is_temp(name: str) -> bool:
    """Whether a file name is that of a replacement in progress, or of one cut short by a crash."""
    return _TEMP.fullmatch(name) is not None


def sweep(folder: Path, now: float) -> int:
    """Remove what crashed replacements left in a folder over an hour ago; how many there were."""
    swept = 0
    for entry in os.scandir(folder):
        if is_temp(entry.name) and entry.is_file(follow_symlinks=False):
            with contextlib.suppress(OSError):
                if now - entry.stat(follow_symlinks=False).st_mtime > _TEMP_AGE_S:
                    Path(entry.path).unlink()
                    swept += 1
    return swept


# Originals


def keep_original(store: Path, sidecar: Path, data: bytes | None) -> None:
    """Keep a sidecar's bytes as they were before our first write, once; None: there was no sidecar."""
    place = store / hashlib.sha256(os.fsencode(sidecar)).hexdigest()
    if (place / "path").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    for name, content in (("original", data), ("path", os.fsencode(sidecar))):
        # The path comes last: an entry without one was cut short and is made again.
        if content is not None and snapshot(place / name) is None:
            replace(place / name, content, None)


def originals(store: Path) -> Iterator[tuple[Path, bytes | None]]:
    """All sidecars that were kept, with the bytes to put back; None: there was no sidecar."""
    for path in sorted(store.glob("*/path")):
        original = path.with_name("original")
        yield Path(os.fsdecode(path.read_bytes())), original.read_bytes() if original.exists() else None
