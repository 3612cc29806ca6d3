"""Which file is a photo's sidecar, what it should say, and when it may be replaced.

The only module that speaks to `kith_xmp`. `prepare` reads and merges, in a process of its own, since it may have to
read the metadata inside RAW files; `replace` puts the result in place.
"""

from __future__ import annotations

import dataclasses
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
from kith.types import Answer, Box, Change, FaceId, Original, Photo, Said, Written
from kith_xmp import doctor, embedded, files, names
from kith_xmp.elsewhere import PICASA, news, picasa
from kith_xmp.merge import Base, Decision, Face, Kind, Wanted, merge
from kith_xmp.packet import Packet, Unreadable, parse
from kith_xmp.read import read
from kith_xmp.regions import Frame, Region
from kith_xmp.seed import seed
from kith_xmp.settings import Settings
from kith_xmp.write import write

ELSEWHERE = "elsewhere"  # in what is remembered for the next merge: the faces of files that are only read
READ_ONLY = frozenset(os.fsencode(name) for name in PICASA)


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
    next merge; `said` is what the merge learnt from the file. `beside` is the state of Picasa's file.
    """

    path: bytes
    data: bytes | None
    original: bytes | None
    digest: bytes | None
    expected: files.Snapshot | None
    base: str
    said: tuple[Said, ...]
    beside: tuple[tuple[Path, int, int], ...] = ()

    @property
    def stamp(self) -> str:
        """What tells the files that were read from earlier and later ones; empty where there were none."""
        return self.stamp_with(self.expected)

    @property
    def change(self) -> Change:
        """The replacement that this prepares."""
        return Change(self.path, self.original, self.digest, digest(self.data or b""))

    def stamp_with(self, state: files.Snapshot | None) -> str:
        """The same, with the sidecar in this state."""
        sidecar = [(Path(os.fsdecode(self.path)), state.size, state.mtime_ns)] if state else []
        return _stamp((*sidecar, *self.beside))


def stamps(photos: Set[bytes], beside: Mapping[bytes, tuple[int, int]]) -> dict[bytes, str]:
    """For each photo the stamp of its sidecar, and of Picasa's file, among what a walk met (size, mtime_ns)."""
    found = {}
    inis = {os.path.split(path)[0]: path for path in beside if os.path.split(path)[1] in READ_ONLY}
    for together in families((*photos, *beside)):
        siblings = {Path(os.fsdecode(path)).name for path in together}
        for photo in together & photos:
            sidecar = files.find(Path(os.fsdecode(photo)), siblings) if len(siblings) > 1 else None
            read = (os.fsencode(sidecar) if sidecar else b"", inis.get(os.path.split(photo)[0], b""))
            found[photo] = _stamp((Path(os.fsdecode(path)), *beside[path]) for path in read if path in beside)
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


def is_beside(name: bytes) -> bool:
    """Whether a file says something about the photos beside it: a sidecar, or Picasa's."""
    return is_sidecar(name) or os.path.split(name)[1] in READ_ONLY


def _stamp(seen: Iterable[tuple[Path, int, int]]) -> str:
    return "|".join(f"{size}:{mtime_ns}:{show(path.name)}" for path, size, mtime_ns in seen)


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
        siblings = set(os.listdir(photo.parent))  # noqa: PTH208  faster by far in a folder of thousands
        existing = files.find(photo, siblings)
        if existing is None:
            path = files.target(photo, siblings, short=task.settings.short_names)
            start = parse(seed(embedded.embedded_packet(photo), embedded.legacy(photo)))
            return _merged(task, photo, path, start, None)
        loaded = files.load(existing)
        if loaded is None:
            raise FileVanished(f"The sidecar of {show(photo)} is gone; what it said is looked for next time.")
        return _merged(task, photo, existing, loaded.packet, loaded)


