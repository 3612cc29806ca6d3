"""Whom the faces of a question may be, and how faces of two people are told apart."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kith.people import Question, halves, review, with_likely
from kith.types import FaceId
from people_world import CALIBRATION, World


def asked(world: World) -> tuple[Question, ...]:
    recognition = world.recognise()
    return with_likely(review(world.gallery(), recognition), world.gallery(), recognition, CALIBRATION)


def two_alike(apart: float = 0.8) -> tuple[World, list[FaceId]]:
    """A named person, and somebody without a name who is a little like them."""
    world = World()
    for face in world.person(4):
        world.say(face, person=1)
    anna = world.last
    world.person(3)
    for face in world.person(4):
        world.say(face, person=2)
    toward = anna + apart * world.vector() * np.linalg.norm(anna)
    return world, world.person(5, like=(toward / np.linalg.norm(toward)).astype(np.float32), spread=0.02)


def test_a_group_too_little_like_anybody_to_be_suggested_is_told_with_who_it_may_be() -> None:
    world, unnamed = two_alike(apart=2.4)
    (question,) = [q for q in asked(world) if set(q.faces) & set(unnamed)]
    assert question.person is None
    assert [one.person for one in question.likely] == [1]
    assert 0.01 <= question.likely[0].probability < 0.3


def test_the_person_a_question_asks_about_is_not_told_again() -> None:
    world, unnamed = two_alike(apart=1.6)
    questions = [q for q in asked(world) if set(q.faces) & set(unnamed)]
    assert {q.person for q in questions} == {1}
    assert not [one for q in questions for one in q.likely if one.person == 1]


def test_nobody_is_likely_who_was_said_not_to_be() -> None:
    world, unnamed = two_alike(apart=2.4)
    for face in unnamed:
        world.say(face, rejected={1})
    assert [q.likely for q in asked(world) if set(q.faces) & set(unnamed)] == [()]


def test_nobody_is_likely_who_is_rather_the_face_beside_it() -> None:
    world, unnamed = two_alike(apart=2.4)
    before = next(q.likely for q in asked(world) if set(q.faces) & set(unnamed))[0].probability
    anna = np.mean([world.vectors[face] for face in range(4)], axis=0)
    for face in unnamed:
        (beside,) = world.person(1, like=anna.astype(np.float32), spread=0.01)
        world.change(beside, photo=world.faces[face].photo)
    likely = [q.likely for q in asked(world) if set(q.faces) & set(unnamed)]
    assert all(one.probability < before / 2 for some in likely for one in some if one.person == 1)


def test_probabilities_of_one_question_are_at_most_one_and_fall() -> None:
    world, _ = two_alike(apart=2.1)
    for question in asked(world):
        odds = [one.probability for one in question.likely]
        assert odds == sorted(odds, reverse=True)
        assert sum(odds) <= 1


def test_without_named_people_nobody_is_likely() -> None:
    world = World()
    world.person(4)
    assert [q.likely for q in asked(world)] == [()]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 50), st.randoms(use_true_random=False))
def test_two_people_are_told_apart_in_any_order(some: int, more: int, seed: int, chance: Random) -> None:
    world = World(seed)
    one, other = world.person(some), world.person(more)
    ids = [*one, *other]
    chance.shuffle(ids)
    parts = halves(ids, np.stack([world.vectors[face] for face in ids]))
    assert {frozenset(part) for part in parts} == {frozenset(one), frozenset(other)}
    assert len(parts[0]) >= len(parts[1])
    assert [face for face in ids if face in parts[0]] == list(parts[0])


def test_faces_that_are_all_the_same_stay_together() -> None:
    world = World()
    (face,) = world.person(1)
    world.faces += [replace(world.faces[face], id=FaceId(number)) for number in (1, 2)]
    ids = [known.id for known in world.faces]
    assert halves(ids, np.stack([world.vectors[face]] * 3)) == (tuple(ids), ())
    assert halves([], np.zeros((0, 128), np.float32)) == ((), ())
