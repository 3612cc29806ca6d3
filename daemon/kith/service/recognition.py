"""What Kith believes: groups and suggestions from all faces and answers; what can be asked and doubted about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from kith.catalogue import faces, journal, people, settings
from kith.people import (
    Boxes,
    Correction,
    Doubt,
    Merge,
    PeopleSettings,
    Question,
    doubts,
    likely_none,
    merges,
    outcomes,
    propose_above,
    recognise,
    refit,
    review,
)
from kith.service import packs
from kith.service.app import App
from kith.types import Answer, Calibration, FaceId, Gallery, Recognition
from kith.vision.packs import Manifest

LAST_GROUP = "last-group"
CORRECTION = "correction "  # and the pack's id
ANSWERED = (Answer.NOT_A_FACE, Answer.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Scene:
    """All faces as one pack sees them, and what was recognised in them last."""

    gallery: Gallery
    recognition: Recognition
    calibration: Calibration
    settings: PeopleSettings


def believe(app: App, pack: Manifest, *, afresh: bool = False) -> None:
    """Recompute groups and suggestions from all faces and answers. A pack not trusted yet names nobody by itself.

    `afresh` also lets go of the numbers that groups had.
    """
    gallery = _gallery(app, pack)
    before = {} if afresh else app.catalogue.read(faces.groups_before)
    last = int(app.catalogue.read(settings.get, LAST_GROUP) or 0)
    recognition = recognise(
        gallery, pack.beliefs, before, _settings(app, pack), next_group=last + 1, correction=correction(app, pack)
    )
    app.catalogue.write(faces.store_recognition, recognition, _unlikely(app, pack))
    app.catalogue.write(settings.put, LAST_GROUP, str(max([last, *recognition.groups.values()])))


def learn(app: App, pack: Manifest) -> Correction:
    """Fit how much the pack's probabilities are to be believed here to the answers there are; gives the correction."""
    fitted = refit(outcomes(_gallery(app, pack), pack.beliefs, _settings(app, pack)))
    app.catalogue.write(settings.put, CORRECTION + pack.id, json.dumps(asdict(fitted)))
    return fitted


def correction(app: App, pack: Manifest) -> Correction:
    """How the pack's log odds are corrected in this library."""
    kept = app.catalogue.read(settings.get, CORRECTION + pack.id)
    return Correction(**json.loads(kept)) if kept else Correction()


def scene(app: App, pack: Manifest) -> Scene:
    """Everything that questions about faces are answered from."""
    gallery = _gallery(app, pack)
    recognition = app.catalogue.read(faces.recognition)
    return Scene(gallery, recognition, pack.beliefs, _settings(app, pack))


def questions(app: App, pack: Manifest) -> Sequence[Question]:
    """What is worth asking, the answer that settles most faces first. What is likely no face isn't asked about."""
    now = scene(app, pack)
    unlikely = app.catalogue.read(faces.unlikely)
    kept = [row for row, face in enumerate(now.gallery.faces) if face.id not in unlikely]
    shown = Gallery(tuple(now.gallery.faces[row] for row in kept), now.gallery.vectors[kept])
    return review(shown, now.recognition, now.calibration)


def doubtful(app: App, pack: Manifest) -> Sequence[Doubt]:
    """Answers that look wrong, the most doubtful first."""
    return doubts(_gallery(app, pack), pack.beliefs, _settings(app, pack))


def twins(app: App, pack: Manifest) -> Sequence[Merge]:
    """Who may be one person, and isn't said to be two; those first that settle most faces.

    How likely it has to be follows from how many such proposals were taken and turned down before.
    """
    now = scene(app, pack)
    taken, turned_down = app.catalogue.read(journal.merges_and_not)
    return merges(now.gallery, now.recognition, now.calibration, above=propose_above(taken, turned_down))


def _gallery(app: App, pack: Manifest) -> Gallery:
    gallery = app.catalogue.read(faces.gallery, pack.id)
    born, apart = app.catalogue.read(people.births), app.catalogue.read(people.told_apart)
    return Gallery(gallery.faces, gallery.vectors, born, apart)


def _settings(app: App, pack: Manifest) -> PeopleSettings:
    chosen = app.config.people
    auto = chosen.auto if packs.is_trusted(app, pack) else "off"
    return PeopleSettings(min_faces=chosen.min_faces, strictness=chosen.strictness, auto=auto)


def _unlikely(app: App, pack: Manifest) -> list[FaceId]:
    """Faces that nobody answered and that look like what this user said is no face."""
    waiting = app.catalogue.read(faces.boxes, pack.id, None)
    none, named, open_ = (
        Boxes(found.vectors, found.score, found.quality)
        for found in (*(app.catalogue.read(faces.boxes, pack.id, kind) for kind in ANSWERED), waiting)
    )
    flags = likely_none(none, named, open_, pack.beliefs)
    return [face for face, flag in zip(waiting.ids, flags, strict=True) if flag]
