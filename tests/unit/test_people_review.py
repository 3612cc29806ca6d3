"""What the order of questions promises."""

from __future__ import annotations

from kith.people import PeopleSettings, Question, review
from people_world import World


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


def test_no_face_is_in_two_questions() -> None:
    world = World()
    for _ in range(3):
        faces = world.person(7, spread=0.08)
        world.say(faces[0], person=int(faces[0]))
    world.person(5)
    asked = [f for q in ask(world, PeopleSettings(auto="off")) for f in q.faces]
    assert len(asked) == len(set(asked))
