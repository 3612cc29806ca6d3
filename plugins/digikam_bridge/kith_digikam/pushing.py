"""Kith's suggestions into digiKam's People view: what there is to push, and pushing it.

A push compares three things: what Kith says of each photo, the faces digiKam has, and which of those Kith put there
itself. Faces of digiKam's own are left alone, but for unknown ones that get a suggestion; Kith's are kept in step.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kith_digikam import database, record, regions, tags
from kith_digikam.asking import Asking
from kith_digikam.errors import NotWritten
from kith_digikam.marks import Image, Mark, images, iou, marks, put, refusals, same_face, take
from kith_digikam.reading import Library, Picture, State
from kith_digikam.record import Entry, Pushed, Refused
from kith_digikam.regions import Box, Rect, Size
from kith_digikam.swap import replaced
from kith_digikam.tags import Tags

PHOTOS_AT_ONCE = 500
SUGGESTED, NAMED, NOBODY = ("suggested", "auto"), ("confirmed",), ("unknown", "grouped")  # Kith's states of a face


@dataclass(frozen=True, slots=True)
class Wish:
    """Which of Kith's faces to push besides suggestions, and whether those take the place of digiKam's own guesses."""

    confirmed: bool = False
    unknown: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A face as Kith knows it, in digiKam's pixels. `name` and `person`: who it is or may be."""

    id: str
    state: str
    rect: Rect
    name: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Kiths:
    """What Kith says: its faces by number of the image. `unknown` photos Kith doesn't know, `changed` have another
    shape than when digiKam looked at them."""

    faces: Mapping[int, Sequence[Known]]
    unknown: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Put:
    """A face to put there, `instead` of one of digiKam's."""

    image: int
    state: State
    rect: str
    name: str | None
    person: str | None
    instead: Mark | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push does: `take` away of what Kith put there before, and `put`. The rest counts what is left alone."""

    take: tuple[Entry, ...] = ()
    put: tuple[Put, ...] = ()
    kept: int = 0
    there: int = 0
    refused: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.take or self.put)

    def people(self) -> dict[str, int]:
        """How many suggestions there are for whom, most first."""
        counted = Counter(each.name for each in self.put if each.state is State.UNCONFIRMED and each.name)
        return dict(counted.most_common())

    def count(self, state: State) -> int:
        return sum(each.state is state for each in self.put)


@dataclass(frozen=True, slots=True)
class Heard:
    """What became in digiKam of faces that Kith put there: `refused` suggestions, `removed` faces, `answered` ones."""

    refused: tuple[tuple[Entry, Mark], ...] = ()
    removed: tuple[Entry, ...] = ()
    answered: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What a push did, or would do. `said` counts the "no" that were told to Kith."""

    plan: Plan
    kiths: Kiths
    said: int = 0
    backup: Path | None = None
    impossible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What an open database of digiKam's holds. `pushed` is what of it came from Kith and is as it came.

    `refused` are all those whom digiKam's user has said no to, for whoever's suggestion.
    """

    images: Mapping[int, Image]
    marks: Mapping[int, Sequence[Mark]]
    pushed: Pushed
    heard: Heard
    names: Mapping[int, str]
    refused: tuple[Refused, ...] = ()

    @classmethod
    def at(cls, db: sqlite3.Connection, folder: Path) -> Look:
        before, certain = record.load(record.file_of(db, folder), record.number_of(db))
        people = Tags(db)
        here = marks(db, people)
        heard = _heard(before, here) if certain else Heard(answered=_missing(before, here))
        gone = {*(entry for entry, _ in heard.refused), *heard.removed, *heard.answered}
        refused = (
            *(Refused(entry.mark.image, entry.mark.rect, entry.name) for entry, _ in heard.refused),
            *(Refused(entry.mark.image, entry.mark.rect) for entry in heard.removed),
        )
        pushed = record.without(before, gone, refused)
        others = (Refused(*each) for each in refusals(db, people))
        return cls(images(db), here, pushed, heard, people.names, (*pushed.refused, *others))


# -- the two commands ---------------------------------------------------------------------------------------------


def push(
    path: Path, kith: Asking, folder: Path, roots: Mapping[int, Path], wish: Wish = Wish(), *, dry_run: bool = False
) -> Done:
    """Bring Kith's suggestions to the database at `path`. `folder` is where the record of it is kept.

    `roots` are where digiKam's albums are. Raises what swap.replaced raises; then digiKam's database is as it was.
    """
    said = 0 if dry_run else tell(path, kith, folder, roots)
    with database.opened(path) as db:
        look = Look.at(db, folder)
    kiths = known(kith, look.images, roots)
    if dry_run:
        return Done(plan(look, kiths, wish), kiths)

    def change(db: sqlite3.Connection) -> _Change | None:
        now = Look.at(db, folder)
        planned = plan(now, kiths, wish)
        return None if planned.is_empty else _apply(db, now.pushed, planned, record.file_of(db, folder))

    swapped = replaced(path, change, _about_to)
    if swapped is None:
        return Done(plan(look, kiths, wish), kiths, said)
    changed, backup = swapped
    _noted(changed)
    return Done(changed.plan, kiths, said, backup, changed.impossible)


def undo(path: Path, folder: Path) -> tuple[int, Path | None]:
    """Take away what Kith put there and the user has not touched; gives how many faces, and the backup."""

    def change(db: sqlite3.Connection) -> _Change | None:
        now = Look.at(db, folder)
        if not now.pushed.entries and not now.pushed.made:
            return None
        return _apply(db, now.pushed, Plan(take=now.pushed.entries), record.file_of(db, folder), last=True)

    swapped = replaced(path, change, _about_to)
    if swapped is None:
        return 0, None
    changed, backup = swapped
    _noted(changed)
    return len(changed.plan.take), backup


def standing(path: Path, folder: Path) -> int:
    """How many faces in the database at `path` are Kith's and as it pushed them."""
    with database.opened(path) as db:
        return len(Look.at(db, folder).pushed.entries)


