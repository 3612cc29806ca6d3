"""What the order of questions promises."""

from __future__ import annotations

from kith.people import PeopleSettings, Question, review
from kith.types import PhotoId
from people_world import CALIBRATION, World


def ask(world: World, settings: PeopleSettings | None = None) -> tuple[Question, ...]:
    return review(world.gallery(), world.recognise(settings))


def test_the_answer_that_names_most_faces_is_asked_first() -> None:
    world = World()
    few, many = world.person(3), world.person(9)
    assert [set(q.faces) for q in ask(world)] == [set(many), set(few)]
    assert [q.value for q in ask(world)] == [9, 3]


def test_suggestions_of_one_person_are_one_question() -> None:
    world = World()
    anna = world.person(6)
    world.say(anna[0], person=1)
    (question,) = ask(world, PeopleSettings(auto="off"))
    assert question.person == 1
    assert set(question.faces) == set(anna[1:])


def test_automatic_names_are_not_asked_about() -> None:
    world = World()
    anna = world.person(6)
    world.say(anna[0], person=1)
    assert ask(world) == ()


def test_confirmed_and_ignored_faces_are_not_asked_about() -> None:
    world = World()
    anna, stranger = world.person(3), world.person(3)
    for face in anna:
        world.say(face, person=1)
    for face in stranger:
        world.say(face, ignored=True)
    assert ask(world) == ()


def test_twins_of_an_ignored_stranger_at_the_same_event_are_never_asked_about() -> None:
    world = World()
    stranger = world.person(5)
    world.say(stranger[0], ignored=True)
    start = world.faces[stranger[0]].captured_at
    assert start is not None
    for i, face in enumerate(stranger[1:3]):
        world.change(face, captured_at=start + 600.0 * (i + 1))
    (question,) = ask(world)
    assert set(question.faces) == set(stranger[3:])


def test_twins_of_an_ignored_group_are_never_asked_about_when_they_turn_up_later() -> None:
    world = World()
    stranger = world.person(4)
    start = 1000.0
    for i, face in enumerate(stranger):
        world.change(face, captured_at=start + 600.0 * i)
        world.say(face, ignored=True)
    world.person(3, like=world.last, captured_at=start + 3600.0)
    assert ask(world) == ()


def test_twins_of_an_ignored_stranger_are_not_taken_for_a_person_either() -> None:
    world = World()
    anna = world.person(4)
    world.say(anna[0], person=1)
    start = world.faces[anna[1]].captured_at
    assert start is not None
    world.say(anna[1], ignored=True)
    world.change(anna[2], captured_at=start + 600.0)
    (question,) = ask(world, PeopleSettings(auto="off"))
    assert set(question.faces) == {anna[3]}


def test_twins_outside_the_group_of_an_ignored_stranger_are_known_by_their_likeness() -> None:
    world = World()
    stranger = world.person(1)
    world.say(stranger[0], ignored=True)
    start = world.faces[stranger[0]].captured_at
    assert start is not None
    others = world.person(3, like=0.75 * world.last + 0.66 * world.vector(), spread=0.0)
    for i, face in enumerate(others):
        world.change(face, captured_at=start + 600.0 * (i + 1), photo=PhotoId(50 + i))
    strict = PeopleSettings(strictness=8.0)
    gallery, recognition = world.gallery(), world.recognise(strict)
    assert [set(q.faces) for q in review(gallery, recognition)] == [set(others)]
    assert review(gallery, recognition, CALIBRATION) == ()


def test_no_face_is_in_two_questions() -> None:
    world = World()
    for _ in range(3):
        faces = world.person(7, spread=0.08)
        world.say(faces[0], person=int(faces[0]))
    world.person(5)
    asked = [f for q in ask(world, PeopleSettings(auto="off")) for f in q.faces]
    assert len(asked) == len(set(asked))
