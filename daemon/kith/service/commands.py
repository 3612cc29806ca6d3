"""What a person can say of faces. Each answer is one transaction; recognition and sidecars follow as stages."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from kith.catalogue import faces, journal, people, photos
from kith.errors import BadRequest, NotFound
from kith.files import show
from kith.service.app import App
from kith.types import (
    PERSON,
    Act,
    Answer,
    Decision,
    Dispute,
    Face,
    FaceId,
    FaceState,
    GroupId,
    Person,
    PersonId,
    Photo,
)

SPELLED_OUT = 4  # ids in the words of an answer
VERBS = {Answer.IGNORED: "ignore", Answer.NOT_A_FACE: "not-a-face"}


def meant_by(app: App, words: Sequence[str]) -> list[Face]:
    """The faces that some ids stand for, each once: f812 is a face, g12 the open faces of a group."""
    found: dict[FaceId, Face] = {}
    for word in words:
        match = re.fullmatch(r"([fg])(\d{1,18})", word)
        if match is None:
            raise BadRequest(f"{word!r} is neither a face (like f812) nor a group (like g12).")
        number = int(match[2])
        if match[1] == "g":
            found |= {face.id: face for face in app.catalogue.read(faces.in_group, GroupId(number))}
        else:
            found[FaceId(number)] = app.catalogue.read(faces.get, FaceId(number))
    return list(found.values())


def _told(words: Sequence[str]) -> str:
    """The faces of an answer, for the history."""
    return " ".join(words) if len(words) <= SPELLED_OUT else f"{len(words)} faces"


# -- of faces -----------------------------------------------------------------------------------------------------


def name(app: App, words: Sequence[str], called: str) -> tuple[Person, int]:
    """Say who faces, or all open faces of groups, are; gives the person and how many faces that named."""
    ids = [face.id for face in meant_by(app, words)]
    said = f"name {_told(words)} {people.clean(called)}"
    person, count = app.catalogue.write(journal.name, ids, called, PERSON, said)
    return app.catalogue.read(people.get, person), count


def confirm(app: App, words: Sequence[str]) -> int:
    """Say that the suggestion for each face that has one is right; gives how many.

    A name that another program took away is insisted on.
    """
    right = [(face.id, person) for face in meant_by(app, words) if (person := _to_confirm(face)) is not None]
    if not right:
        which = " ".join(words)
        raise BadRequest(f'{which} has no suggestion to confirm; say who it is with `kith name {which} "Name"`.')
    app.catalogue.write(journal.answer, right, Answer.CONFIRMED, PERSON, f"confirm {_told(words)}")
    return len(right)


def reject(app: App, words: Sequence[str]) -> int:
    """Say that faces are not who they were taken for: the suggested person, or the one they are named as."""
    wrong = [(face.id, person) for face in meant_by(app, words) if (person := _taken_for(face)) is not None]
    if not wrong:
        raise BadRequest(f"{' '.join(words)} was not taken for anybody, so there is nobody to rule out.")
    app.catalogue.write(journal.answer, wrong, Answer.REJECTED, PERSON, f"reject {_told(words)}")
    return len(wrong)


def dismiss(app: App, words: Sequence[str], kind: Answer) -> int:
    """Say that faces, or all open faces of groups, are strangers (IGNORED) or NOT_A_FACE."""
    put_away = [(face.id, None) for face in meant_by(app, words)]
    app.catalogue.write(journal.answer, put_away, kind, PERSON, f"{VERBS[kind]} {_told(words)}")
    return len(put_away)


def divide(app: App, one: Sequence[str], other: Sequence[str]) -> None:
    """Say that some faces are somebody else than others, whoever they are."""
    first, second = meant_by(app, one), meant_by(app, other)
    if {face.id for face in first} & {face.id for face in second}:
        raise BadRequest("A face can't be somebody else than itself: each may be in one part only.")
    confirmed = [{face.person.name for face in part if face.person} for part in (first, second)]
    for name in sorted(set.intersection(*confirmed)):
        raise BadRequest(f"There are faces of {name} in both parts. Say first which of them are somebody else.", name)
    parts = [face.id for face in first], [face.id for face in second]
    app.catalogue.write(journal.divide, *parts, PERSON, f"apart {_told(one)} | {_told(other)}")


def reopen(app: App, words: Sequence[str]) -> int:
    """Say that faces are to be asked about again, whatever was answered; gives how many."""
    again = [(face.id, None) for face in meant_by(app, words)]
    app.catalogue.write(journal.answer, again, Answer.RESTORED, PERSON, f"reopen {_told(words)}")
    return len(again)


def feature(app: App, word: str) -> Person:
    """Let a face show the person it is."""
    (face,) = meant_by(app, [word])
    if face.state is not FaceState.CONFIRMED or face.person is None:
        raise BadRequest(f"{word} has no confirmed name, so it can't show anybody.")
    said = f"feature {word} {face.person.name}"
    app.catalogue.write(journal.answer, [(face.id, face.person.id)], Answer.FEATURED, PERSON, said)
    return face.person


# -- of photos ----------------------------------------------------------------------------------------------------


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


def tell_apart(app: App, one: str, other: str) -> None:
    """Say that two people are two, however alike they look."""
    first, second = app.catalogue.read(people.called, one), app.catalogue.read(people.called, other)
    if first.id == second.id:
        raise BadRequest("That is one person already.")
    said = f"apart {first.name} {second.name}"
    app.catalogue.write(journal.say, [Decision(Answer.APART, person=first.id, other=second.id)], PERSON, said)


def born(app: App, called: str, day: str) -> Person:
    """Say on which day (YYYY-MM-DD, or empty for unknown) somebody was born."""
    person = app.catalogue.read(people.called, called)
    try:
        text = date.fromisoformat(day).isoformat() if day else ""
    except ValueError as error:
        raise BadRequest(f"{day!r} is no day; write it as 2015-04-23.") from error
    if text > date.today().isoformat():
        raise BadRequest(f"{text} is still to come.")
    said = f"born {person.name} {text}"
    app.catalogue.write(journal.say, [Decision(Answer.BORN, person=person.id, text=text)], PERSON, said)
    return person


def hide(app: App, called: str, *, away: bool) -> Person:
    """Leave somebody out of lists, or show them there again. Their names stay where they are."""
    person = app.catalogue.read(people.called, called)
    kind = Answer.HIDDEN if away else Answer.SHOWN
    said = f"{'hide' if away else 'unhide'} {person.name}"
    app.catalogue.write(journal.say, [Decision(kind, person=person.id)], PERSON, said)
    return person


def undo(app: App, number: int | None) -> Act:
    """Take back the last answer a person gave, or the entry of the history with this number."""
    return app.catalogue.write(journal.undo, number, PERSON)


# -- to look at ---------------------------------------------------------------------------------------------------


def contact_sheet(app: App, words: Sequence[str]) -> bytes:
    """A PNG of the faces that some ids stand for, best first, each with its id and the name of its photo."""
    from kith.vision import sheet

    meant = sorted(meant_by(app, words), key=lambda face: (-face.quality, face.id))
    crops = app.catalogue.read(faces.crops, [face.id for face in meant])
    shown = [face for face in meant if face.id in crops]
    if not shown:
        raise NotFound(f"There is no picture of {' '.join(words)} yet; the next scan makes it.")
    return sheet.contact_sheet([(crops[face.id], f"f{face.id} {Path(show(face.path)).name}") for face in shown])


def _taken_for(face: Face) -> PersonId | None:
    if face.state is FaceState.CONFIRMED and face.person:
        return face.person.id
    return face.suggestion.person if face.suggestion else None


def _to_confirm(face: Face) -> PersonId | None:
    if face.dispute is Dispute.OPEN and face.person:
        return face.person.id
    return face.suggestion.person if face.suggestion else None
