"""The pipeline, in the order a photo goes through it: look, analyse, embed, recognise, write.

Each stage asks the catalogue what is left to do, does it, and commits each result, so that stopping anywhere and
starting again goes on where it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kith import sidecars
from kith.catalogue import faces, journal, people, photos, trouble, work
from kith.catalogue import sidecars as written
from kith.errors import BadRequest, FileBusy, KithError, ModelCorrupt, NotFound, Retry, Unexpected
from kith.files import show
from kith.pools import SpawnPool, each
from kith.scan import FileSeen, NotSeen, content_key, walk
from kith.service import packs, recognition
from kith.service.app import App
from kith.service.reports import Report
from kith.types import PERSON, Dispute, Face, FaceState, PersonId, Photo, PhotoId
from kith.vision import Limits, VisionSettings, is_photo, worker

if TYPE_CHECKING:
    from kith.vision.packs import Pack

T = TypeVar("T")

CHUNK = 64  # files recorded, or crops embedded, in one go
ON_ITS_WAY = 2.0  # seconds after its last change in which a file may still be being copied
DRAWN_EVERY = 1.0  # seconds between two looks for boxes that somebody drew meanwhile
PASSES = 3  # what is learnt from sidecars may make others follow


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run did."""

    photos: int
    changed: int
    analysed: int
    written: int
    troubled: int


def run(app: App, roots: Sequence[Path], report: Report, *, only: Collection[PhotoId] | None = None) -> Summary:
    """Everything there is to do for some folders: from files to names in sidecars. Faces are looked for on all photos
    that need it, or on `only` some."""
    pack = packs.load(app)
    seen, changed = look(app, roots, report)
    pack, analysed = analyse(app, pack, report, only)
    done = hear(app, report)
    pack, _ = analyse(app, pack, report, only)  # faces that only sidecars knew of
    embed(app, pack, report)
    pack = change_pack(app, pack, report)
    recognition.Beliefs(app).update(pack.manifest)
    done += write(app, report)
    return Summary(seen, changed, analysed, done, len(app.catalogue.read(trouble.all_of)))


def rescan(app: App, where: Sequence[Path], mode: str, report: Report, *, forget: bool = False) -> Summary:
    """Find the faces on some photos, or all below some folders, anew.

    Modes: "new"; "again"; "unconfirmed" forgets faces that nobody answered first; "found" forgets all that was found,
    and with `forget` every answer too; "deleted" brings back what was said to be no face. What waits elsewhere goes on
    waiting. Raises NotFound, and BadRequest where answers are to be forgotten in another mode.
    """
    if forget and mode != "found":
        raise BadRequest("Your answers can be forgotten only where everything that was found is: with --mode found.")
    scope = [os.path.realpath(os.fsencode(path)) for path in where]
    roots = [path for path in where if path.is_dir()]
    beside = {Path(os.fsdecode(path)).parent for path in app.catalogue.read(photos.by_paths, scope)}
    look(app, roots, report)
    look(app, sorted(folder for folder in beside if folder.is_dir()), report, deep=False)
    found = app.catalogue.read(work.in_scope, scope)
    if not found and mode != "new":
        raise NotFound("There are no photos there that Kith has scanned; run `kith scan` on their folder.")
    said = f"rescan --mode {mode} {' '.join(show(path) for path in scope)}"
    if mode == "found" and forget:
        app.catalogue.write(journal.forget, found, PERSON, said)
    if mode == "deleted":
        app.catalogue.write(journal.restore, found, PERSON, said)
    elif mode != "new":
        app.catalogue.write(work.look_again, scope, clear=mode in ("unconfirmed", "found"), deep=mode == "found")
    return run(app, roots, report, only={photo.id for photo in found})


def follow(app: App, report: Report) -> int:
    """What follows from an answer: beliefs, then sidecars; gives how many were written."""
    recognition.Beliefs(app).update(packs.manifest(app))
    return write(app, report)


# -- look ---------------------------------------------------------------------------------------------------------


