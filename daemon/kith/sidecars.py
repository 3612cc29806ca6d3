"""Which file is a photo's sidecar, what it should say, and when it may be replaced.

The only module that speaks to `kith_xmp`. `prepare` reads and merges, in a process of its own, since it may have to
read the metadata inside RAW files; `replace` puts the result in place.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from kith.config import Sidecars
from kith.errors import (
    DiskFull,
    FileBusy,
    FileVanished,
    KithError,
    PermissionDenied,
    PhotoUnreadable,
    SidecarChanged,
    SidecarMalformed,
)
from kith.files import file_error, show
from kith.types import Answer, Box, FaceId, Photo, Said, Written
from kith_xmp import doctor, embedded, files
from kith_xmp.merge import Base, Decision, Face, Kind, Wanted, merge
from kith_xmp.packet import Unreadable
from kith_xmp.read import read
from kith_xmp.regions import Frame
from kith_xmp.seed import seed
from kith_xmp.settings import Settings
from kith_xmp.write import write


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A face as the catalogue has it: its name, if it has one, and whether Kith gave that without being told.

    `insisted`: somebody gave the name once more after another program had taken it away twice.
    """

    id: FaceId
    box: Box
    name: str | None = None
    guess: bool = False
    insisted: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A photo whose sidecar is behind the catalogue.

    `people` are on it without a face; `insisted` are those of them who were named once more after a dispute. `known`
    are the names of everybody, who are believed where a sidecar has them as bare keywords.
    """

    photo: Photo
    faces: tuple[KnownFace, ...]
    people: tuple[str, ...]
    insisted: tuple[str, ...]
    known: tuple[str, ...]
    written: Written
    settings: Sidecars


@dataclass(frozen=True, slots=True)
class Prepared:
    """A merged sidecar. `data` is None where nothing has to change.

    `original` are the bytes it had (None: there was no file), `digest` theirs; `base` is what to remember for the
    next merge; `said` is what the merge learnt from the file.
    """

    path: bytes
    data: bytes | None
    original: bytes | None
    digest: bytes | None
    expected: files.Snapshot | None
    base: str
    said: tuple[Said, ...]

    @property
    def stamp(self) -> str:
        """What tells the file that was read from earlier and later ones; empty where there was none."""
        state = self.expected
        return _stamp(Path(os.fsdecode(self.path)), state.size, state.mtime_ns) if state else ""


def stamps(photos: Set[bytes], sidecars: Mapping[bytes, tuple[int, int]]) -> dict[bytes, str]:
    """For each photo the stamp of its sidecar among those that a walk met (size, mtime_ns); empty for none."""
    found = {}
    for together in families((*photos, *sidecars)):
        names = {Path(os.fsdecode(path)).name for path in together}
        for photo in together & photos:
            sidecar = files.find(Path(os.fsdecode(photo)), names) if len(names) > 1 else None
            state = sidecars.get(os.fsencode(sidecar)) if sidecar else None
            found[photo] = _stamp(sidecar, *state) if sidecar and state else ""
    return found


def families(paths: Iterable[bytes]) -> Iterable[set[bytes]]:
    """Photos and sidecars that may belong together: same folder, same name up to the first dot."""
    near: dict[tuple[bytes, bytes], set[bytes]] = defaultdict(set)
    for path in paths:
        folder, name = os.path.split(path)
        near[folder, name.partition(b".")[0]].add(path)
    return near.values()


def is_sidecar(name: bytes) -> bool:
    """Whether a file is a sidecar, by its name."""
    return name.lower().endswith(os.fsencode(files.SIDECAR))


def _stamp(path: Path, size: int, mtime_ns: int) -> str:
    return f"{size}:{mtime_ns}:{show(path.name)}"


def digest(data: bytes) -> bytes:
    """What a sidecar is recognised by: BLAKE2b, 16 bytes."""
    return blake2b(data, digest_size=16).digest()


def prepare(task: Task) -> Prepared:
    """Read a photo's sidecar and merge the catalogue's names into it.

    Raises SidecarMalformed where it can't be read safely, FileBusy where another program has only just written it,
    PhotoUnreadable, FileVanished, PermissionDenied.
    """
    photo = Path(os.fsdecode(task.photo.path))
    with _explained(photo):
        existing = files.find(photo, {entry.name for entry in photo.parent.iterdir()})
        path = existing or files.target(photo)
        loaded = files.load(existing) if existing else None
        if loaded is None:
            return _merged(task, photo, path, seed(embedded.embedded_packet(photo), embedded.legacy(photo)), None)
        return _merged(task, photo, path, loaded.data, loaded.snapshot)


def _merged(task: Task, photo: Path, path: Path, data: bytes, snapshot: files.Snapshot | None) -> Prepared:
    now = digest(data) if snapshot else None
    if snapshot and now not in (task.written.digest, task.written.intended_digest):
        _wait_for_quiet(path, snapshot, task.settings.quiet_seconds)
    settings = _settings(task.settings)
    frame = _frame(task.photo, photo)
    ours = Wanted(tuple(_face(known) for known in task.faces), task.people, task.insisted)
    theirs = read(data, frame, settings, task.known)
    merged = merge(_base(task.written, now), ours, theirs, settings, creating=snapshot is None)
    return Prepared(
        path=os.fsencode(path),
        data=write(data, merged.changes, frame) if merged.changes else None,
        original=data if snapshot else None,
        digest=now,
        expected=snapshot,
        base=json.dumps(merged.base.to_json()),
        said=tuple(said for decision in merged.decisions if (said := _said(decision))),
    )


def replace(prepared: Prepared) -> str:
    """Put a prepared sidecar in place, whole, and give its new stamp.

    Raises SidecarChanged, DiskFull, PermissionDenied or FileVanished; the file is then as it was.
    """
    if prepared.data is None:
        return prepared.stamp
    path = Path(os.fsdecode(prepared.path))
    with _explained(path):
        state = files.replace(path, prepared.data, prepared.expected)
    return _stamp(path, state.size, state.mtime_ns)


def restore(path: bytes, original: bytes | None, ours: Collection[bytes]) -> None:
    """Put the bytes back that a sidecar had before Kith first wrote it; None: there was no file.

    `ours` are the digests of what Kith wrote. Raises SidecarChanged where the file is not as Kith left it, and what
    `replace` raises.
    """
    place = Path(os.fsdecode(path))
    with _explained(place):
        state = files.snapshot(place)
        now = place.read_bytes() if state else None
        if now == original:
            return
        if now is not None and digest(now) not in ours:
            raise SidecarChanged(f"{show(path)} was changed by another program after Kith; it is left as it is.")
        if original is None:
            place.unlink()
        else:
            files.replace(place, original, state)


def ailments(path: bytes) -> tuple[str, ...]:
    """What is wrong with a sidecar, as sentences: why darktable can't write it, or that nobody can read it."""
    place = Path(os.fsdecode(path))
    try:
        with _explained(place):
            found = doctor.blockers(place.read_bytes())
    except KithError as error:
        return (error.message,)
    return tuple(f"{show(path)}: {sentence}." for sentence in found)


