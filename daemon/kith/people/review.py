"""What to ask next: the answer that names most faces first, similar faces as one question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from kith.types import Evidence, FaceId, Gallery, GroupId, PersonId, Recognition

SURE = 0.9  # suggestions at or above are asked apart from doubtful ones, so that one "yes" settles them
SAME_EVENT = 12 * 3600.0  # seconds within which a group's ignored face speaks for its twins


@dataclass(frozen=True, slots=True)
class Question:
    """One decision for a person to make about some faces, surest first.

    `person` is set for "Is this ...?", None for "Who is this?". `group` is the group asked about, None where faces
    of several groups are combined. `value` is how many faces the answer is expected to settle.
    """

    faces: tuple[FaceId, ...]
    person: PersonId | None
    group: GroupId | None
    value: float


def review(gallery: Gallery, recognition: Recognition) -> tuple[Question, ...]:
    """All open questions, the most valuable first. Automatic names are not asked about."""
    order = {face.id: (face.order, face.id) for face in gallery.faces}
    questions = [*_is_this(gallery.faces, recognition), *_who_is_this(gallery.faces, recognition)]
    return tuple(sorted(questions, key=lambda q: (-q.value, q.person is None, order[q.faces[0]])))


def _is_this(faces: Iterable[Evidence], recognition: Recognition) -> Iterable[Question]:
    asked: dict[tuple[PersonId, bool], list[tuple[float, bytes, FaceId]]] = defaultdict(list)
    for face in faces:
        suggestion = recognition.suggestions.get(face.id)
        if suggestion is not None and not suggestion.auto and _open(face):
            p = suggestion.probability_group
            asked[suggestion.person, p >= SURE].append((-p, face.order, face.id))
    for (person, _), found in asked.items():
        ranked = sorted(found)
        ids = tuple(face for *_, face in ranked)
        yield Question(ids, person, None, value=sum(-minus for minus, *_ in ranked))


def _who_is_this(faces: Iterable[Evidence], recognition: Recognition) -> Iterable[Question]:
    """Groups none of whose asked faces has a suggestion; twins of an ignored stranger are left alone."""
    members: dict[GroupId, list[Evidence]] = defaultdict(list)
    for face in faces:
        if face.id in recognition.groups:
            members[recognition.groups[face.id]].append(face)
    for group, all_faces in members.items():
        strangers = [f for f in all_faces if f.ignored]
        asked = [
            f
            for f in all_faces
            if _open(f) and f.id not in recognition.suggestions and not any(_same_event(f, s) for s in strangers)
        ]
        if asked:
            asked.sort(key=lambda f: (-f.quality, f.order, f.id))
            yield Question(tuple(f.id for f in asked), None, group, value=float(len(asked)))


def _open(face: Evidence) -> bool:
    return face.person is None and not face.ignored


def _same_event(face: Evidence, stranger: Evidence) -> bool:
    if face.photo == stranger.photo or face.captured_at is None or stranger.captured_at is None:
        return False
    return abs(face.captured_at - stranger.captured_at) <= SAME_EVENT
