"""What programs and people are shown: plain values for JSON, in the shapes that daemon/DESIGN.md promises."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kith.catalogue import faces, journal, listing, people, photos, trouble, work
from kith.errors import KithError
from kith.service import packs
from kith.service.app import App
from kith.service.commands import known_photo, meant_by
from kith.types import Box, Face, FaceId, FaceState, GroupId, Person, PersonId, Photo, PhotoId, Presence, Suggestion

if TYPE_CHECKING:
    from kith.people import Party

OPEN = (FaceState.GROUPED, FaceState.SUGGESTED)  # in a group, and worth an answer


def on_photo(app: App, path: Path) -> dict[str, Any]:
    """The faces of a photo from left to right, and who is on it without one. Raises NotFound for an unknown photo."""
    photo = known_photo(app, path)
    names = _names(app)
    present = app.catalogue.read(people.present, photo.content_key)
    return {
        "faces": [_face(face, names) for face in app.catalogue.read(faces.on_photo, photo.id)],
        "present": [_presence(there) for there in present],
    }


def disputes(app: App) -> dict[str, Any]:
    """Names that another program took away twice: from which face of which photo, and from which photo."""
    names = _names(app)
    found = app.catalogue.read(faces.disputed)
    return {
        "faces": [_face(face, names) | {"photo": os.fsdecode(face.path)} for face in found],
        "present": [
            {"id": f"p{person.id}", "name": person.name, "photo": os.fsdecode(path)}
            for path, person in app.catalogue.read(people.disputed)
        ],
    }


def explain(app: App, word: str) -> dict[str, Any]:
    """Why a face is taken for who it is taken for: the faces that made it so, and all that was ever said about it."""
    (face,) = meant_by(app, [word])
    names = _names(app)
    because = [app.catalogue.read(faces.get, other) for other in (face.suggestion.because if face.suggestion else ())]
    alike = _similarities(app, face.id, [other.id for other in because])
    content, box = app.catalogue.read(faces.place, face.id)
    return _face(face, names) | {
        "photo": os.fsdecode(face.path),
        "because": [
            _face(other, names) | {"photo": os.fsdecode(other.path), "similarity": alike.get(other.id)}
            for other in because
        ],
        "not": [names[person] for person in app.catalogue.read(faces.rejected, face.id) if person in names],
        "said": [asdict(act) for act in app.catalogue.read(journal.of_face, content, box)],
    }


def questions(app: App) -> list[dict[str, Any]]:
    """What is worth asking, the answer that settles most faces first: "is this ...?", or "who is this?" (no person)."""
    from kith.service import recognition  # slow to load, and most views don't need it

    names = _names(app)
    return [
        {
            "faces": [f"f{face}" for face in question.faces],
            "person": None if question.person is None else _person(question.person, names),
            "group": None if question.group is None else f"g{question.group}",
            "value": round(question.value, 2),
            "likely": [
                {"person": _person(one.person, names), "probability": round(one.probability, 4)}
                for one in question.likely
            ],
        }
        for question in recognition.questions(app, packs.manifest(app))
    ]


def doubts(app: App) -> list[dict[str, Any]]:
    """Answers that look wrong, the most doubtful first."""
    from kith.service import recognition  # slow to load, and most views don't need it

    names = _names(app)
    return [
        {
            "face": f"f{doubt.face}",
            "person": _person(doubt.person, names),
            "nearer": None if doubt.nearer is None else _person(doubt.nearer, names),
            "gap": round(doubt.gap, 4),
            "because": [f"f{face}" for face in doubt.because],
        }
        for doubt in recognition.doubtful(app, packs.manifest(app))
    ]


def twins(app: App) -> list[dict[str, Any]]:
    """Who may be one person: pairs of people, or a person and a group, or two groups."""
    from kith.service import recognition  # slow to load, and most views don't need it

    names = _names(app)

    def party(who: Party) -> dict[str, str]:
        return _person(who.person, names) if who.person is not None else {"id": f"g{who.group}", "name": ""}

    return [
        {
            "first": party(pair.first),
            "second": party(pair.second),
            "probability": round(pair.probability, 4),
            "because": [[f"f{one}", f"f{other}"] for one, other in pair.because],
        }
        for pair in recognition.twins(app, packs.manifest(app))
    ]


def history(app: App, limit: int) -> list[dict[str, Any]]:
    """The last answers, newest first."""
    return [asdict(act) for act in app.catalogue.read(journal.history, limit)]


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
    return [somebody(person) for person in app.catalogue.read(people.all_of) if person.photos]


def somebody(person: Person) -> dict[str, Any]:
    """A person, with how often they were confirmed and the face that shows them."""
    return {
        "id": f"p{person.id}",
        "name": person.name,
        "faces": person.faces,
        "photos": person.photos,
        "born": person.born,
        "hidden": person.hidden,
        "feature": None if person.feature is None else f"f{person.feature}",
    }


def status(app: App) -> dict[str, Any]:
    """Counts of everything, and the pack in use."""
    return asdict(app.catalogue.read(work.status, packs.in_use(app)))


def why_nobody(app: App) -> str | None:
    """Why Kith gives no names by itself, where the settings would let it."""
    if packs.in_use(app) is None or app.config.people.auto == "off":
        return None
    try:
        pack = packs.manifest(app)
    except KithError as error:
        return error.message
    if not pack.beliefs.measured:
        return "It names nobody by itself: how far it can be believed was not measured."
    if not packs.is_trusted(app, pack):
        return (
            "It names nobody by itself yet: it is tested on the first photos with several faces, and there are too few."
        )
    return None


def troubles(app: App) -> list[dict[str, Any]]:
    """What went wrong with which file."""
    return [asdict(found) | {"path": os.fsdecode(found.path)} for found in app.catalogue.read(trouble.all_of)]


def explained(app: App, face: FaceId) -> dict[str, Any]:
    """What `explain` says of a face, with all faces in full."""
    found = explain(app, f"f{face}")
    alike = {other["id"]: other["similarity"] for other in found["because"]}
    shown = {other["id"]: other for other in shown_faces(app, [face, *(FaceId(int(other[1:])) for other in alike)])}
    because = [shown[other] | {"similarity": alike[other]} for other in alike]
    return shown[f"f{face}"] | {"because": because, "not": found["not"], "said": found["said"]}


def shown_faces(app: App, ids: Sequence[FaceId]) -> list[dict[str, Any]]:
    """Some faces, each with the photo it is on: where, of which revision, and when it was taken."""
    names = _names(app)
    found = [app.catalogue.read(faces.get, face) for face in ids]
    facts = app.catalogue.read(listing.facts, {face.photo for face in found})
    return [
        _face(face, names)
        | {
            "photo": {
                "id": face.photo,
                "path": os.fsdecode(face.path),
                "rev": facts[face.photo].rev,
                "taken": facts[face.photo].taken,
            }
        }
        for face in found
    ]


def photo(app: App, known: Photo) -> dict[str, Any]:
    """A photo with the faces on it from left to right, and who is on it without one. Sizes are of the displayed photo;
    they are None until it was analysed."""
    return _shown_photos(app, [known])[known.id]


def _shown_photos(app: App, known: Sequence[Photo]) -> dict[PhotoId, dict[str, Any]]:
    """Some photos, as `photo` shows one."""
    names = _names(app)
    ids = [one.id for one in known]
    facts, on_them = app.catalogue.read(listing.facts, ids), app.catalogue.read(faces.on_photos, ids)
    present = app.catalogue.read(people.present_on, [one.content_key for one in known])
    return {
        one.id: {
            "id": one.id,
            "path": os.fsdecode(one.path),
            "rev": one.tags_rev,
            "taken": facts[one.id].taken,
            "width": one.height if _is_turned(one) else one.width,
            "height": one.width if _is_turned(one) else one.height,
            "faces": [_face(face, names) for face in on_them[one.id]],
            "present": [_presence(there) for there in present[one.content_key]],
        }
        for one in known
    }


def _is_turned(known: Photo) -> bool:
    """Whether the displayed photo's width is the stored one's height."""
    return (known.orientation or 1) >= 5


def photos_at(app: App, paths: Sequence[bytes], roots: Mapping[bytes, bool]) -> list[dict[str, Any]]:
    """What Kith knows of the photos at some paths; `roots` are the folders it watches, and whether each is there.

    A photo that isn't in Kith has an "id" of None and a "reason": "not-watched", "offline", "gone" or "not-analysed".
    """
    known = app.catalogue.read(photos.by_paths, paths)
    real = {path: os.path.realpath(path) for path in paths if path not in known and _may_be_followed(path, roots)}
    followed = app.catalogue.read(photos.by_paths, list(real.values()))
    found = known | {path: followed[at] for path, at in real.items() if at in followed}
    shown = _shown_photos(app, [one for one in found.values() if one.width])
    return [
        {"asked": os.fsdecode(path)}
        | (
            shown[found[path].id]
            if path in found and found[path].id in shown
            else {"id": None, "reason": _why_not(app, at := real.get(path, path), _is_online(at, roots))}
        )
        for path in paths
    ]


def _may_be_followed(path: bytes, roots: Mapping[bytes, bool]) -> bool:
    """Following links on a dead disk may wait for ever."""
    return _is_online(path, roots) is not False


def _why_not(app: App, path: bytes, online: bool | None) -> str:
    if online is False:
        return "offline"
    known = app.catalogue.read(listing.whereabouts, path)
    if known is not None:
        return "gone" if known[1] else "not-analysed"
    return "not-watched" if online is None else "not-analysed"


def _is_online(path: bytes, roots: Mapping[bytes, bool]) -> bool | None:
    """Whether the watched folder that a path is in is there; None for a path in none of them."""
    return next((online for root, online in roots.items() if path.startswith(root.rstrip(b"/") + b"/")), None)


def _similarities(app: App, face: FaceId, others: Sequence[FaceId]) -> dict[FaceId, float]:
    """The cosine between a face and others, as the pack in use sees them."""
    pack = packs.in_use(app)
    if pack is None or not others:
        return {}
    some = app.catalogue.read(faces.gallery, pack, [face, *others])
    vectors = {known.id: some.vectors[row] for row, known in enumerate(some.faces)}
    return {other: round(float(vectors[face] @ vectors[other]), 4) for other in others if {face, other} <= set(vectors)}


class _Names(dict[PersonId, str]):
    """What everybody is called, also those who got their first name since this was read."""

    def __init__(self, app: App) -> None:
        self._app = app
        super().__init__(app.catalogue.read(listing.names))

    def __missing__(self, person: PersonId) -> str:
        self.update(now := self._app.catalogue.read(listing.names))
        return now[person]


def _names(app: App) -> Mapping[PersonId, str]:
    return _Names(app)


def _face(face: Face, names: Mapping[PersonId, str]) -> dict[str, Any]:
    guess = face.suggestion
    return {
        "id": f"f{face.id}",
        "box": _box(face.box),
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
        "dispute": face.dispute,
    }


def _box(box: Box) -> dict[str, float]:
    return {"x": box.x, "y": box.y, "w": box.w, "h": box.h}


def _presence(there: Presence) -> dict[str, Any]:
    return {"id": f"p{there.person.id}", "name": there.person.name, "dispute": there.dispute}


def _group(group: GroupId, found: Sequence[Face], names: Mapping[PersonId, str]) -> dict[str, Any]:
    best = max((face.suggestion for face in found if face.suggestion), key=_probability, default=None)
    return {
        "id": f"g{group}",
        "size": len(found),
        "faces": [
            {"id": f"f{face.id}", "photo": os.fsdecode(face.path), "box": _box(face.box)}
            for face in sorted(found, key=lambda face: (-face.quality, face.id))
        ],
        "suggestion": _person(best.person, names) if best else None,
    }


def _probability(suggestion: Suggestion) -> float:
    return suggestion.probability_group


def _person(person: PersonId, names: Mapping[PersonId, str]) -> dict[str, str]:
    return {"id": f"p{person}", "name": names[person]}
