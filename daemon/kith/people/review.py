"""What to ask next: the answer that names most faces first, similar faces as one question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kith.types import Calibration, Evidence, FaceId, Gallery, GroupId, Part, PersonId, Recognition

SURE = 0.9  # suggestions at or above are asked apart from doubtful ones, so that one "yes" settles them
SAME_EVENT = 12 * 3600.0  # seconds within which a group's ignored face speaks for its twins


@dataclass(frozen=True, slots=True)
class Likely:
    """Somebody whom faces may be, and how probable that is."""

    person: PersonId
    probability: float


@dataclass(frozen=True, slots=True)
class Question:
    """One decision for a person to make about some faces, surest first.

    `person` is set for "Is this ...?", None for "Who is this?". `group` is the group asked about, None where faces
    of several groups are combined. `value` is how many faces the answer is expected to settle. `likely` are people
    they may be besides `person`, the most probable first.
    """

    faces: tuple[FaceId, ...]
    person: PersonId | None
    group: GroupId | None
    value: float
    likely: tuple[Likely, ...] = ()


def review(gallery: Gallery, recognition: Recognition, calibration: Calibration | None = None) -> tuple[Question, ...]:
    """All open questions, the most valuable first. Automatic names are not asked about, nor are near twins of an
    ignored face at the same event: those of its group, and with a `calibration` all that look like the same person.
    """
    order = {face.id: (face.order, face.id) for face in gallery.faces}
    twins = _twins(gallery, recognition, calibration)
    open_faces = [f for f in gallery.faces if f.person is None and not f.ignored and f.id not in twins]
    questions = [*_is_this(open_faces, recognition), *_who_is_this(open_faces, recognition)]
    return tuple(sorted(questions, key=lambda q: (-q.value, q.person is None, order[q.faces[0]])))


def _is_this(faces: Iterable[Evidence], recognition: Recognition) -> Iterable[Question]:
    asked: dict[tuple[PersonId, bool, frozenset[Part]], list[tuple[float, bytes, FaceId]]] = defaultdict(list)
    for face in faces:
        suggestion = recognition.suggestions.get(face.id)
        if suggestion is not None and not suggestion.auto:
            p = suggestion.probability_group
            asked[suggestion.person, p >= SURE, face.parts].append((-p, face.order, face.id))
    for (person, *_), found in asked.items():
        ranked = sorted(found)
        ids = tuple(face for *_, face in ranked)
        yield Question(ids, person, None, value=sum(-minus for minus, *_ in ranked))


def _who_is_this(faces: Iterable[Evidence], recognition: Recognition) -> Iterable[Question]:
    """Faces of groups without a suggestion, a question for each group."""
    asked: dict[GroupId, list[Evidence]] = defaultdict(list)
    for face in faces:
        if face.id in recognition.groups and face.id not in recognition.suggestions:
            asked[recognition.groups[face.id]].append(face)
    for group, some in asked.items():
        some.sort(key=lambda f: (-f.quality, f.order, f.id))
        yield Question(tuple(f.id for f in some), None, group, value=float(len(some)))


def _twins(gallery: Gallery, recognition: Recognition, calibration: Calibration | None) -> set[FaceId]:
    """Faces taken within hours of an ignored one, on other photos, that share its group or look like it."""
    taken = np.array([np.nan if f.captured_at is None else f.captured_at for f in gallery.faces], np.float64)
    photo = np.array([f.photo for f in gallery.faces])
    group = np.array([recognition.groups.get(f.id, -1) for f in gallery.faces])
    same = np.inf if calibration is None else calibration.cosine_fmr["1e-5"]
    order = np.argsort(taken, kind="stable")
    sorted_times = taken[order]
    found: set[FaceId] = set()
    for row, face in enumerate(gallery.faces):
        if face.ignored and face.captured_at is not None:
            low = np.searchsorted(sorted_times, face.captured_at - SAME_EVENT)
            event = order[low : np.searchsorted(sorted_times, face.captured_at + SAME_EVENT, side="right")]
            event = event[photo[event] != photo[row]]
            grouped = (group[event] == group[row]) & (group[row] >= 0)
            twin = event[grouped | (gallery.vectors[event] @ gallery.vectors[row] >= same)]
            found.update(gallery.faces[int(i)].id for i in twin)
    return found