def look(
    app: App, roots: Sequence[Path], report: Report, *, deep: bool = True, young: set[bytes] | None = None
) -> tuple[int, int]:
    """Take in what is on disk below `roots`; gives how many photos there are and how many are new or changed.

    Not `deep`: only what lies in these folders themselves. Files written in the last seconds may still be on their way:
    they are left for later and added to `young`, where that is given.

    Raises BadRequest where a root is no folder: a disk that isn't mounted is not an empty one.
    """
    for root in roots:
        if not root.is_dir():
            raise BadRequest(f"{show(root)} is not a folder. If it is on a disk, plug that in and try again.")
    counts = [_look_at(app, root.resolve(), report, deep=deep, young=young) for root in roots]
    return sum(seen for seen, _ in counts), sum(changed for _, changed in counts)


def _look_at(app: App, root: Path, report: Report, *, deep: bool, young: set[bytes] | None) -> tuple[int, int]:
    before = dict(app.catalogue.read(photos.known_below, os.fsencode(root), deep=deep))
    hidden, ignore = app.config.photos.hidden, app.config.photos.ignore
    seen: set[bytes] = set()
    beside: dict[bytes, tuple[int, int]] = {}
    changed: list[photos.FileState] = []
    unseen: list[NotSeen] = []
    count = 0

    def commit() -> None:
        app.catalogue.write(photos.record, changed)
        changed.clear()

    with report.stage("Looking for photos", 0) as step:
        for found in walk(root, _is_wanted, hidden=hidden, even=sidecars.READ_ONLY, deep=deep, ignore=ignore):
            if isinstance(found, NotSeen):
                unseen.append(found)
                continue
            if sidecars.is_beside(found.path):
                beside[found.path] = found.size, found.mtime_ns
                continue
            seen.add(found.path)
            step()
            if before.get(found.path) == (found.size, found.mtime_ns):
                continue
            if young is not None and 0 <= time.time_ns() - found.mtime_ns < ON_ITS_WAY * 1e9:
                young.add(found.path)
                continue
            try:
                changed.append(_state(found))
            except KithError as error:
                unseen.append(NotSeen(found.path, error))
                continue
            count += 1
            if len(changed) == CHUNK:
                commit()
    commit()
    gone = before.keys() - seen
    troubled = [(found.path, found.error) for found in unseen]
    app.catalogue.write(photos.looked, os.fsencode(root), gone, troubled, sidecars.stamps(seen, beside), deep=deep)
    return len(seen), count


def _is_wanted(name: bytes) -> bool:
    return is_photo(name) or sidecars.is_beside(name)


def _state(found: FileSeen) -> photos.FileState:
    return photos.FileState(found.path, found.size, found.mtime_ns, content_key(found.path, found.size))


# -- analyse ------------------------------------------------------------------------------------------------------


def analyse(app: App, pack: Pack, report: Report, only: Collection[PhotoId] | None = None) -> tuple[Pack, int]:
    """Find the faces on all photos that need it, or `only` on some of these; gives the pack that did it in the end, and
    the number of photos.

    A pack that isn't trusted yet is checked on the first faces it finds; where it fails, the next one starts over.
    """
    while True:
        try:
            return pack, _analyse(app, pack, report, only)
        except ModelCorrupt as error:
            pack = packs.set_aside(app, pack, error, report)


def _analyse(app: App, pack: Pack, report: Report, only: Collection[PhotoId] | None) -> int:
    pending = [photo for photo in app.catalogue.read(work.to_analyse) if only is None or photo.id in only]
    if not pending:
        return 0
    same_person = pack.calibration.cosine_fmr["1e-3"]
    analysed, trusted = 0, packs.is_trusted(app, pack.manifest)
    executor = _workers(app, pack)
    with report.stage("Finding faces", len(pending)) as step:
        in_turn = _in_turn(app, pending)
        tasks = ((photo, worker.Request(photo.path, app.catalogue.read(faces.given, photo))) for photo in in_turn)
        for photo, future in each(executor, worker.analyse_file, tasks, ahead=2 * app.workers):
            try:
                app.catalogue.write(faces.store, photo, _result(future, photo), same_person)
                analysed += 1
            except KithError as error:
                _note(app, photo, "analyse", error)
            step()
            if not trusted and analysed % packs.CHECK_EVERY == 0:
                trusted = packs.check(app, pack)
    if not trusted:
        packs.check(app, pack)
    return analysed