def rivals(photo: bytes, siblings: Collection[bytes]) -> tuple[str, ...]:
    """Whether a photo has two sidecars, IMG.EXT.xmp and IMG.xmp, as a sentence; `siblings` are its family."""
    place = Path(os.fsdecode(photo))
    names = {Path(os.fsdecode(path)).name for path in siblings}
    long, short = files.target(place).name, files.target(place, short=True).name
    both = long in names and files.find(place, names - {long}) is not None
    return (f"{show(photo)} has two sidecars, {show(long)} and {show(short)}; the first is used.",) if both else ()


def sweep(folders: Iterable[Path]) -> None:
    """Remove what a crash, an hour ago or longer, left of replacements in some folders."""
    for folder in folders:
        with suppress(OSError):
            files.sweep(folder, time.time())


def _base(written: Written, now: bytes | None) -> Base:
    """What was agreed last: what we meant to write, if the file shows that we did before we could note it."""
    happened = now is not None and now == written.intended_digest
    text = written.intended if happened else written.base
    return Base.from_json(json.loads(text)) if text else Base()


def _frame(photo: Photo, path: Path) -> Frame:
    """The stored pixels that the file's regions count in. A RAW's are known from its analysis."""
    if path.suffix[1:].casefold() in files.RAW:
        return Frame(photo.width or 0, photo.height or 0, photo.orientation or 1)
    frame = embedded.frame(path)
    return Frame(frame.width, frame.height, frame.turn)


def _face(known: KnownFace) -> Face:
    box = known.box
    return Face(known.name, box.x, box.y, box.w, box.h, guess=known.guess, insist=known.insisted, id=known.id)


def _said(decision: Decision) -> Said | None:
    """A decision of the merge as an answer; None for a guess, which is nobody's answer."""
    face, region = None if decision.face is None else FaceId(decision.face), decision.region
    box = Box(region.x, region.y, region.w, region.h) if region else None
    now, before = decision.name or "", decision.previous or ""
    match decision.kind:
        case Kind.RENAMED | Kind.ADDED if now and region and not region.guess:
            return Said(Answer.CONFIRMED, now, face, box)
        case Kind.REJECTED if before and face is not None:
            return Said(Answer.REJECTED, before, face)
        case Kind.DISPUTED if before and face is not None:
            return Said(Answer.DISPUTED, before, face)
        case Kind.MOVED if face is not None:
            return Said(Answer.MOVED, now, face, box)
        case Kind.PERSON_ADDED:
            return Said(Answer.PRESENT, now)
        case Kind.PERSON_DISPUTED:
            return Said(Answer.DISPUTED, before)
    return None


def _settings(chosen: Sidecars) -> Settings:
    lists = {"subject": chosen.subject, "hierarchicalSubject": chosen.hierarchical, "TagsList": chosen.tagslist}
    return Settings(
        people_root=chosen.root,
        keywords=frozenset(name for name, on in lists.items() if on),
        max_regions=chosen.max_regions or None,
    )


def _wait_for_quiet(path: Path, snapshot: files.Snapshot, seconds: float) -> None:
    if not files.is_quiet(snapshot, time.time_ns(), seconds):
        raise FileBusy(f"{show(path)} was written by another program just now; it is merged when that is done.")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """The library's errors as Kith's, which name the file and say what to do."""
    name = show(path)
    try:
        yield
    except Unreadable as error:
        raise SidecarMalformed(
            f"The sidecar of {name} can't be read ({error.reason}). Kith leaves it alone; repair or remove it."
        ) from error
    except embedded.PhotoUnreadable as error:
        raise PhotoUnreadable(f"{name}: its metadata can't be read, so no sidecar was made for it.") from error
    except files.NotReplaced as error:
        raise _not_replaced(name, error) from error
    except OSError as error:
        raise file_error(path, error) from error


def _not_replaced(name: str, error: files.NotReplaced) -> KithError:
    match error:
        case files.Changed():
            return SidecarChanged(f"{name} was changed by another program meanwhile; it is read again and merged.")
        case files.DiskFull():
            return DiskFull(f"There is no space left to write {name}; free some and it is tried again.")
        case files.Denied():
            return PermissionDenied(f"{name} may not be written ({error.why}); names are written once it may.")
        case _:
            return FileVanished(f"{name} can't be reached: {error.why}.")
