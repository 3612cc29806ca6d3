"""What learning from the user's own answers promises."""

from __future__ import annotations

import numpy as np

from kith.people import Correction, Outcome, outcomes, recognise, refit
from people_world import CALIBRATION, World


def answers(count: int, slope: float, shift: float) -> list[Outcome]:
    """Answers in a library whose true log odds are `slope` x the pack's + `shift`."""
    random = np.random.default_rng(0)
    odds = random.normal(1, 3, count)
    right = random.random(count) < 1 / (1 + np.exp(-(slope * odds + shift)))
    return [Outcome(float(o), bool(r)) for o, r in zip(odds, right, strict=True)]


def test_few_answers_change_nothing() -> None:
    assert refit(answers(49, 0.5, -2)) == Correction()
    assert refit([Outcome(2.0, True)] * 500) == Correction()
    assert refit([]) == Correction()


def test_many_answers_are_believed() -> None:
    learned = refit(answers(3000, 0.7, -1.5))
    assert abs(learned.slope - 0.7) < 0.1
    assert abs(learned.shift + 1.5) < 0.25


def test_against_a_few_answers_the_packs_own_odds_weigh_as_much_as_two_dozen() -> None:
    """Sixty answers out of a library where the odds are 3 too high, or go half as far, move them most of the way."""
    shifted, flatter = refit(answers(60, 1.0, -3)), refit(answers(60, 0.5, -2))
    assert -2.4 < shifted.shift < -1.8
    assert 0.52 < flatter.slope < 0.65
    assert abs(refit(answers(3000, 1.0, -3)).shift + 3) < 0.15


def test_the_pack_is_never_left_far_behind() -> None:
    learned = refit(answers(3000, 4.0, 6.0))
    assert learned.slope <= 1.5
    assert learned.shift == 1.0


def crowd() -> World:
    world = World()
    for person in (1, 2, 3):
        faces = world.person(12, spread=0.07)
        for face in faces[:6]:
            world.say(face, person=person)
    return world


def test_a_correction_makes_automatic_names_rarer_never_more_frequent() -> None:
    world = crowd()
    plain, trusting, doubting = (
        recognise(world.gallery(), CALIBRATION, {}, correction=c).suggestions
        for c in (None, Correction(1.5, 1.0), Correction(1.0, -4.0))
    )
    auto = [{f for f, s in some.items() if s.auto} for some in (plain, trusting, doubting)]
    assert auto[0] == auto[1] > auto[2]
    assert all(trusting[f].probability_group >= plain[f].probability_group for f in plain)


def test_outcomes_tell_what_would_have_been_said_of_answered_faces() -> None:
    world = crowd()
    right = outcomes(world.gallery(), CALIBRATION)
    assert len(right) == 18
    assert all(outcome.right for outcome in right)
    world.say(world.faces[7].id, rejected={1})
    assert [o.right for o in outcomes(world.gallery(), CALIBRATION)].count(False) == 1
