"""What a rebuild from digiKam's confirmed faces changed: digiKam's guesses beside Kith's, person by person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kith_digikam import regions
from kith_digikam.asking import Asking, Report
from kith_digikam.importing import LOOKED_UP, Plan
from kith_digikam.reading import Face, State
from kith_digikam.regions import Box

SAME_FACE = 0.5  # overlap from which two boxes on one photo are the same face
DOUBTS = 500  # asked for
FACES = 100  # looked up at once


@dataclass(frozen=True, slots=True)
class Change:
    """One person before and after. `answers` are confirmed faces that Kith learnt from.

    `guessed` are digiKam's unconfirmed faces of this person on photos that Kith knows: of these Kith says the `same`,
    takes some for `another`, and leaves the rest open. Kith itself now `suggests` the person for some faces, and is
    sure enough of others that it `names` them.
    """

    answers: int = 0
    guessed: int = 0
    same: int = 0
    another: int = 0
    suggests: int = 0
    names: int = 0

    @property
    def open(self) -> int:
        """How many of digiKam's guesses Kith doesn't share and has no better one for."""
        return self.guessed - self.same - self.another


@dataclass(frozen=True, slots=True)
class Doubt:
    """A confirmed face that is likely somebody else: looks like `nearer` (None: just unlike the others)."""

    face: str
    photo: str | bytes
    name: str
    nearer: str | None


def changes(kith: Asking, planned: Plan, report: Report) -> dict[str, Change]:
    """What changed per person, those with most answers first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for person in _everybody(kith):
        counts[person["name"]]["answers"] = person["faces"]
        for state, kind in (("suggested", "suggests"), ("auto", "names")):
            rows = kith.get("/v1/faces/outline", person=person["id"], state=state)["faces"]
            counts[person["name"]][kind] = len(rows)
    for name, kind in _guesses(kith, planned, report):
        counts[name].update(("guessed", kind))
    found = {
        name: Change(**{key: count[key] for key in Change.__slots__}) for name, count in counts.items() if count.total()
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1].answers, item[0])))


def doubts(kith: Asking) -> list[Doubt]:
    """The confirmed faces that are likely wrong, the most doubtful first."""
    found = kith.get("/v1/doubts", limit=DOUBTS, now="true")["doubts"]
    ids = [doubt["face"] for doubt in found]
    photos: dict[str, str | bytes] = {}
    for chunk in (ids[i : i + FACES] for i in range(0, len(ids), FACES)):
        for face in kith.get("/v1/faces", ids=",".join(chunk))["faces"]:
            photos[face["id"]] = face["photo"]["path"]
    return [
        Doubt(one["face"], photos[one["face"]], one["person"]["name"], one["nearer"] and one["nearer"]["name"])
        for one in found
        if one["face"] in photos
    ]


def _everybody(kith: Asking) -> Sequence[Mapping[str, Any]]:
    people: list[Mapping[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = kith.get("/v1/people", limit=500, cursor=cursor, hidden="true")
        people += page["people"]
        cursor = page["cursor"]
    return people


def _guesses(kith: Asking, planned: Plan, report: Report) -> list[tuple[str, str]]:
    """For each of digiKam's guesses the name, and whether Kith says the "same", "another" or leaves it "open"."""
    guessed = {path: each for path, each in planned.pictures.items() if any(_is_guess(face) for face in each.faces)}
    found = []
    paths = list(guessed)
    chunks = [paths[i : i + LOOKED_UP] for i in range(0, len(paths), LOOKED_UP)]
    with report.stage("Comparing guesses", len(chunks)) as step:
        for chunk in chunks:
            for path, known in zip(chunk, kith.post("/v1/photos/lookup", paths=chunk)["photos"], strict=True):
                picture, shown = guessed[path], planned.shown[path]
                frame = regions.frame(picture.stored, picture.orientation, shown)
                for face in filter(_is_guess, picture.faces):
                    box = None if frame is None else regions.box(face.rect, frame)
                    if face.name and box is not None and known["id"] is not None:
                        found.append((face.name, _verdict(face.name, box, known["faces"])))
            step()
    return found


def _is_guess(face: Face) -> bool:
    return face.state is State.UNCONFIRMED


def _verdict(name: str, box: Box, faces: Sequence[Mapping[str, Any]]) -> str:
    """What Kith says of the face in a box that digiKam takes for somebody."""
    near = [(regions.overlap(box, Box(**face["box"])), face["id"], face) for face in faces]
    over, _, face = max(near, default=(0.0, "", {}))
    if over < SAME_FACE:
        return "open"
    who = face["person"] or (face["suggestion"] or {}).get("person")
    if who is None:
        return "open"
    return "same" if who["name"].casefold() == name.casefold() else "another"
