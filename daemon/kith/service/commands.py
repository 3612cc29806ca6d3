"""What a person can say of faces. Each answer is one transaction; recognition and sidecars follow as stages."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from kith.catalogue import faces, journal, people, photos
from kith.errors import BadRequest, NotFound
from kith.files import show
from kith.service.app import App
from kith.types import Act, Answer, Decision, Dispute, Face, FaceId, FaceState, GroupId, Person, PersonId, Photo
from kith.vision import sheet

PERSON = "person"  # the source of an answer that a person gave to Kith itself
VERBS = {Answer.IGNORED: "ignore", Answer.NOT_A_FACE: "not-a-face"}


def meant_by(app: App, word: str) -> Sequence[Face]:
    """The faces that an id stands for: f812 is a face, g12 the open faces of a group."""
    match = re.fullmatch(r"([fg])(\d{1,18})", word)
    if match is None:
        raise BadRequest(f"{word!r} is neither a face (like f812) nor a group (like g12).")
    number = int(match[2])
    if match[1] == "g":
        return app.catalogue.read(faces.in_group, GroupId(number))
    return [app.catalogue.read(faces.get, FaceId(number))]


# -- of faces -----------------------------------------------------------------------------------------------------


def name(app: App, word: str, called: str) -> tuple[Person, int]:
    """Say who a face or all open faces of a group are; gives the person and how many faces that named."""
    ids = [face.id for face in meant_by(app, word)]
    person, count = app.catalogue.write(journal.name, ids, called, PERSON, f"name {word} {people.clean(called)}")
    return app.catalogue.read(people.get, person), count


def confirm(app: App, word: str) -> int:
    """Say that the suggestion for a face, or for each face of a group that has one, is right.

    A name that another program took away is insisted on.
    """
    right = [(face.id, person) for face in meant_by(app, word) if (person := _to_confirm(face)) is not None]
    if not right:
        raise BadRequest(f'{word} has no suggestion to confirm; say who it is with `kith name {word} "Name"`.')
    app.catalogue.write(journal.answer, right, Answer.CONFIRMED, PERSON, f"confirm {word}")
    return len(right)


def reject(app: App, word: str) -> int:
    """Say that a face is not who it was taken for: the suggested person, or the one it is named as."""
    wrong = [(face.id, person) for face in meant_by(app, word) if (person := _taken_for(face)) is not None]
    if not wrong:
        raise BadRequest(f"{word} was not taken for anybody, so there is nobody to rule out.")
    app.catalogue.write(journal.answer, wrong, Answer.REJECTED, PERSON, f"reject {word}")
    return len(wrong)


def dismiss(app: App, word: str, kind: Answer) -> int:
    """Say that a face, or every open face of a group, is a stranger (IGNORED) or NOT_A_FACE."""
    meant = meant_by(app, word)
    put_away = [(face.id, None) for face in meant]
    app.catalogue.write(journal.answer, put_away, kind, PERSON, f"{VERBS[kind]} {word}")
    return len(meant)


# -- of photos ----------------------------------------------------------------------------------------------------


def tag(app: App, path: Path, called: str) -> None:
    """Say that somebody is on a photo without a face that shows it."""
    photo = known_photo(app, path)
    words = f"tag {show(photo.path)} {people.clean(called)}"
    app.catalogue.write(journal.place, photo.content_key, called, PERSON, words)


def untag(app: App, path: Path, called: str) -> None:
    """Take somebody off a photo who is on it without a face. Raises NotFound where they aren't."""
    photo = known_photo(app, path)
    person = app.catalogue.read(people.called, called)
    there = app.catalogue.read(people.present, photo.content_key)
    if person.id not in {presence.person.id for presence in there}:
        raise NotFound(
            f"{person.name} is not on {show(photo.path)} without a face. If a face there is taken for {person.name}, "
            "say so with `kith reject`; `kith faces` lists them."
        )
    decision = Decision(Answer.ABSENT, photo.content_key, person=person.id)
    app.catalogue.write(journal.say, [decision], PERSON, f"untag {show(photo.path)} {person.name}")


def known_photo(app: App, path: Path) -> Photo:
    """The photo at a path. Raises NotFound for one that no scan has met."""
    photo = app.catalogue.read(photos.by_path, os.path.realpath(os.fsencode(path)))
    if photo is None:
        raise NotFound(f"{show(path)} is not among the photos that Kith has scanned; run `kith scan` on its folder.")
    return photo


# -- of people ----------------------------------------------------------------------------------------------------


def rename(app: App, before: str, after: str) -> Person:
    """Say what a person is really called."""
    person = app.catalogue.read(people.called, before)
    words = f"rename {person.name} {people.clean(after)}"
    app.catalogue.write(journal.rename, person.id, after, PERSON, words)
    return app.catalogue.read(people.get, person.id)


def merge(app: App, gone: str, kept: str) -> Person:
    """Say that two people are one, who keeps the second's name; gives that person."""
    one, other = app.catalogue.read(people.called, gone), app.catalogue.read(people.called, kept)
    app.catalogue.write(journal.merge, one.id, other.id, PERSON, f"merge {one.name} {other.name}")
    return app.catalogue.read(people.get, other.id)


def undo(app: App, number: int | None) -> Act:
    """Take back the last answer a person gave, or the entry of the history with this number."""
    return app.catalogue.write(journal.undo, number, PERSON)


# -- to look at ---------------------------------------------------------------------------------------------------


def contact_sheet(app: App, word: str) -> bytes:
    """A PNG of the faces that an id stands for, best first, each with its id and the name of its photo."""
    meant = sorted(meant_by(app, word), key=lambda face: (-face.quality, face.id))
    crops = app.catalogue.read(faces.crops, [face.id for face in meant])
    return sheet.contact_sheet(
        [(crop, f"f{face.id} {Path(show(face.path)).name}") for crop, face in zip(crops, meant, strict=True)]
    )


def _taken_for(face: Face) -> PersonId | None:
    if face.state is FaceState.CONFIRMED and face.person:
        return face.person.id
    return face.suggestion.person if face.suggestion else None


def _to_confirm(face: Face) -> PersonId | None:
    if face.dispute is Dispute.OPEN and face.person:
        return face.person.id
    return face.suggestion.person if face.suggestion else None