def _in_turn(app: App, pending: Sequence[Photo]) -> Iterator[Photo]:
    """The photos that still need it one by one, and before the rest those on which somebody just drew a box."""
    handed_out: set[tuple[PhotoId, int]] = set()
    next_look = time.monotonic()
    for photo in pending:
        drawn: list[Photo] = []
        if time.monotonic() >= next_look:
            drawn = app.catalogue.read(work.drawn)
            next_look = time.monotonic() + DRAWN_EVERY
        for one in [*drawn, photo]:
            if (one.id, one.tags_rev) not in handed_out and app.catalogue.read(work.is_to_analyse, one.id):
                handed_out.add((one.id, one.tags_rev))
                yield one


def _workers(app: App, pack: Pack) -> Executor:
    config = app.config
    vision = VisionSettings(
        min_score=config.detection.min_score or None,
        min_size=config.detection.min_size,
        turned=config.detection.turned,
        limits=Limits(config.photos.max_megapixels, config.photos.max_megabytes),
    )
    start = (pack.folder, vision)
    return app.workshop.pool(
        "vision", start, lambda: SpawnPool(app.workers, worker.initialise, start, config.analysis.patience)
    )


def _result(future: Future[T], photo: Photo) -> T:
    """What a worker gave, or why not, as an error of Kith's that is this photo's own."""
    try:
        return future.result()
    except KithError:
        raise
    except Exception as error:
        raise Unexpected(
            f"Kith stumbled over {show(photo.path)} ({type(error).__name__}: {error}). The photo is left alone; "
            "please report this."
        ) from error


def _note(app: App, photo: Photo, stage: str, error: KithError, wait: float | None = None) -> None:
    """Remember one photo's trouble; what is nobody's in particular stops the stage."""
    if error.retry is Retry.FATAL:
        raise error
    app.catalogue.write(trouble.note, photo.path, stage, error, wait)


# -- embed --------------------------------------------------------------------------------------------------------


def embed(app: App, pack: Pack, report: Report) -> None:
    """Embed the faces that this pack has not seen from their crops, without opening a photo."""
    waiting = app.catalogue.read(faces.to_embed, pack.id)
    if not waiting:
        return
    chunks = [waiting[i : i + CHUNK] for i in range(0, len(waiting), CHUNK)]
    tasks = ((ids, list(app.catalogue.read(faces.crops, ids).values())) for ids in chunks)
    executor = _workers(app, pack)
    with report.stage("Looking at known faces anew", len(chunks)) as step:
        for ids, future in each(executor, worker.embed_stored, tasks, ahead=2 * app.workers):
            app.catalogue.write(faces.store_embeddings, ids, pack.id, future.result())
            step()


def change_pack(app: App, pack: Pack, report: Report) -> Pack:
    """Go over to the pack that was chosen, once it knows all faces; gives the one that is in use then."""
    chosen = packs.coming(app)
    if chosen is None:
        return pack
    embed(app, chosen, report)
    try:
        packs.take_over(app, chosen)
    except ModelCorrupt as error:
        report.say(f"{error.message} {pack.id} stays in use.")
        return pack
    return chosen


# -- write --------------------------------------------------------------------------------------------------------


def write(app: App, report: Report, *, wait: bool = True) -> int:
    """Write the names that changed beside their photos; gives how many sidecars that took.

    Sidecars that another program has just written are left alone for the quiet period, then tried once more; without
    `wait` they are trouble until then.
    """
    if not app.config.sidecars.write:
        return 0
    done = 0
    for _ in range(PASSES):
        pending = app.catalogue.read(work.to_write)
        if not pending:
            break
        sidecars.sweep({Path(os.fsdecode(photo.path)).parent for photo in pending})
        done += _exchange(app, pending, "Writing names", report, wait=wait)
    return done


