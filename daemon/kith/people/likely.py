"""Whom the faces of a question may be, where nobody is likely enough to be suggested: for a person to choose from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kith.people.calibration import Models, probability
from kith.people.cuts import Cuts
from kith.people.faces import canonical
from kith.people.matching import Pairs, People, Probes, Scale, choose_exemplars, compare, directions, judge
from kith.people.refit import Correction
from kith.people.review import Likely, Question
from kith.people.settings import PeopleSettings
from kith.people.vectors import Doubles, Rows, means, snap
from kith.types import Calibration, Floats, Gallery, GroupId, PersonId, PhotoId, Recognition

LOOKED_AT = 8  # faces of a question that are compared, the first ones
MOST = 5  # people told of a question
LEAST = 0.01  # probability below which nobody is told


@dataclass(frozen=True, slots=True, eq=False)
class _Library:
    """A gallery as matching needs it: rows by person, group and photo, vectors (N, D) on the grid."""

    gallery: Gallery
    vectors: Floats
    of_person: Mapping[PersonId, Sequence[int]]
    of_group: Mapping[GroupId | None, Sequence[int]]
    on_photo: Mapping[PhotoId, frozenset[PersonId]]

    @property
    def clusters(self) -> int:
        """How many groups there are, and faces without one."""
        return sum(len(rows) if group is None else 1 for group, rows in self.of_group.items())

    @classmethod
    def of(cls, gallery: Gallery, recognition: Recognition) -> _Library:
        people: dict[PersonId, list[int]] = defaultdict(list)
        groups: dict[GroupId | None, list[int]] = defaultdict(list)
        photos: dict[PhotoId, set[PersonId]] = defaultdict(set)
        for row in sorted(range(len(gallery.faces)), key=lambda row: canonical(gallery.faces[row])):
            face = gallery.faces[row]
            groups[recognition.groups.get(face.id)].append(row)
            if face.person is not None:
                people[face.person].append(row)
                photos[face.photo].add(face.person)
        there = {photo: frozenset(who) for photo, who in photos.items()}
        return cls(gallery, snap(gallery.vectors), people, groups, there)


def with_likely(
    questions: Sequence[Question],
    gallery: Gallery,
    recognition: Recognition,
    calibration: Calibration,
    correction: Correction | None = None,
) -> tuple[Question, ...]:
    """The questions with their `likely` people: by the group model, averaged over each question's first faces.

    A person counts for nothing with a face that can't be theirs: one said not to be, or beside theirs on a photo; and
    for less beside one that is taken for them.
    """
    library = _Library.of(gallery, recognition)
    settings = PeopleSettings()
    at = dict(enumerate(gallery.faces))
    exemplars = {person: choose_exemplars(rows, at, settings) for person, rows in library.of_person.items()}
    taken = np.array([np.nan if face.captured_at is None else face.captured_at for face in gallery.faces], np.float64)
    people = People.of(exemplars, library.vectors, taken, gallery.born)
    row_of = {face.id: row for row, face in enumerate(gallery.faces)}
    rows = [[row_of[face] for face in question.faces[:LOOKED_AT]] for question in questions]
    number = np.repeat(np.arange(len(rows)), [len(some) for some in rows])
    probes = _probes(
        library, np.concatenate(rows).astype(np.int64) if rows else np.zeros(0, np.int64), taken, recognition
    )
    candidates = compare(probes, people, Cuts.of(calibration, 0).stranger, directions(calibration.cohort))
    pairs = judge(candidates, Scale.of(len(people.ids), library.clusters), Models.of(calibration))
    sums = np.zeros((len(questions), len(people.ids)))
    left = 1 - _elsewhere(probes.slots, pairs, people, gallery, recognition)
    np.add.at(sums, (number[pairs.probe], pairs.person), left * _probability(pairs, correction))
    return tuple(
        replace(question, likely=_ranked(sums[i] / max(1, len(rows[i])), people, question.person))
        for i, question in enumerate(questions)
    )


def _ranked(probable: Doubles, people: People, asked: PersonId | None) -> tuple[Likely, ...]:
    """The most likely people of one question (P,), but for the one it asks about."""
    whole = max(1.0, float(probable.sum()))
    order = np.argsort(-probable, kind="stable")[: MOST + 1].tolist()
    found = [Likely(people.ids[column], float(probable[column]) / whole) for column in order]
    return tuple(one for one in found if one.probability >= LEAST and one.person != asked)[:MOST]


def _probability(pairs: Pairs, correction: Correction | None) -> Doubles:
    return probability((correction or Correction())(pairs.group))


def _elsewhere(rows: Rows, pairs: Pairs, people: People, gallery: Gallery, recognition: Recognition) -> Doubles:
    """For each pair (E,), how probably the person is another face of the same photo, as it was suggested."""
    on_photo: dict[PhotoId, dict[PersonId, float]] = defaultdict(dict)
    for face in gallery.faces:
        guess = recognition.suggestions.get(face.id)
        if guess is not None:
            there = on_photo[face.photo]
            there[guess.person] = max(guess.probability_group, there.get(guess.person, 0.0))

    def taken(row: int, person: PersonId) -> float:
        face = gallery.faces[row]
        own = recognition.suggestions.get(face.id)
        return 0.0 if own is not None and own.person == person else on_photo[face.photo].get(person, 0.0)

    return np.array(
        [
            taken(int(rows[probe]), people.ids[column])
            for probe, column in zip(pairs.probe.tolist(), pairs.person.tolist(), strict=True)
        ],
        np.float64,
    )


def _probes(library: _Library, rows: Rows, taken: Doubles, recognition: Recognition) -> Probes:
    """Faces (M,) at these rows, each with its group."""
    faces, vectors = library.gallery.faces, library.vectors
    number: dict[tuple[GroupId | None, int], int] = {}
    groups = [recognition.groups.get(faces[row].id) for row in rows.tolist()]
    keys = [(group, row if group is None else -1) for group, row in zip(groups, rows.tolist(), strict=True)]
    group = np.array([number.setdefault(key, len(number)) for key in keys], np.int64)
    members = [[row] if of is None else library.of_group[of] for of, row in number]
    samples = [some[: PeopleSettings().sample] for some in members]
    starts = np.cumsum([0, *(len(some) for some in samples)])[:-1].astype(np.int64)
    together = np.array([row for some in samples for row in some], np.int64)
    barred = [
        (i, person)
        for i, row in enumerate(rows.tolist())
        for person in faces[row].rejected | library.on_photo.get(faces[row].photo, frozenset())
    ]
    return Probes(
        slots=rows,
        vectors=vectors[rows],
        taken=taken[rows],
        barred=np.array(barred, np.int64).reshape(-1, 2),
        group=group,
        means=means(vectors[together], starts),
        sizes=np.array([len(some) for some in samples], np.int64),
        named=[Counter(who for row in some if (who := faces[row].person) is not None) for some in members],
    )