def tell(path: Path, kith: Asking, folder: Path, roots: Mapping[int, Path]) -> int:
    """Tell Kith which of its suggestions were rejected in digiKam since; gives how many. Changes no database."""
    with database.opened(path) as db:
        look, file = Look.at(db, folder), record.file_of(db, folder)
        before, certain = record.load(file, record.number_of(db))
    if not certain or look.pushed == before:
        return 0
    about = [entry for entry, _ in look.heard.refused]
    mine = {entry.mark.image for entry in about}
    kiths = known(kith, {number: look.images[number] for number in mine if number in look.images}, roots)
    said = 0
    for person, faces in _refusals(about, kiths).items():
        kith.post("/v1/faces/reject", faces=faces, person=person)
        said += len(faces)
    record.save(file, look.pushed)
    return said


def with_refused(library: Library, path: Path, folder: Path) -> Library:
    """What was read of the database at `path`, and of whom the user said there that they aren't whom Kith suggested."""
    with database.opened(path) as db:
        look = Look.at(db, folder)
    said: dict[tuple[int, str, str], list[Refused]] = defaultdict(list)
    for each in look.pushed.refused:
        if each.name is not None and each.image in look.images:
            image = look.images[each.image]
            said[image.root, image.folder, image.name].append(each)
    pictures = tuple(_refusing(one, said.get((one.root, one.folder, one.name), ())) for one in library.pictures)
    return replace(library, pictures=pictures)


def _refusing(picture: Picture, refused: Sequence[Refused]) -> Picture:
    names = {each.name: regions.parsed(each.rect) for each in refused if each.name is not None}
    faces = (
        replace(face, refused=tuple(sorted({*face.refused, *(name for name in names if names[name] == face.rect)})))
        if face.state is State.UNKNOWN
        else face
        for face in picture.faces
    )
    return replace(picture, faces=tuple(faces)) if names else picture


def _refusals(about: Iterable[Entry], kiths: Kiths) -> dict[str, list[str]]:
    """Which of Kith's faces are not whom."""
    found: dict[str, list[str]] = defaultdict(list)
    for entry in about:
        face = _at(entry.mark.place, kiths.faces.get(entry.mark.image, ()))
        if face is not None and entry.person is not None and face.state in (*SUGGESTED, *NOBODY):
            found[entry.person].append(face.id)
    return found


# -- what Kith knows ----------------------------------------------------------------------------------------------


