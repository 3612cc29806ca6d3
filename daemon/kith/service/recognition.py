"""What Kith believes: groups and suggestions from all faces and answers; what can be asked and doubted about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from kith import memory
from kith.catalogue import faces, journal, settings
from kith.errors import ModelCorrupt
from kith.people import (
    Boxes,
    Correction,
    Doubt,
    Merge,
    PeopleSettings,
    Question,
    Recogniser,
    doubts,
    halves,
    likely_none,
    merges,
    outcomes,
    propose_above,
    refit,
    review,
    with_likely,
)
from kith.people.not_faces import ENOUGH
from kith.service import packs
from kith.service.app import App
from kith.types import Answer, Calibration, FaceId, Gallery, GroupId, Recognition
from kith.vision.manifest import Manifest

LAST_GROUP = "last-group"
CORRECTION = "correction "  # and the pack's id
WITH_LIKELY = 100  # questions that are told with their likely people; a person answers fewer before they change
TENDED = 64  # faces of a large library that are tended at a time: a second or two
NAMED_ENOUGH = 2000  # confirmed faces that tell what a face is like; each is compared with each


@dataclass(frozen=True, slots=True)
class Scene:
    """All faces as one pack sees them, and what was recognised in them last."""

    gallery: Gallery
    recognition: Recognition
    calibration: Calibration
    settings: PeopleSettings


class Beliefs:
    """What is recognised, kept up to date: each update looks only at faces that changed since the last one.

    A pack not trusted yet names nobody by itself. Not for several threads at once.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._made_for: object = None
        self._recogniser: Recogniser | None = None
        self._unlikely: frozenset[FaceId] = frozenset()

    @property
    def is_new(self) -> bool:
        """Whether nothing was looked at yet."""
        return self._recogniser is None

    def update(self, pack: Manifest, *, afresh: bool = False) -> None:
        """Look at what changed and write down what follows. `afresh` also lets go of the numbers that groups had."""
        catalogue, settings_ = self._app.catalogue, _settings(self._app, pack)
        corrected = correction(self._app, pack)
        made_for = (pack.id, pack.version, settings_, corrected)
        seen, ids = catalogue.read(faces.changed)
        if afresh or self._recogniser is None or made_for != self._made_for:
            before = {} if afresh else catalogue.read(faces.groups_before)
            last = int(catalogue.read(settings.get, LAST_GROUP) or 0)
            self._recogniser = _recogniser(pack, settings_, before, last + 1, corrected)
            self._made_for = made_for
            self._recogniser.recognise(catalogue.read(faces.gallery, pack.id))
            memory.give_back()
            touched = None
        else:
            some = catalogue.read(faces.gallery, pack.id, ids)
            here = {face.id for face in some.faces}
            changes = self._recogniser.update(some, [face for face in ids - here if self._recogniser.holds(face)])
            touched = ids | changes.groups.keys() | changes.suggestions.keys()
        hidden, self._unlikely = self._unlikely, frozenset(_unlikely(self._app, pack))
        self._write_down(None if touched is None else touched | (hidden ^ self._unlikely), seen)

    @property
    def waiting(self) -> int:
        """How many faces of a large library `tend` has something to do for."""
        return 0 if self._recogniser is None else self._recogniser.waiting()

    def tend(self) -> None:
        """Make up, a few faces at a time, for what is too slow to do as they come, and write down what follows."""
        if self._recogniser is not None:
            changes = self._recogniser.tend(TENDED)
            self._write_down(changes.groups.keys() | changes.suggestions.keys(), 0)

    def _write_down(self, touched: Collection[FaceId] | None, seen: int) -> None:
        """What is recognised in `touched` faces, None for all; `seen` as `store_recognition` takes it."""
        if self._recogniser is None:
            return
        found = self._recogniser.recognition if touched is None else self._recogniser.of(touched)
        self._app.catalogue.write(faces.store_recognition, found, self._unlikely, seen=seen, only=touched)
        self._app.catalogue.write(settings.put, LAST_GROUP, str(self._recogniser.next_group - 1))


def _recogniser(
    pack: Manifest,
    settings_: PeopleSettings,
    before: Mapping[FaceId, GroupId],
    next_group: int,
    corrected: Correction,
) -> Recogniser:
    """An empty recogniser. Raises ModelCorrupt for a pack whose numbers another Kith understands."""
    try:
        return Recogniser(pack.beliefs, settings_, previous=before, next_group=next_group, correction=corrected)
    except ValueError as error:
        raise ModelCorrupt(
            f"Model pack {pack.id} was made for another version of Kith ({error}). Install it anew: `kith models "
            f"install {pack.id}`."
        ) from error


