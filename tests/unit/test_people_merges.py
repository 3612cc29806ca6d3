"""What proposals to merge promise."""

from __future__ import annotations

import pytest

from kith.people import Party, PeopleSettings, merges, propose_above
from kith.types import FaceId, Gallery, PersonId, PhotoId
from people_world import CALIBRATION, World

SEPARATE = PeopleSettings(strictness=4.0, auto="off", suggest_above=0.9999, join_above=0.9999)


def named_twice() -> tuple[World, list[FaceId], list[FaceId]]:
    """One person under two names."""
    world = World()
    first, second = world.person(4), world.person(4, like=world.last)
    for faces, person in ((first, 1), (second, 2)):
        for face in faces:
            world.say(face, person=person)
    return world, first, second


def proposed(world: World, **told: object) -> list[set[Party]]:
    gallery = Gallery(world.gallery().faces, world.gallery().vectors, **told)
    found = merges(gallery, world.recognise(SEPARATE), CALIBRATION)
    return [{merge.first, merge.second} for merge in found]


def person(number: int) -> Party:
    return Party(PersonId(number), None)


def test_one_person_under_two_names_is_proposed_with_the_faces_that_made_it_so() -> None:
    world, first, second = named_twice()
    (merge,) = merges(world.gallery(), world.recognise(), CALIBRATION)
    assert (merge.first, merge.second) == (person(1), person(2))
    assert merge.probability > 0.9
    assert len(merge.because) == 3
    assert all(a in first and b in second for a, b in merge.because)


def test_people_who_look_different_are_not_proposed() -> None:
    world = World()
    for number in (1, 2):
        for face in world.person(4):
            world.say(face, person=number)
    assert proposed(world) == []


def test_people_of_whom_somebody_said_that_they_are_two_are_never_proposed() -> None:
    world, _, _ = named_twice()
    assert proposed(world, apart=frozenset({(PersonId(1), PersonId(2))})) == []


def test_people_who_stand_on_photos_together_are_never_proposed() -> None:
    world, first, second = named_twice()
    world.change(second[0], photo=world.faces[first[0]].photo)
    (once,) = merges(world.gallery(), world.recognise(), CALIBRATION, above=0.0)
    world.change(second[1], photo=world.faces[first[1]].photo)
    assert proposed(world) == []
    world.change(second[0], photo=PhotoId(100))
    world.change(second[1], photo=PhotoId(101))
    (never,) = merges(world.gallery(), world.recognise(), CALIBRATION, above=0.0)
    assert once.probability < never.probability


def test_a_person_and_a_group_without_a_name_are_proposed_unless_it_was_rejected() -> None:
    world = World()
    named, group = world.person(4), world.person(4, like=world.last)
    for face in named:
        world.say(face, person=1)
        world.say(group[0], rejected={2})
    number = dict.fromkeys(group, 7) | dict.fromkeys(named, 8)
    recognition = world.recognise(SEPARATE)
    recognition = type(recognition)(number, {})
    gallery = world.gallery()
    (merge,) = merges(gallery, recognition, CALIBRATION)
    assert {merge.first, merge.second} == {person(1), Party(None, 7)}
    for face in group[:2]:
        world.say(face, rejected={1})
    assert merges(world.gallery(), recognition, CALIBRATION) == ()


def test_two_groups_without_a_name_are_proposed_and_strangers_left_alone() -> None:
    world = World()
    first, second = world.person(3), world.person(3, like=world.last)
    recognition = type(world.recognise())(dict.fromkeys(first, 1) | dict.fromkeys(second, 2), {})
    (merge,) = merges(world.gallery(), recognition, CALIBRATION)
    assert {merge.first, merge.second} == {Party(None, 1), Party(None, 2)}
    for face in second:
        world.say(face, ignored=True)
    assert merges(world.gallery(), recognition, CALIBRATION) == ()


def test_two_groups_of_which_somebody_said_that_they_are_two_are_not_proposed_again() -> None:
    world = World()
    first, second = world.person(3), world.person(6, like=world.last)
    for face in first:
        world.say(face, parts={(1, 1)})
    world.say(second[0], parts={(1, 2)})  # the others came later
    recognition = type(world.recognise())(dict.fromkeys(first, 1) | dict.fromkeys(second, 2), {})
    assert merges(world.gallery(), recognition, CALIBRATION) == ()
    world.say(second[0], parts={(1, 1)})
    assert len(merges(world.gallery(), recognition, CALIBRATION)) == 1


def test_the_merge_that_settles_most_comes_first() -> None:
    world = World()
    few, many = world.person(6), world.person(10)
    halves = {f: 1 + i % 2 for i, f in enumerate(few)} | {f: 3 + i % 2 for i, f in enumerate(many)}
    found = merges(world.gallery(), type(world.recognise())(halves, {}), CALIBRATION)
    assert [{m.first.group, m.second.group} for m in found] == [{3, 4}, {1, 2}]


def test_declined_proposals_make_kith_ask_less_and_accepted_ones_more() -> None:
    assert propose_above(0, 1) < propose_above(0, 2) < propose_above(0, 50) < 0.95
    assert propose_above(1, 0) > propose_above(2, 0) > propose_above(50, 0) > 0.2
    assert propose_above(0, 0) == propose_above(7, 7) == pytest.approx(0.5)