def known(kith: Asking, pictures: Mapping[int, Image], roots: Mapping[int, Path]) -> Kiths:
    """Kith's faces on digiKam's pictures."""
    paths = [(image, image.path(roots[image.root])) for image in pictures.values() if image.root in roots]
    found: dict[int, list[Known]] = {}
    missing, changed = len(pictures) - len(paths), 0
    for start in range(0, len(paths), PHOTOS_AT_ONCE):
        some = paths[start : start + PHOTOS_AT_ONCE]
        told = kith.post("/v1/photos/lookup", paths=[path for _, path in some])["photos"]
        for (image, _), photo in zip(some, told, strict=True):
            if photo["id"] is None or not photo["width"]:
                missing += 1
                continue
            frame = regions.frame(image.stored, image.orientation, Size(photo["width"], photo["height"]))
            changed += frame is None
            if frame is not None:
                found[image.id] = [_known(face, frame) for face in photo["faces"]]
    return Kiths(found, missing, changed)


def _known(face: Mapping[str, Any], frame: Size) -> Known:
    box = Box(**face["box"])
    who = face["person"] or (face["suggestion"] or {"person": None})["person"] or {"name": None, "id": None}
    return Known(face["id"], face["state"], regions.rect(box, frame), who["name"], who["id"])


# -- what the user did --------------------------------------------------------------------------------------------


def _heard(before: Pushed, here: Mapping[int, Sequence[Mark]]) -> Heard:
    """What became of Kith's faces. One whose rectangle is unknown now was a suggestion that was rejected."""
    refused, removed, answered = [], [], []
    for entry in _missing(before, here):
        now = here.get(entry.mark.image, ())
        same = [mark for mark in now if mark.place == entry.mark.place]
        if entry.mark.state is State.UNCONFIRMED and any(mark.state is State.UNKNOWN for mark in same):
            refused.append((entry, next(mark for mark in same if mark.state is State.UNKNOWN)))
        elif any(_same(mark, entry.mark) for mark in now):
            answered.append(entry)
        else:
            removed.append(entry)
    return Heard(tuple(refused), tuple(removed), tuple(answered))


def _missing(before: Pushed, here: Mapping[int, Sequence[Mark]]) -> tuple[Entry, ...]:
    return tuple(entry for entry in before.entries if entry.mark not in here.get(entry.mark.image, ()))


def _same(a: Mark, b: Mark) -> bool:
    return a.place is not None and b.place is not None and same_face(a.place, b.place)


# -- what to do ---------------------------------------------------------------------------------------------------


def plan(look: Look, kiths: Kiths, wish: Wish) -> Plan:
    """What has to be done so that digiKam has what Kith says. Photos that Kith doesn't know now are left alone."""
    ours: dict[int, list[Entry]] = defaultdict(list)
    for entry in look.pushed.entries:
        ours[entry.mark.image].append(entry)
    refused: dict[int, list[Refused]] = defaultdict(list)
    for each in look.refused:
        refused[each.image].append(each)
    parts = [
        _for_image(image, faces, ours[image], look.marks.get(image, ()), refused[image], look.names, wish)
        for image, faces in kiths.faces.items()
        if image in look.images
    ]
    return Plan(
        tuple(entry for part in parts for entry in part.take),
        tuple(each for part in parts for each in part.put),
        sum(part.kept for part in parts),
        sum(part.there for part in parts),
        sum(part.refused for part in parts),
    )


def _for_image(
    image: int,
    faces: Sequence[Known],
    ours: Sequence[Entry],
    here: Sequence[Mark],
    refused: Sequence[Refused],
    names: Mapping[int, str],
    wish: Wish,
) -> Plan:
    kept = [entry for entry in ours if _still_says_so(entry, faces)]
    taken = [entry for entry in ours if entry not in kept]
    mine = {entry.mark for entry in taken}
    standing = [mark for mark in here if mark not in mine] + [entry.instead for entry in taken if entry.instead]
    puts: list[Put] = []
    there = no = 0
    for face in sorted(faces, key=lambda face: (face.state not in NAMED, face.rect)):
        state = _wanted(face, wish)
        if state is None or any(_is_there(face, each.mark) for each in kept):
            continue
        near = [mark for mark in standing if mark.place and same_face(mark.place, face.rect)]
        if any(_is_refused(face, each) for each in refused if each.name is not None or not near):
            no += 1
            continue
        instead = _replaceable(face, state, near, names, wish)
        if near and instead is None:
            there += 1
            continue
        rect = instead.rect if instead else regions.written(face.rect)
        name, person = (face.name, face.person) if state is not State.UNKNOWN else (None, None)
        puts.append(Put(image, state, rect, name, person, instead))
        standing = [mark for mark in standing if mark != instead] + [Mark(image, state, 0, rect)]
    return Plan(tuple(taken), tuple(puts), len(kept), there, no)


