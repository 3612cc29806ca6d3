"""What matching promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kith.people import PeopleSettings
from kith.people.calibration import Models, logit, probability
from kith.people.matching import Pairs, assign, choose_exemplars
from people_world import CALIBRATION, World


def test_a_face_is_matched_to_the_person_it_looks_like_and_says_why() -> None:
    world = World()
    anna, bert = world.person(4), world.person(4)
    world.say(anna[0], person=1)
    world.say(bert[0], person=2)
    suggestions = world.recognise().suggestions
    assert {suggestions[f].person for f in anna[1:]} == {1}
    assert suggestions[anna[1]].because == (anna[0],)
    assert suggestions[anna[1]].probability_group > 0.9


def test_a_stranger_gets_no_suggestion() -> None:
    world = World()
    anna, stranger = world.person(4), world.person(1)
    world.say(anna[0], person=1)
    assert stranger[0] not in world.recognise().suggestions


def test_confirmed_and_ignored_faces_get_no_suggestion() -> None:
    world = World()
    anna = world.person(4)
    world.say(anna[0], person=1)
    world.say(anna[1], ignored=True)
    assert world.recognise().suggestions.keys() == set(anna[2:])


def test_a_rejected_match_never_returns() -> None:
    world = World()
    anna = world.person(5)
    world.say(anna[0], person=1)
    world.say(anna[1], rejected={1})
    assert anna[1] not in world.recognise().suggestions


def test_a_person_stands_in_a_photo_once() -> None:
    world = World()
    anna = world.person(6)
    world.say(anna[0], person=1)
    world.change(anna[2], photo=world.faces[anna[1]].photo)
    assert len(world.recognise().suggestions.keys() & set(anna[1:3])) == 1


def test_a_person_already_confirmed_in_the_photo_is_not_suggested_there_again() -> None:
    world = World()
    anna = world.person(4)
    world.say(anna[0], person=1)
    world.change(anna[1], photo=world.faces[anna[0]].photo)
    assert anna[1] not in world.recognise().suggestions


def pairs(odds: np.ndarray) -> Pairs:
    """Each probe with each person, but for log odds of -inf."""
    probe, person = np.nonzero(odds > -np.inf)
    return Pairs(probe, person, {}, odds[probe, person], odds[probe, person])


def assigned(photos: list[int], odds: list[list[float]]) -> list[int]:
    """The person's column for each probe, -1 for nobody."""
    candidates = pairs(np.array(odds))
    return [-1 if pair < 0 else int(candidates.person[pair]) for pair in assign(photos, candidates, 0.5).tolist()]


def test_two_faces_that_want_one_person_are_told_apart_by_the_greatest_sum() -> None:
    odds = [[3.0, 2.9], [2.5, -4.0]]
    assert assigned([7, 7], odds) == [1, 0]
    assert assigned([7, 8], odds) == [0, 0]


def test_what_is_less_likely_than_asked_for_is_left_to_nobody() -> None:
    assert assigned([1, 1], [[-0.1, -3.0], [4.0, -np.inf]]) == [-1, 0]


def sure_of_anna(world: World) -> set[int]:
    anna = world.person(6)
    world.say(anna[0], person=1)
    return set(anna[1:])


def test_automatic_names_are_only_given_where_the_numbers_were_measured() -> None:
    world = World()
    anna = sure_of_anna(world)
    measured = world.recognise().suggestions
    assert anna == {f for f, s in measured.items() if s.auto}
    unmeasured = world.recognise(calibration=replace(CALIBRATION, measured=False)).suggestions
    assert unmeasured.keys() == measured.keys()
    assert not any(s.auto for s in unmeasured.values())


def test_automatic_names_can_be_switched_off() -> None:
    world = World()
    sure_of_anna(world)
    assert not any(s.auto for s in world.recognise(PeopleSettings(auto="off")).suggestions.values())


def test_wide_names_all_that_strict_names() -> None:
    world = World()
    anna = world.person(60, spread=0.09)
    world.say(anna[0], person=1)
    named = {
        level: {f for f, s in world.recognise(PeopleSettings(auto=level)).suggestions.items() if s.auto}
        for level in ("strict", "wide")
    }
    assert named["strict"] < named["wide"]


def test_a_poor_face_may_be_suggested_but_is_never_named_automatically() -> None:
    world = World()
    anna = world.person(5)
    world.say(anna[0], person=1)
    world.change(anna[1], quality=0.01)
    suggestion = world.recognise().suggestions[anna[1]]
    assert suggestion.person == 1
    assert not suggestion.auto


def test_exemplars_are_spread_over_time_and_take_the_best_of_each_slice() -> None:
    world = World()
    anna = world.person(40)
    world.change(anna[7], quality=0.9)
    rows = choose_exemplars(list(anna), dict(enumerate(world.faces)), PeopleSettings(exemplars=8))
    assert len(rows) == 8
    assert 7 in rows
    assert [r // 5 for r in rows] == list(range(8))


def test_poor_faces_teach_only_where_there_is_no_better_one() -> None:
    world = World()
    poor, good = world.person(3, quality=0.01), world.person(2)
    rows = [*poor, *good]
    assert choose_exemplars(rows, dict(enumerate(world.faces)), PeopleSettings()) == good
    assert choose_exemplars(poor, dict(enumerate(world.faces)), PeopleSettings()) == poor


def test_weights_of_unknown_features_are_refused() -> None:
    with pytest.raises(ValueError, match="beard"):
        Models.of(replace(CALIBRATION, classifier={"bias": 0.0, "beard": 1.0}))


def test_a_pack_without_weights_is_judged_by_its_cosines() -> None:
    weights = Models.of(CALIBRATION).group
    at = probability(logit(weights, {"centroid": np.array([0.33, 0.46])}))
    assert np.allclose(at, [1 / (1 + np.e**2), 1 / (1 + np.e**-2)])