def _merged(task: Task, photo: Path, path: Path, packet: Packet, loaded: files.Loaded | None) -> Prepared:
    data, snapshot = (loaded.data, loaded.snapshot) if loaded else (None, None)
    now = None if data is None else digest(data)
    if snapshot and now not in (task.written.digest, task.written.intended_digest):
        _wait_for_quiet(path, snapshot, task.settings.quiet_seconds)
    settings = _settings(task.settings)
    frame = _frame(task.photo, photo)
    ours = Wanted(tuple(_face(known) for known in task.faces), task.people, task.insisted)
    theirs = read(packet, frame, settings, task.known)
    base, elsewhere = _base(task.written, now)
    merged = merge(base, ours, theirs, settings, creating=snapshot is None)
    states = [(ini, state) for name in PICASA if (state := files.snapshot(ini := photo.parent / name))]
    given = picasa(photo, frame, settings) if states else ()
    decisions = (*merged.decisions, *news(elsewhere, given, ours.faces, theirs))
    return Prepared(
        path=os.fsencode(path),
        data=write(packet, merged.changes, frame) if merged.changes else None,
        original=data,
        digest=now,
        expected=snapshot,
        base=json.dumps(merged.base.to_json() | {ELSEWHERE: [[r.name, *r.box] for r in given]}),
        said=tuple(said for decision in decisions if (said := _said(decision))),
        beside=tuple((ini, state.size, state.mtime_ns) for ini, state in states[:1]),
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
    return prepared.stamp_with(state)


def restore(kept: Original) -> None:
    """Put the bytes back that a sidecar had before Kith first wrote it.

    Raises SidecarChanged where the file is not as Kith left it, and what `replace` raises.
    """
    place = Path(os.fsdecode(kept.path))
    with _explained(place):
        state = files.snapshot(place)
        now = place.read_bytes() if state else None
        if now == kept.data:
            return
        if now is not None and (kept.mixed or digest(now) not in kept.ours):
            raise SidecarChanged(f"{show(kept.path)} was changed by another program after Kith; it is left as it is.")
        if kept.data is None:
            place.unlink()
        else:
            files.replace(place, kept.data, state)


def without_names(task: Task) -> Prepared:
    """The sidecar of a photo without anything that Kith wrote, and with all that others did. Raises as `prepare`."""
    return prepare(dataclasses.replace(task, faces=(), people=(), insisted=()))


def photo_of(sidecar: bytes) -> bytes | None:
    """The photo that a sidecar is for; None where it is gone."""
    place = Path(os.fsdecode(sidecar))
    with _explained(place):
        photo = files.photo_of(place, {entry.name for entry in place.parent.iterdir()})
    return os.fsencode(photo) if photo else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a sidecar, as a sentence; and the replacement that mends it, where that is safe."""

    sentence: str
    change: Change | None = None
    mended: bytes | None = None


def spellings(path: bytes) -> tuple[str, ...]:
    """Every name in a sidecar as it is spelled there; () where it can't be read."""
    place = Path(os.fsdecode(path))
    try:
        with _explained(place):
            return doctor.spellings(place.read_bytes())
    except KithError:
        return ()


def name_key(name: str) -> str:
    """What all spellings of a name have in common."""
    return names.key(name)


def findings(path: bytes, family: Collection[bytes], spelling: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with one sidecar: why darktable can't write it, why nobody can read it, names spelled oddly.

    `family` are the files around it (`families`); `spelling` gives for the key of a name how it should be spelled.
    What can be mended is one finding for the whole file, last.
    """
    place = Path(os.fsdecode(path))
    try:
        with _explained(place):
            before = data = place.read_bytes()
            frame = _frame_of(place, family)
            mendable: list[str] = []
            while found := next((a for a in doctor.examine(data, frame, spelling) if a.mended), None):
                mendable.append(found.sentence)
                data = found.mended or data
            rest = [ailment.sentence for ailment in doctor.examine(data, frame, spelling)]
    except KithError as error:
        yield Finding(error.message)
        return
    for sentence in rest:
        yield Finding(f"{show(path)}: {sentence}.")
    if mendable:
        change = Change(path, before, digest(before), digest(data))
        yield Finding(f"{show(path)}: {'; '.join(mendable)}.", change, data)


def mend(finding: Finding) -> None:
    """Put a mended sidecar in place. Raises SidecarChanged where it changed since it was examined, and as `replace`."""
    if finding.change is None or finding.mended is None:
        return
    place = Path(os.fsdecode(finding.change.path))
    with _explained(place):
        state = files.snapshot(place)
        if place.read_bytes() != finding.change.before:
            raise SidecarChanged(f"{show(place)} has changed meanwhile; examine it again.")
        files.replace(place, finding.mended, state)


def _frame_of(sidecar: Path, family: Collection[bytes]) -> Frame | None:
    """The frame of the photo that a sidecar is for; None where that can't be told."""
    photo = files.photo_of(sidecar, {Path(os.fsdecode(path)).name for path in family})
    if photo is None or photo.suffix[1:].casefold() in files.RAW:
        return None
    try:
        return embedded.frame(photo)
    except embedded.PhotoUnreadable:
        return None


def rivals(photo: bytes, family: Collection[bytes]) -> Iterator[Finding]:
    """Whether a photo has two sidecars, IMG.EXT.xmp and IMG.xmp, and whom only the one that isn't used names."""
    place = Path(os.fsdecode(photo))
    siblings = {Path(os.fsdecode(path)).name for path in family}
    long = files.target(place).name
    other = files.find(place, siblings - {long}) if long in siblings else None
    if other is None:
        return
    used = {names.key(name) for name in spellings(os.fsencode(place.with_name(long)))}
    lost = [name for name in spellings(os.fsencode(other)) if names.key(name) not in used]
    only = f" Only {show(other.name)} names {', '.join(lost)}." if lost else ""
    yield Finding(f"{show(photo)} has two sidecars, {show(long)} and {show(other.name)}; the first is used.{only}")


def sweep(folders: Iterable[Path]) -> None:
    """Remove what a crash, an hour ago or longer, left of replacements in some folders."""
    for folder in folders:
        with suppress(OSError):
            files.sweep(folder, time.time())


def _base(written: Written, now: bytes | None) -> tuple[Base, tuple[Region, ...]]:
    """What was agreed last: what we meant to write, if the file shows that we did before we could note it.

    And what the files that are only read said then.
    """
    happened = now is not None and now == written.intended_digest
    text = written.intended if happened else written.base
    if not text:
        return Base(), ()
    kept = json.loads(text)
    return Base.from_json(kept), tuple(Region(*row) for row in kept.get(ELSEWHERE, ()))


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
        microsoft=chosen.microsoft,
        unnamed=chosen.unnamed,
        pipe=chosen.pipe,
        slash=chosen.slash,
        nobody=frozenset(chosen.nobody),
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
