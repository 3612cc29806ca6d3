"""What the label doctor promises."""

from __future__ import annotations

from kith.people import doubts
from people_world import CALIBRATION, World


def two_people(world: World) -> tuple[list[int], list[int]]:
    anna, bert = world.person(4), world.person(4)
    for face in anna:
        world.say(face, person=1)
    for face in bert:
        world.say(face, person=2)
    return list(anna), list(bert)


def test_right_answers_are_not_doubted() -> None:
    world = World()
    two_people(world)
    assert doubts(world.gallery(), CALIBRATION) == ()


def test_a_face_of_another_person_is_doubted_and_says_whom_it_looks_like() -> None:
    world = World()
    _, bert = two_people(world)
    world.say(world.faces[bert[0]].id, person=1)
    (doubt,) = doubts(world.gallery(), CALIBRATION)
    assert (doubt.face, doubt.person, doubt.nearer) == (bert[0], 1, 2)
    assert doubt.because[0] in bert


def test_a_face_like_nobody_is_doubted_after_one_that_is_somebody_else() -> None:
    world = World()
    _, bert = two_people(world)
    (nobody,) = world.person(1)
    world.say(nobody, person=1)
    world.say(world.faces[bert[0]].id, person=1)
    worse, lesser = doubts(world.gallery(), CALIBRATION)
    assert (worse.face, lesser.face) == (bert[0], nobody)
    assert lesser.nearer is None


def test_the_only_face_of_a_person_is_not_doubted() -> None:
    world = World()
    two_people(world)
    (new,) = world.person(1)
    world.say(new, person=3)
    assert doubts(world.gallery(), CALIBRATION) == ()
