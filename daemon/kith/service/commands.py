"""What a person can say of faces. Each answer is one transaction; recognition and sidecars follow as stages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kith.catalogue import faces, journal, people
from kith.errors import BadRequest
from kith.files import show
from kith.service.app import App
from kith.types import Answer, Face, FaceId, FaceState, GroupId, Person, PersonId
from kith.vision import sheet

PERSON = "person"  # the source of an answer that a person gave to Kith itself


def meant_by(app: App, word: str) -> Sequence[Face]:
    """The faces that an id stands for: f812 is a face, g12 the open faces of a group."""
    match = re.fullmatch(r"([fg])(\d{1,18})", word)
    if match is None:
        raise BadRequest(f"{word!r} is neither a face (like f812) nor a group (like g12).")
    number = int(match[2])
    if match[1] == "g":
        return app.catalogue.read(faces.in_group, GroupId(number))
    return [app.catalogue.read(faces.get, FaceId(number))]


def name(app: App, word: str, called: str) -> tuple[Person, int]:
    """Say who a face or all open faces of a group are; gives the person and how many faces that named."""
    ids = [face.id for face in meant_by(app, word)]
    person, count = app.catalogue.write(journal.name, ids, called, PERSON)
    return app.catalogue.read(people.get, person), count


def confirm(app: App, word: str) -> int:
    """Say that the suggestion for a face, or for each face of a group that has one, is right."""
    suggested = [(face.id, face.suggestion.person) for face in meant_by(app, word) if face.suggestion]
    if not suggested:
        raise BadRequest(f'{word} has no suggestion to confirm; say who it is with `kith name {word} "Name"`.')
    app.catalogue.write(journal.answer, suggested, Answer.CONFIRMED, PERSON)
    return len(suggested)


def reject(app: App, word: str) -> int:
    """Say that a face is not who it was taken for: the suggested person, or the one it is named as."""
    wrong = [(face.id, person) for face in meant_by(app, word) if (person := _taken_for(face)) is not None]
    if not wrong:
        raise BadRequest(f"{word} was not taken for anybody, so there is nobody to rule out.")
    app.catalogue.write(journal.answer, wrong, Answer.REJECTED, PERSON)
    return len(wrong)


def dismiss(app: App, word: str, kind: Answer) -> int:
    """Say that a face, or every open face of a group, is a stranger (IGNORED) or NOT_A_FACE."""
    meant = meant_by(app, word)
    app.catalogue.write(journal.answer, [(face.id, None) for face in meant], kind, PERSON)
    return len(meant)


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