def learn(app: App, pack: Manifest) -> Correction:
    """Fit how much the pack's probabilities are to be believed here to the answers there are; gives the correction."""
    fitted = refit(outcomes(app.catalogue.read(faces.gallery, pack.id), pack.beliefs, _settings(app, pack)))
    app.catalogue.write(settings.put, CORRECTION + pack.id, json.dumps(asdict(fitted)))
    return fitted


def correction(app: App, pack: Manifest) -> Correction:
    """How the pack's log odds are corrected in this library."""
    kept = app.catalogue.read(settings.get, CORRECTION + pack.id)
    return Correction(**json.loads(kept)) if kept else Correction()


def scene(app: App, pack: Manifest) -> Scene:
    """Everything that questions about faces are answered from."""
    gallery = app.catalogue.read(faces.gallery, pack.id)
    recognition = app.catalogue.read(faces.recognition)
    return Scene(gallery, recognition, pack.beliefs, _settings(app, pack))


def questions(app: App, pack: Manifest) -> Sequence[Question]:
    """What is worth asking, the answer that settles most faces first; the first ones with whom they may be about.

    What is likely no face isn't asked about.
    """
    now = scene(app, pack)
    unlikely = app.catalogue.read(faces.unlikely)
    kept = [row for row, face in enumerate(now.gallery.faces) if face.id not in unlikely]
    shown = replace(now.gallery, faces=tuple(now.gallery.faces[row] for row in kept), vectors=now.gallery.vectors[kept])
    found = review(shown, now.recognition, now.calibration)
    first = with_likely(found[:WITH_LIKELY], now.gallery, now.recognition, now.calibration, correction(app, pack))
    return (*first, *found[WITH_LIKELY:])


def in_two(app: App, pack: Manifest, some: Sequence[FaceId]) -> tuple[tuple[FaceId, ...], tuple[FaceId, ...]]:
    """Some faces divided by how alike they are, as if they were two people."""
    gallery = app.catalogue.read(faces.gallery, pack.id, some)
    row = {face.id: number for number, face in enumerate(gallery.faces)}
    known = [face for face in some if face in row]
    one, other = halves(known, gallery.vectors[[row[face] for face in known]])
    return (*one, *(face for face in some if face not in row)), other


def doubtful(app: App, pack: Manifest) -> Sequence[Doubt]:
    """Answers that look wrong, the most doubtful first; not those that a person looked at and gave once more."""
    found = doubts(app.catalogue.read(faces.gallery, pack.id), pack.beliefs, _settings(app, pack))
    kept = app.catalogue.read(journal.said_again, [doubt.face for doubt in found])
    return [doubt for doubt in found if doubt.face not in kept]


def twins(app: App, pack: Manifest) -> Sequence[Merge]:
    """Who may be one person, and isn't said to be two; those first that settle most faces.

    How likely it has to be follows from how many such proposals were taken and turned down before.
    """
    now = scene(app, pack)
    taken, turned_down = app.catalogue.read(journal.merges_and_not)
    return merges(now.gallery, now.recognition, now.calibration, above=propose_above(taken, turned_down))


def _settings(app: App, pack: Manifest) -> PeopleSettings:
    chosen = app.config.people
    auto = chosen.auto if packs.is_trusted(app, pack) else "off"
    return PeopleSettings(min_faces=chosen.min_faces, strictness=chosen.strictness, auto=auto)


def _unlikely(app: App, pack: Manifest) -> list[FaceId]:
    """Faces that nobody answered and that look like what this user said is no face."""
    none = app.catalogue.read(faces.boxes, pack.id, Answer.NOT_A_FACE)
    if len(none.ids) < ENOUGH:
        return []
    named, waiting = (app.catalogue.read(faces.boxes, pack.id, answer) for answer in (Answer.CONFIRMED, None))
    step = 1 + len(named.ids) // NAMED_ENOUGH
    flags = likely_none(
        Boxes(none.vectors, none.score, none.quality),
        Boxes(named.vectors[::step], named.score[::step], named.quality[::step]),
        Boxes(waiting.vectors, waiting.score, waiting.quality),
        pack.beliefs,
    )
    return [face for face, flag in zip(waiting.ids, flags, strict=True) if flag]
