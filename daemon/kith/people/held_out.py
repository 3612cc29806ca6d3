"""What Kith would have said of faces whose answer is known: the outcomes that `refit` learns from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from kith.people.faces import canonical
from kith.people.recogniser import Recogniser
from kith.people.refit import Outcome
from kith.people.settings import PeopleSettings
from kith.types import Calibration, Evidence, FaceId, Gallery, PersonId

FOLDS = 2


def outcomes(gallery: Gallery, calibration: Calibration, settings: PeopleSettings | None = None) -> tuple[Outcome, ...]:
    """The best candidate of each answered face when its answer is hidden, and whether the answer agrees.

    Half of each person's confirmed faces are hidden at a time; the faces that were said not to be somebody are judged
    with these words forgotten. Takes as long as two recognitions from nothing.
    """
    turn = _turns(gallery)
    found: list[Outcome] = []
    for fold in range(FOLDS):
        hidden = {face.id: face for face in gallery.faces if turn.get(face.id) == fold}
        faces = tuple(_forgotten(face) if face.id in hidden else face for face in gallery.faces)
        recogniser = Recogniser(calibration, settings)
        recogniser.update(Gallery(faces, gallery.vectors, gallery.born))
        people, pairs = recogniser.candidates(list(hidden))
        best: dict[int, int] = {}
        for pair in pairs.group.argsort(kind="stable").tolist():
            best[int(pairs.probe[pair])] = pair
        for probe, face in enumerate(hidden.values()):
            if probe in best:
                said = people.ids[int(pairs.person[best[probe]])]
                if face.person is not None or said in face.rejected:
                    found.append(Outcome(float(pairs.group[best[probe]]), said == face.person))
    return tuple(found)


def _turns(gallery: Gallery) -> dict[FaceId, int]:
    """When each answered face is hidden: a person's faces in turns, in canonical order; a single one never."""
    by_person: dict[PersonId | None, list[Evidence]] = defaultdict(list)
    for face in gallery.faces:
        if face.person is not None or (face.rejected and not face.ignored):
            by_person[face.person].append(face)
    return {
        face.id: i % FOLDS
        for person, faces in by_person.items()
        if person is None or len(faces) >= FOLDS
        for i, face in enumerate(sorted(faces, key=canonical))
    }


def _forgotten(face: Evidence) -> Evidence:
    return replace(face, person=None, rejected=frozenset(), parts=frozenset())