def hear(app: App, report: Report, *, wait: bool = True) -> int:
    """Read what other programs say in sidecars, and photos in themselves; gives how many sidecars changed by that.

    Names and boxes given there are answers, with their source. A face that only the file knows is embedded by the next
    analysis.
    """
    pending = app.catalogue.read(work.to_hear)
    return _exchange(app, pending, "Reading names", report, wait=wait) if pending else 0


def _exchange(app: App, pending: Sequence[Photo], title: str, report: Report, *, wait: bool) -> int:
    """Merge the catalogue and the sidecars of some photos, both ways."""
    pool = app.workshop.pool("sidecars", None, lambda: SpawnPool(1))
    with report.stage(title, len(pending)) as step:
        done, busy = _merge_each(app, pool, pending, step)
        if busy and wait:
            report.say(f"Another program has just written {len(busy)} of the sidecars; waiting until it is done.")
            time.sleep(app.config.sidecars.quiet_seconds)
            done += _merge_each(app, pool, busy, step)[0]
    return done


def _merge_each(
    app: App, executor: Executor, pending: Sequence[Photo], step: Callable[[], None]
) -> tuple[int, list[Photo]]:
    done, busy = 0, []
    names = _names(app)
    tasks = ((photo, sidecar_task(app, photo, names)) for photo in pending)
    for photo, future in each(executor, sidecars.prepare, tasks, ahead=4):
        try:
            done += _commit(app, photo, _result(future, photo))
        except KithError as error:
            is_busy = isinstance(error, FileBusy)
            _note(app, photo, "sidecar", error, app.config.sidecars.quiet_seconds if is_busy else None)
            busy += [photo] if is_busy else []
        step()
    return done, busy


def _commit(app: App, photo: Photo, prepared: sidecars.Prepared) -> bool:
    """Replace a sidecar, if it has to change and may be written, between two notes in the catalogue."""
    if prepared.data is not None and not app.config.sidecars.write:
        app.catalogue.write(written.heard, photo, prepared.stamp, prepared.said)
        return False
    digest, stamp = prepared.digest, prepared.stamp
    if prepared.data is not None:
        change = prepared.change
        app.catalogue.write(written.intend, photo.id, prepared.base, change)
        digest, stamp = change.becomes, sidecars.replace(prepared)
    app.catalogue.write(written.agree, photo, prepared.base, digest, stamp, prepared.said)
    return prepared.data is not None


def _names(app: App) -> Mapping[PersonId, str]:
    return {person.id: person.name for person in app.catalogue.read(people.all_of)}


def sidecar_task(app: App, photo: Photo, names: Mapping[PersonId, str] | None = None) -> sidecars.Task:
    """What the catalogue has to say in the sidecar of a photo; `names` where they are known already."""
    names = _names(app) if names is None else names
    on_it = app.catalogue.read(faces.on_photo, photo.id)
    present = app.catalogue.read(people.present, photo.content_key)
    return sidecars.Task(
        photo=photo,
        faces=tuple(_as_written(face, names) for face in on_it if face.state is not FaceState.NOT_A_FACE),
        people=tuple(there.person.name for there in present),
        insisted=tuple(there.person.name for there in present if there.dispute is Dispute.INSISTED),
        known=tuple(names.values()),
        written=app.catalogue.read(written.written, photo.id),
        settings=app.config.sidecars,
    )


def _as_written(face: Face, names: Mapping[PersonId, str]) -> sidecars.KnownFace:
    """A face as its sidecar should have it; without a name where nobody is sure."""
    if face.state is FaceState.CONFIRMED and face.person:
        insisted = face.dispute is Dispute.INSISTED
        return sidecars.KnownFace(face.id, face.box, face.person.name, insisted=insisted)
    if face.state is FaceState.AUTO and face.suggestion and face.suggestion.person in names:
        return sidecars.KnownFace(face.id, face.box, names[face.suggestion.person], guess=True)
    return sidecars.KnownFace(face.id, face.box)
