"""What matching promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kith.people import PeopleSettings, recognise, review
from kith.people.calibration import Models, logit, probability
from kith.people.matching import Pairs, age_gap, assign, choose_exemplars
from kith.people.vectors import snap
from kith.types import Gallery, PersonId, Recognition
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


def test_a_suggestion_shows_the_three_named_faces_most_like_it_the_likest_first() -> None:
    world = World()
    anna = world.person(12, spread=0.05)
    for face in anna[:8]:
        world.say(face, person=1)
    suggestions, vectors = world.recognise().suggestions, snap(np.stack(world.vectors))
    for face in anna[8:]:
        alike = sorted(anna[:8], key=lambda named: -float(vectors[named] @ vectors[face]))
        assert suggestions[face].because == tuple(alike[:3])


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


def test_who_looks_like_faces_that_were_said_not_to_be_somebody_is_asked_about() -> None:
    world = World()
    anna, hanna = world.person(8), world.person(6, like=world.last + 0.3 * world.vector())
    for face in anna[:4]:
        world.say(face, person=1)
    assert all(world.recognise().suggestions[face].auto for face in anna[4:] + hanna)
    for face in hanna[:3]:
        world.say(face, rejected={1})
    suggestions = world.recognise().suggestions
    assert sum(suggestions[face].auto for face in anna[4:]) >= 3
    assert not any(suggestions[face].auto for face in hanna[3:] if face in suggestions)


def test_faces_of_two_people_without_names_are_named_by_nobody_but_a_person() -> None:
    world = World()
    anna = world.person(12)
    for face in anna[:4]:
        world.say(face, person=1)
    for face in anna[4:8]:
        world.say(face, parts={(1, 1 + face % 2)})
    found = world.recognise()
    assert all(found.suggestions[face].auto for face in anna[8:])
    assert not any(found.suggestions[face].auto for face in anna[4:8] if face in found.suggestions)
    assert not {found.groups.get(face) for face in anna[4:8]} & {found.groups[anna[0]]}
    asked = [question.faces for question in review(world.gallery(), found) if set(question.faces) & set(anna[4:8])]
    assert not any({face % 2 for face in faces} == {0, 1} for faces in asked)


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
    chosen = assign(np.array(photos), candidates, 0.5)
    return [-1 if pair < 0 else int(candidates.person[pair]) for pair in chosen.tolist()]


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


YEAR = 365.25 * 86400


def recognised(world: World, born: float | None) -> Recognition:
    told = {} if born is None else {PersonId(1): born}
    return recognise(Gallery(world.gallery().faces, world.gallery().vectors, told), CALIBRATION, {})


def test_nobody_is_suggested_on_a_photo_taken_before_their_birth() -> None:
    world = World()
    anna = world.person(5)
    for i, face in enumerate(anna):
        world.change(face, captured_at=(20 + i) * YEAR)
    world.say(anna[4], person=1)
    assert recognised(world, None).suggestions.keys() == set(anna[:4])
    assert recognised(world, 22.5 * YEAR).suggestions.keys() == {anna[3]}


def test_a_birth_date_is_good_to_a_day_or_two() -> None:
    world = World()
    anna = world.person(4)
    world.change(anna[1], captured_at=10 * YEAR)
    world.say(anna[0], person=1)
    assert anna[1] in recognised(world, 10 * YEAR + 86400).suggestions
    assert anna[1] not in recognised(world, 10 * YEAR + 3 * 86400).suggestions


def test_a_photo_without_a_date_may_show_anybody() -> None:
    world = World()
    anna = world.person(4)
    world.change(anna[1], captured_at=None)
    world.say(anna[0], person=1)
    assert anna[1] in recognised(world, -1.0).suggestions


def test_a_child_that_outgrew_all_that_is_known_of_it_is_asked_about_and_an_adult_is_not() -> None:
    world = World()
    anna = world.person(4)
    for face, age in zip(anna, (2.0, 2.5, 9.0, 30.0), strict=True):
        world.change(face, captured_at=age * YEAR)
    world.say(anna[0], person=1)
    named = {f for f, s in recognised(world, 0.0).suggestions.items() if s.auto}
    assert named == {anna[1]}
    grown = {f for f, s in recognised(world, -40 * YEAR).suggestions.items() if s.auto}
    assert grown == set(anna[1:])


def test_time_is_measured_in_ages_where_the_birth_is_known() -> None:
    infant, adult = (age_gap(np.array([age * YEAR]), np.array([(age + 1) * YEAR]), 0.0)[0] for age in (1.0, 40.0))
    assert infant > 10 * adult
    assert age_gap(np.array([0.0]), np.array([YEAR]), np.nan)[0] == pytest.approx(np.log(2))
    assert np.isinf(age_gap(np.array([np.nan]), np.array([YEAR]), np.nan)[0])
