"""What the recogniser promises beside its law (tests/property/test_people_incremental.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kith.people import PeopleSettings, Recogniser, recognise
from kith.people.matching import directions, familiar
from kith.types import FaceId, Gallery, PersonId
from people_world import CALIBRATION, World

SHY = PeopleSettings(suggest_above=0.999999, join_above=0.999999, min_faces=2)
SCALED = replace(CALIBRATION, group={"bias": -8.0, "nearest": 20.0, "clusters": -1.0})
COHORT = replace(
    CALIBRATION,
    classifier={"bias": -6.0, "nearest": 15.0, "face_cohort": -2.0},
    group={"bias": -6.0, "nearest": 15.0, "group_cohort": -1.0, "person_cohort": -1.0},
)


def one(world: World, face: FaceId) -> Gallery:
    return Gallery((world.faces[face],), world.vectors[face][None])


def test_the_more_strangers_there_are_the_less_being_alike_proves() -> None:
    world = World()
    (anna,) = world.person(1)
    probe = world.add(0.6 * world.last + 0.8 * world.vector())
    world.say(anna, person=1)
    recogniser = Recogniser(SCALED)
    recogniser.recognise(world.gallery())
    seen = [recogniser.recognition.suggestions[probe].probability_group]
    for _ in range(20):
        stranger = world.add(world.vector())
        recogniser.update(one(world, stranger))
        assert recogniser.recognition == recognise(world.gallery(), SCALED, {})
        seen.append(recogniser.recognition.suggestions[probe].probability_group)
    assert seen == sorted(seen, reverse=True)
    assert 4 <= len(set(seen)) <= 8  # not with every face: in half doublings


def test_being_alike_proves_less_about_faces_as_there_are_many() -> None:
    world = World()
    (anna,) = world.person(1)
    usual = world.last
    probe = world.add(0.6 * usual + 0.8 * world.vector())
    world.say(anna, person=1)
    known = {cohort: replace(COHORT, cohort=np.stack([like])) for cohort, like in (("near", usual), ("far", -usual))}
    found = {name: recognise(world.gallery(), known[name], {}).suggestions[probe] for name in known}
    assert found["near"].probability_group < found["far"].probability_group
    assert found["near"].probability_classifier < found["far"].probability_classifier


def test_without_a_cohort_no_face_is_more_usual_than_another() -> None:
    vectors = np.stack([World().vector()])
    assert familiar(vectors, np.zeros((0, 0), np.float32)).tolist() == [0]
    assert familiar(vectors, directions(100 * np.repeat(vectors, 4, axis=0))) == pytest.approx([1], abs=1e-3)


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


def test_one_of_more_nearly_identical_faces_than_a_leaf_should_have_may_go_and_come_back() -> None:
    few = PeopleSettings(largest_component=5)
    world = World()
    faces = world.person(12, spread=0.004)
    world.say(faces[0], person=1)
    recogniser, at_once = Recogniser(CALIBRATION, few), Recogniser(CALIBRATION, few)
    recogniser.update(world.gallery())
    recogniser.update(Gallery((), world.vectors[0][None][:0]), faces[-1:])
    at_once.update(Gallery(tuple(world.faces[:-1]), np.stack(world.vectors[:-1])))
    for _ in range(2):
        assert {frozenset(cluster) for cluster in recogniser.clusters()} == set(map(frozenset, at_once.clusters()))
        assert recogniser.recognition == at_once.recognition
        for some in (recogniser, at_once):
            some.update(one(world, faces[-1]))


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
