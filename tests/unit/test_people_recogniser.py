"""What the recogniser promises beside its law (tests/property/test_people_incremental.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kith.people import PeopleSettings, Recogniser, recognise
from kith.people.matching import crowd
from kith.types import FaceId, Gallery, PersonId
from people_world import CALIBRATION, World

SHY = PeopleSettings(suggest_above=0.999999, join_above=0.999999, min_faces=2)
CROWDED = replace(CALIBRATION, group={"bias": -8.0, "nearest": 20.0, "crowd": -1.0})


def one(world: World, face: FaceId) -> Gallery:
    return Gallery((world.faces[face],), world.vectors[face][None])


def test_a_person_for_whom_many_are_taken_is_suggested_with_less_certainty() -> None:
    world = World()
    (anna,) = world.person(1)
    direction = world.last
    probe = world.add(0.6 * direction + 0.8 * world.vector())
    world.say(anna, person=1)
    recogniser = Recogniser(CROWDED)
    recogniser.recognise(world.gallery())
    seen = [recogniser.recognition.suggestions[probe].probability_group]
    for _ in range(16):
        stranger = world.add(0.38 * direction + 0.92 * world.vector())
        recogniser.update(one(world, stranger))
        assert recogniser.recognition == recognise(world.gallery(), CROWDED, {})
        seen.append(recogniser.recognition.suggestions[probe].probability_group)
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 3


def test_crowds_are_whole_doublings_beyond_what_false_matches_explain() -> None:
    assert [crowd(n, 100) for n in (0, 1, 2, 3, 6, 7, 15)] == [0, 0, 0, 1, 1, 2, 3]
    assert crowd(120, 100_000) == 0


def test_a_face_leaves_a_persons_group_when_the_person_is_confirmed_elsewhere_in_its_photo() -> None:
    world = World()
    anna = world.person(3)
    world.say(anna[0], person=1)
    recogniser = Recogniser(CALIBRATION, SHY)
    groups = recogniser.recognise(world.gallery()).groups
    assert groups[anna[1]] == groups[anna[0]]
    other = world.add(world.vector(), photo=world.faces[anna[1]].photo, person=PersonId(1))
    changes = recogniser.update(one(world, other))
    assert recogniser.recognition.groups == recognise(world.gallery(), CALIBRATION, groups, SHY).groups
    assert changes.groups[anna[1]] != groups[anna[0]]


def test_what_did_not_change_is_not_told() -> None:
    world = World()
    world.person(4)
    bert = world.person(4)
    world.say(bert[0], person=2)
    recogniser = Recogniser(CALIBRATION)
    recogniser.recognise(world.gallery())
    stranger = world.add(world.vector())
    changes = recogniser.update(one(world, stranger))
    assert {f for f, g in changes.groups.items() if g is not None} == set()
    assert changes.suggestions == {stranger: None}
    assert recogniser.update(one(world, stranger)).groups == {}


def test_faces_that_go_take_their_group_with_them() -> None:
    world = World()
    anna = world.person(4)
    recogniser = Recogniser(CALIBRATION)
    recogniser.recognise(world.gallery())
    changes = recogniser.update(Gallery((), np.zeros((0, 128), np.float32)), anna[:2])
    assert changes.groups == dict.fromkeys(anna)
    assert recogniser.recognition.groups == {}


def test_vectors_of_another_length_are_refused_and_nothing_is_lost() -> None:
    world = World()
    world.person(4)
    recogniser = Recogniser(CALIBRATION)
    before = recogniser.recognise(world.gallery())
    with pytest.raises(ValueError, match="128"):
        recogniser.update(Gallery((world.faces[0],), np.ones((1, 64), np.float32)))
    assert recogniser.recognition == before


def test_a_face_cannot_be_there_twice_and_what_is_not_there_cannot_go() -> None:
    world = World()
    anna = world.person(4)
    recogniser = Recogniser(CALIBRATION)
    before = recogniser.recognise(world.gallery())
    twice = Gallery((world.faces[0], world.faces[0]), np.stack([world.vectors[0]] * 2))
    with pytest.raises(ValueError, match="twice"):
        recogniser.update(twice)
    assert recogniser.update(one(world, anna[0]), [FaceId(99)]).groups == {}
    assert recogniser.recognition == before
