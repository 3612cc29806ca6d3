"""Laws of recognition: same photos in, same people out, whatever the order of arrival and the numbers of rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kith.people import PeopleSettings, recognise
from kith.types import Evidence, FaceId, Gallery, PersonId, PhotoId, Recognition
from laws import tried
from people_world import CALIBRATION, World

SMALL = PeopleSettings(min_faces=2, auto="wide")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """People of very different numbers, some alike, some faces sharing photos, some answered."""
    world = World(draw(st.integers(0, 2**32 - 1)))
    for count in draw(st.lists(st.integers(1, 6), min_size=1, max_size=7)):
        alike = world.last if draw(st.booleans()) else world.vector()
        world.person(count, like=world.vector() + draw(st.sampled_from([0.0, 0.8])) * alike, spread=0.07)
    for i, face in enumerate(list(world.faces)):
        photo = PhotoId(draw(st.integers(0, len(world.faces))))
        person = draw(st.sampled_from([None, None, 1, 2, 3]))
        rejected = draw(st.sets(st.sampled_from([1, 2, 3]), max_size=1)) - {person}
        world.change(FaceId(i), photo=photo, captured_at=draw(st.sampled_from([None, photo * 2.0])))
        ignored = person is None and draw(st.booleans())
        parts = draw(st.sets(st.sampled_from([(7, 1), (7, 2), (8, 1), (8, 2)]), max_size=1))
        world.say(face.id, person=person, rejected=rejected, ignored=ignored, parts=parts)
    return world


def said(result: Recognition) -> tuple[set[frozenset[FaceId]], dict[FaceId, tuple[object, ...]]]:
    """What was recognised, without the numbers of groups and without the last bits of probabilities."""
    groups: dict[int, set[FaceId]] = {}
    for face, group in result.groups.items():
        groups.setdefault(group, set()).add(face)
    suggestions = {
        f: (s.person, round(s.probability_group, 4), round(s.probability_classifier, 4), s.auto, s.because)
        for f, s in result.suggestions.items()
    }
    return {frozenset(g) for g in groups.values()}, suggestions


def relabelled(face: Evidence, faces: list[int], people: list[int]) -> Evidence:
    return replace(
        face,
        id=FaceId(faces[face.id]),
        photo=PhotoId(1000 - face.photo),
        person=None if face.person is None else PersonId(people[face.person]),
        rejected=frozenset(PersonId(people[p]) for p in face.rejected),
        parts=frozenset((900 - division, 5 - part) for division, part in face.parts),
    )


@tried(60)
@given(worlds(), st.randoms(use_true_random=False), st.permutations([1, 2, 3]))
def test_neither_order_of_arrival_nor_ids_change_the_result(world, random, people) -> None:
    gallery = world.gallery()
    arrival, ids, people = list(range(len(gallery.faces))), list(range(len(gallery.faces))), [0, *people]
    random.shuffle(arrival)
    random.shuffle(ids)
    shuffled = Gallery(tuple(relabelled(gallery.faces[i], ids, people) for i in arrival), gallery.vectors[arrival])
    groups, suggestions = said(recognise(gallery, CALIBRATION, {}, SMALL))
    again = said(recognise(shuffled, CALIBRATION, {}, SMALL))
    assert again[0] == {frozenset(FaceId(ids[f]) for f in g) for g in groups}
    assert again[1] == {
        ids[f]: (people[p], by_group, by_face, auto, tuple(ids[b] for b in because))
        for f, (p, by_group, by_face, auto, because) in suggestions.items()
    }


@tried(60)
@given(worlds())
def test_answers_and_photos_are_never_contradicted(world) -> None:
    faces = {f.id: f for f in world.faces}
    result = world.recognise(SMALL)
    members: dict[int, list[Evidence]] = {}
    for face, group in result.groups.items():
        members.setdefault(group, []).append(faces[face])
    for group in members.values():
        named = {f.person for f in group if f.person is not None}
        assert len(named) <= 1
        assert not any(f.rejected & named for f in group)
        unnamed = [f.photo for f in group if f.person is None]
        assert len(unnamed) == len(set(unnamed))
        divided = {part for f in group if f.person is None for part in f.parts}
        assert not divided or not named
        assert len(divided) == len({division for division, _ in divided})
    for face, suggestion in result.suggestions.items():
        assert faces[face].person is None
        assert not faces[face].ignored
        assert suggestion.person not in faces[face].rejected
        assert not (suggestion.auto and faces[face].parts)
    once = [(faces[f].photo, s.person) for f, s in result.suggestions.items()]
    once += {(f.photo, f.person) for f in world.faces if f.person is not None}
    assert len(once) == len(set(once))


@tried(40)
@given(worlds())
def test_numbers_of_groups_stay_when_nothing_changed(world) -> None:
    first = world.recognise(SMALL)
    assert world.recognise(SMALL, previous=first.groups).groups == first.groups


@tried(40)
@given(worlds(), worlds())
def test_what_is_unlike_everything_else_changes_no_group(world, other) -> None:
    """A component's groups depend on nothing outside it, so only touched components need recomputing."""
    both = World()
    both.faces = [*world.faces]
    both.vectors = [np.concatenate([v, np.zeros(128, np.float32)]) for v in world.vectors]
    for face, vector in zip(other.faces, other.vectors, strict=True):
        stranger = replace(face, id=FaceId(face.id + 500), photo=PhotoId(face.photo + 500), person=None)
        both.faces.append(stranger)
        both.vectors.append(np.concatenate([np.zeros(128, np.float32), vector]))
    alone = said(world.recognise(SMALL))[0]
    together = said(both.recognise(SMALL))[0]
    assert alone <= together
