"""Importing: what digiKam knows of people, placed on the photos as Kith knows them, and told to Kith.

Kith compares what it is told with what it was told before (`POST /v1/import`), so everything is told each time; that
makes an import that was stopped anywhere complete itself the next time.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kith_digikam import regions
from kith_digikam.asking import Asking, Report
from kith_digikam.reading import Face, Library, Picture, State, paths
from kith_digikam.regions import Size

SOURCE, WORDS = "digikam", "import from digiKam"
LOOKED_UP = 500  # photos asked for at once
TOLD = 200  # photos told at once: one transaction each
LONGEST_NAME = 200  # characters that Kith takes
STATES = {
    State.CONFIRMED: "confirmed",
    State.IGNORED: "ignored",
    State.UNCONFIRMED: "unknown",
    State.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What digiKam has of one person.

    Faces: `confirmed`, `unconfirmed` (a guess), `tagged` on a photo without a face, `unplaced` (confirmed, on a photo
    that was cropped or turned since). `photos` they are on for sure, and how many of these Kith knows.
    """

    confirmed: int = 0
    unconfirmed: int = 0
    tagged: int = 0
    unplaced: int = 0
    photos: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would tell Kith. `words` are photos as `POST /v1/import` takes them.

    `pictures` are those of digiKam's pictures with people that Kith knows, by path, and `shown` their displayed sizes.
    Those that it doesn't know yet are `unknown`, or `waiting` for their analysis; `away` are in albums that aren't
    there. `unnamed` counts faces whose name can't be used.
    """

    words: tuple[Mapping[str, Any], ...] = ()
    people: Mapping[str, Figures] = field(default_factory=dict)
    pictures: Mapping[bytes, Picture] = field(default_factory=dict)
    shown: Mapping[bytes, Size] = field(default_factory=dict)
    unknown: int = 0
    waiting: int = 0
    away: int = 0
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an import: the entry of Kith's history (None: no news), and Kith's counts of what it took."""

    act: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def plan(kith: Asking | None, library: Library, roots: Mapping[int, Path], report: Report) -> Plan:
    """What there is to tell of the pictures whose album root is there; without a Kith, of none. Nothing is said."""
    here = paths(library, roots)
    remembered = {_raw(path) for path in kith.get("/v1/import", source=SOURCE)["photos"]} if kith else set()
    wanted = [path for path, picture in here.items() if picture.faces or picture.people or path in remembered]
    found = _known(kith, wanted, report)
    frames = {path: known for path, known in found.items() if isinstance(known, Size)}
    told = {path: picture for path, picture in here.items() if path in frames}
    said = {path: _word(path, picture, frames[path]) for path, picture in told.items()}
    nothing = {path: {"path": path, "faces": [], "people": []} for path in remembered}
    words = tuple(word for path in told if (word := said[path] or nothing.get(path)))
    missing = Counter(found[path] for path in wanted if not isinstance(found[path], Size))
    return Plan(
        words=words,
        people=_figures(here, frames),
        pictures={path: picture for path, picture in told.items() if picture.faces or picture.people},
        shown=frames,
        unknown=missing.total() - missing["not-analysed"],
        waiting=missing["not-analysed"],
        away=sum(picture.root not in roots for picture in library.pictures),
        unnamed=sum(not usable(face.name) for picture in told.values() for face in _confirmed(picture)),
    )


def tell(kith: Asking, planned: Plan, report: Report) -> Told:
    """Tell Kith, all as one entry of its history."""
    act: int | None = None
    counts: Counter[str] = Counter()
    chunks = [planned.words[i : i + TOLD] for i in range(0, len(planned.words), TOLD)]
    with report.stage("Telling Kith", len(chunks)) as step:
        for number, chunk in enumerate(chunks, start=1):
            answer = kith.post(
                "/v1/import", source=SOURCE, words=WORDS, photos=list(chunk), act=act, more=number < len(chunks)
            )
            act = answer["act"]
            counts.update(answer["counts"])
            step()
    return Told(act, dict(counts))


def usable(name: str | None) -> bool:
    """Whether Kith can take a name: something visible, and not too long."""
    return name is not None and len(name) <= LONGEST_NAME and any(unicodedata.category(c)[0] not in "CZ" for c in name)


def _known(kith: Asking | None, wanted: Sequence[bytes], report: Report) -> dict[bytes, Size | str]:
    """The displayed size of photos as Kith knows them, or why it doesn't."""
    if kith is None:
        return dict.fromkeys(wanted, "not-watched")
    found: dict[bytes, Size | str] = {}
    chunks = [wanted[i : i + LOOKED_UP] for i in range(0, len(wanted), LOOKED_UP)]
    with report.stage("Looking for photos in Kith", len(chunks)) as step:
        for chunk in chunks:
            answers = kith.post("/v1/photos/lookup", paths=chunk)["photos"]
            for path, known in zip(chunk, answers, strict=True):
                found[path] = known["reason"] if known["id"] is None else Size(known["width"], known["height"])
            step()
    return found


def _raw(path: str | bytes) -> bytes:
    return path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")


def _confirmed(picture: Picture) -> Iterator[Face]:
    return (face for face in picture.faces if face.state is State.CONFIRMED)


def _word(path: bytes, picture: Picture, shown: Size) -> dict[str, Any] | None:
    """A photo as Kith is told of it; None where digiKam has no answer about it.

    Confirmed faces without a place are people without a face.
    """
    frame = regions.frame(picture.stored, picture.orientation, shown)
    faces, people = [], {name for name in picture.people if usable(name)}
    for face in picture.faces:
        box = None if frame is None else regions.box(face.rect, frame)
        named = face.state is State.CONFIRMED
        if named and not usable(face.name):
            continue
        if box is not None:
            faces.append(_face(face, box))
        elif named and face.name:
            people.add(face.name)
    answered = people or any(face["state"] != "unknown" or "refused" in face for face in faces)
    return {"path": path, "faces": faces, "people": sorted(people)} if answered else None


def _face(face: Face, box: regions.Box) -> dict[str, Any]:
    told: dict[str, Any] = {"state": STATES[face.state], "box": box._asdict()}
    if face.state is State.CONFIRMED:
        told["name"] = face.name
    if face.refused:
        told["refused"] = [name for name in face.refused if usable(name)]
    return told


def _figures(here: Mapping[bytes, Picture], frames: Mapping[bytes, Size]) -> dict[str, Figures]:
    """What digiKam has of each person, those with most faces first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for path, picture in here.items():
        frame = regions.frame(picture.stored, picture.orientation, frames[path]) if path in frames else None
        sure = set(picture.people)
        for face in picture.faces:
            if face.name is None:
                continue
            counts[face.name][face.state.value] += 1
            if face.state is State.CONFIRMED:
                sure.add(face.name)
                lost = path in frames and (frame is None or regions.box(face.rect, frame) is None)
                counts[face.name]["unplaced"] += lost
        for name in picture.people:
            counts[name]["tagged"] += 1
        for name in sure:
            counts[name].update({"photos": 1, "known": path in frames})
    figures = {name: Figures(**{key: count[key] for key in Figures.__slots__}) for name, count in counts.items()}
    return dict(sorted(figures.items(), key=lambda item: (-item[1].confirmed, item[0])))