def _wanted(face: Known, wish: Wish) -> State | None:
    """What digiKam is to have of a face."""
    if face.state in SUGGESTED and face.name:
        return State.UNCONFIRMED
    if face.state in NAMED and face.name and wish.confirmed:
        return State.CONFIRMED
    if face.state in NOBODY and wish.unknown:
        return State.UNKNOWN
    return None


def _still_says_so(entry: Entry, faces: Sequence[Known]) -> bool:
    """Whether Kith says of a face what it said when it was pushed; a guess that was confirmed in Kith is still one."""
    face = _at(entry.mark.place, faces)
    if face is None:
        return False
    if entry.mark.state is State.UNKNOWN:
        return face.state in NOBODY
    allowed = NAMED if entry.mark.state is State.CONFIRMED else (*SUGGESTED, *NAMED)
    return face.state in allowed and face.name is not None and tags.key(face.name) == tags.key(entry.name or "")


def _replaceable(face: Known, state: State, near: Sequence[Mark], names: Mapping[int, str], wish: Wish) -> Mark | None:
    """The one face of digiKam's at that place, if it may give way: nobody knows it, or digiKam guessed otherwise."""
    if len(near) != 1 or state is State.UNKNOWN:
        return None
    mark = near[0]
    if mark.state is State.UNKNOWN and mark.tag:
        return mark
    guessed = wish.replace and mark.state is State.UNCONFIRMED and mark.tag in names
    return mark if guessed and tags.key(names[mark.tag]) != tags.key(face.name or "") else None


def _is_there(face: Known, mark: Mark) -> bool:
    return mark.place is not None and same_face(mark.place, face.rect)


def _is_refused(face: Known, refused: Refused) -> bool:
    place = regions.parsed(refused.rect)
    if place is None or not same_face(place, face.rect):
        return False
    return refused.name is None or (face.name is not None and tags.key(refused.name) == tags.key(face.name))


def _at(place: Rect | None, faces: Sequence[Known]) -> Known | None:
    """Kith's face at a place."""
    if place is None:
        return None
    near = [face for face in faces if same_face(place, face.rect)]
    return max(near, key=lambda face: iou(place, face.rect), default=None)


# -- doing it -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change:
    """What was done in a copy of the database, and what the record says before and after."""

    file: Path
    before: Pushed
    after: Pushed
    plan: Plan
    impossible: tuple[str, ...]


def _apply(db: sqlite3.Connection, before: Pushed, planned: Plan, file: Path, *, last: bool = False) -> _Change:
    there, entries, impossible = Tags(db), set(before.entries), set()
    for entry in planned.take:
        take(db, entry.mark, there, tagged=entry.tagged)
        if entry.instead is not None:
            put(db, entry.instead, there)
    entries -= set(planned.take)
    for each in planned.put:
        tag = there.unknown() if each.name is None else there.person(each.name)
        if tag is None:
            impossible.add(each.name or "")
            continue
        if each.instead is not None:
            take(db, each.instead, there)
        mark = Mark(each.image, each.state, tag, each.rect)
        tagged = put(db, mark, there)
        entries.add(Entry(mark, each.name, each.person, each.instead, tagged))
    made = tuple(tag for tag in reversed((*before.made, *there.made)) if not tags.remove(db, tag))[::-1]
    number = before.before if last else secrets.randbits(31) or 1
    record.set_number(db, number)
    ordered = sorted(entries, key=lambda entry: (entry.mark.image, entry.mark.rect, entry.mark.tag))
    after = replace(before, number=number, entries=tuple(ordered), made=made)
    return _Change(file, before, after, planned, tuple(sorted(impossible)))


def _about_to(changed: _Change) -> None:
    record.save(changed.file, changed.before, changed.after)


def _noted(changed: _Change) -> None:
    """Keep only what is so now; where that can't be written, what will be so was noted before, and is found there."""
    with suppress(NotWritten):
        record.save(changed.file, changed.after)
