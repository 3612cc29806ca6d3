"""What programs and people are shown: plain values for JSON, in the shapes that daemon/DESIGN.md promises."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kith.catalogue import faces, people, photos, trouble, work
from kith.errors import NotFound
from kith.files import show
from kith.service import packs
from kith.service.app import App
from kith.types import Face, FaceState, GroupId, PersonId, Suggestion

OPEN = (FaceState.GROUPED, FaceState.SUGGESTED)  # in a group, and worth an answer


def faces_on(app: App, path: Path) -> list[dict[str, Any]]:
    """The faces of a photo from left to right. Raises NotFound for a photo that no scan has met."""
    photo = app.catalogue.read(photos.by_path, os.path.realpath(os.fsencode(path)))
    if photo is None:
        raise NotFound(f"{show(path)} is not among the photos that Kith has scanned; run `kith scan` on its folder.")
    names = _names(app)
    return [_face(face, names) for face in app.catalogue.read(faces.on_photo, photo.id)]


def groups(app: App) -> list[dict[str, Any]]:
    """Groups that wait for a name, the one that settles most faces first."""
    members: dict[GroupId, list[Face]] = defaultdict(list)
    for face in app.catalogue.read(faces.unanswered):
        if face.group is not None and face.state in OPEN:
            members[face.group].append(face)
    names = _names(app)
    return [
        _group(group, found, names)
        for group, found in sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def everybody(app: App) -> list[dict[str, Any]]:
    """People by the number of photos they are confirmed on."""
    return [
        {"id": f"p{person.id}", "name": person.name, "faces": person.faces, "photos": person.photos}
        for person in app.catalogue.read(people.all_of)
    ]


def status(app: App) -> dict[str, Any]:
    """Counts of everything, and the pack in use."""
    return asdict(app.catalogue.read(work.status, packs.in_use(app)))


def troubles(app: App) -> list[dict[str, Any]]:
    """What went wrong with which file."""
    return [asdict(found) | {"path": os.fsdecode(found.path)} for found in app.catalogue.read(trouble.all_of)]


def _names(app: App) -> Mapping[PersonId, str]:
    return {person.id: person.name for person in app.catalogue.read(people.all_of)}


def _face(face: Face, names: Mapping[PersonId, str]) -> dict[str, Any]:
    guess = face.suggestion
    return {
        "id": f"f{face.id}",
        "box": asdict(face.box),
        "score": round(face.score, 4),
        "quality": round(face.quality, 4),
        "state": str(face.state),
        "person": _person(face.person.id, names) if face.person else None,
        "suggestion": {
            "person": _person(guess.person, names),
            "probability_classifier": guess.probability_classifier,
            "probability_group": guess.probability_group,
        }
        if guess
        else None,
        "group": None if face.group is None else f"g{face.group}",
    }


def _group(group: GroupId, found: Sequence[Face], names: Mapping[PersonId, str]) -> dict[str, Any]:
    best = max((face.suggestion for face in found if face.suggestion), key=_probability, default=None)
    return {
        "id": f"g{group}",
        "size": len(found),
        "faces": [
            {"id": f"f{face.id}", "photo": os.fsdecode(face.path), "box": asdict(face.box)}
            for face in sorted(found, key=lambda face: (-face.quality, face.id))
        ],
        "suggestion": _person(best.person, names) if best else None,
    }


def _probability(suggestion: Suggestion) -> float:
    return suggestion.probability_group


def _person(person: PersonId, names: Mapping[PersonId, str]) -> dict[str, str]:
    return {"id": f"p{person}", "name": names[person]}
