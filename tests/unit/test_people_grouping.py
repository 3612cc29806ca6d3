"""What grouping promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from kith.people import PeopleSettings, Recogniser, recognise
from kith.people.faces import NOBODY
from kith.people.grouping import NEVER, Said, average_linkage, cannot_link
from kith.people.homes import number_groups
from kith.types import FaceId, Gallery, GroupId, PhotoId
from people_world import CALIBRATION, World


def test_faces_of_one_person_stand_in_one_group_and_of_two_people_in_two() -> None:
    world = World()
    anna, bert = world.person(5), world.person(4)
    groups = world.recognise().groups
    assert len({groups[f] for f in anna}) == 1
    assert len({groups[f] for f in bert}) == 1
    assert groups[anna[0]] != groups[bert[0]]


def test_fewer_faces_than_the_core_point_rule_asks_for_are_not_shown_as_a_group() -> None:
    world = World()
    pair = world.person(2)
    assert not world.recognise().groups.keys() & set(pair)
    assert world.recognise(PeopleSettings(min_faces=2)).groups.keys() >= set(pair)


def test_poor_faces_found_no_group_but_may_join_one() -> None:
    world = World()
    poor = world.person(4, quality=0.01)
    mixed = world.person(3) + world.person(1, like=world.last, quality=0.01)
    groups = world.recognise().groups
    assert not groups.keys() & set(poor)
    assert groups.keys() >= set(mixed)


def test_two_faces_of_one_photo_are_never_in_one_group() -> None:
    world = World()
    many = world.person(6)
    photo = world.faces[many[0]].photo
    twin = world.person(1, like=world.last, photo=photo)
    groups = world.recognise().groups
    assert len({groups[f] for f in many[1:]}) == 1
    assert len(groups.keys() & {twin[0], many[0]}) == 1


def test_twins_side_by_side_in_one_burst_are_told_apart_by_likeness() -> None:
    world = World()
    one = world.vector()
    other = 0.85 * one + 0.53 * world.vector()
    faces: dict[str, list[FaceId]] = {"Anna": [], "Hanna": []}
    for second in range(6):
        order = ("Anna", "Hanna") if second % 2 else ("Hanna", "Anna")
        for name in order:
            like = one if name == "Anna" else other
            told = {"photo": PhotoId(1000 + second), "captured_at": float(second)}
            faces[name] += world.person(1, like=like, spread=0.01, **told)
    groups = world.recognise().groups
    assert len({groups[face] for face in faces["Anna"]}) == 1
    assert len({groups[face] for face in faces["Hanna"]}) == 1
    assert groups[faces["Anna"][0]] != groups[faces["Hanna"][0]]


def clusters(world: World) -> list[set[FaceId]]:
    """The largest first."""
    recogniser = Recogniser(CALIBRATION)
    recogniser.update(world.gallery())
    return sorted(map(set, recogniser.clusters()), key=len, reverse=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mirrors", [1, 2, 3])
def test_a_rare_mirror_or_collage_divides_nobody(seed, mirrors) -> None:
    world = World(seed)
    anna = world.person(80, spread=0.06)
    for i in range(mirrors):
        world.change(anna[i], photo=world.faces[anna[-1 - i]].photo)
    assert len(clusters(world)[0]) >= 64


@pytest.mark.parametrize("seed", range(4))
def test_a_wrong_answer_leaves_the_other_faces_together(seed) -> None:
    world = World(seed)
    anna = world.person(80, spread=0.06)
    for face in anna[:9]:
        world.say(face, person=1)
    world.say(anna[9], person=2)
    world.say(anna[10], rejected={1})
    assert clusters(world)[0] == set(anna) - {anna[9], anna[10]}


@pytest.mark.parametrize("seed", range(4))
def test_twins_who_are_mostly_together_stay_two(seed) -> None:
    world = World(seed)
    anna = world.person(40, spread=0.05)
    hanna = world.person(40, like=0.9 * world.last + 0.44 * world.vector(), spread=0.05)
    for one, other in zip(anna[:30], hanna[:30], strict=True):
        world.change(other, photo=world.faces[one].photo)
    first, second = clusters(world)[:2]
    assert len(first & set(anna)) * len(first & set(hanna)) == len(second & set(anna)) * len(second & set(hanna)) == 0


def test_two_confirmed_people_are_never_in_one_group_however_alike() -> None:
    world = World()
    alike = world.person(8)
    for face, person in zip(alike, [1] * 4 + [2] * 4, strict=True):
        world.say(face, person=person)
    groups = world.recognise().groups
    assert not {groups[f] for f in alike[:4]} & {groups[f] for f in alike[4:]}


@pytest.mark.parametrize("seed", range(4))
def test_faces_of_two_people_without_names_are_never_in_one_group_however_alike(seed) -> None:
    world = World(seed)
    alike = world.person(40, spread=0.06)
    for face in alike[:10]:
        world.say(face, parts={(1, 1)})
    for face in alike[10:20]:
        world.say(face, parts={(1, 2)})
    for cluster in clusters(world):
        assert not (cluster & set(alike[:10]) and cluster & set(alike[10:20]))
    for face in alike[:20]:
        world.say(face, person=1, parts={(1, 1 if face in alike[:10] else 2)})
    assert len({world.recognise().groups[face] for face in alike[:20]}) == 1


def test_a_rejected_face_leaves_the_group_of_that_person() -> None:
    world = World()
    alike = world.person(6)
    for face in alike[:3]:
        world.say(face, person=1)
    world.say(alike[5], rejected={1})
    groups = world.recognise().groups
    assert groups.get(alike[5]) != groups[alike[0]]


def test_confirmed_faces_of_one_person_share_a_group_though_they_look_nothing_alike() -> None:
    world = World()
    child, adult = world.person(4), world.person(4)
    world.say(child[0], person=1)
    world.say(adult[0], person=1)
    assert len({world.recognise().groups[f] for f in child + adult}) == 1


def test_joining_a_person_never_puts_two_unnamed_faces_of_one_photo_together() -> None:
    world = World()
    child, adult = world.person(4), world.person(4)
    world.say(child[0], person=1)
    world.say(adult[0], person=1)
    world.change(child[1], photo=world.faces[adult[1]].photo)
    groups = world.recognise().groups
    assert groups.get(child[1]) != groups.get(adult[1])


def test_a_burst_stays_together_though_the_threshold_would_part_it() -> None:
    world = World()
    first, second = world.vector(), world.vector()
    halfway = first * 0.9 + second * np.sqrt(1 - 0.81)
    world.add(first, captured_at=1000.0)
    world.add(halfway, captured_at=1001.0)
    strict = PeopleSettings(min_faces=2, strictness=8.0)
    assert len(set(world.recognise(strict).groups.values())) == 1
    world.change(FaceId(1), captured_at=9000.0)
    assert not world.recognise(strict).groups


def test_ignored_faces_hold_their_group_together() -> None:
    world = World()
    faces = world.person(3)
    world.say(faces[0], ignored=True)
    assert len({world.recognise().groups[f] for f in faces}) == 1


def test_an_oversized_component_is_cut_and_its_people_still_found() -> None:
    world = World()
    people = [world.person(30, spread=0.02) for _ in range(4)]
    bridge = world.vectors[people[0][0]] + world.vectors[people[1][0]]
    world.add(bridge)
    groups = world.recognise(PeopleSettings(largest_component=40)).groups
    assert [len({groups[f] for f in faces}) for faces in people] == [1, 1, 1, 1]
    assert len({groups[faces[0]] for faces in people}) == 4


def test_a_group_keeps_its_number_when_faces_join_and_a_new_group_gets_an_unused_one() -> None:
    world = World()
    first = world.person(4)
    before = world.recognise().groups
    like, second = world.person(2, like=world.last), world.person(5)
    after = world.recognise(previous=before).groups
    assert {after[f] for f in first + like} == {before[first[0]]}
    assert after[second[0]] > max(before.values())


def test_a_number_once_used_is_not_given_again() -> None:
    world = World()
    faces = world.person(4)
    result = recognise(world.gallery(), CALIBRATION, {}, next_group=41)
    assert {result.groups[f] for f in faces} == {41}


def test_when_a_group_splits_the_larger_part_keeps_the_number() -> None:
    ids = [FaceId(i) for i in range(5)]
    previous = {i: GroupId(7) for i in ids}
    assert number_groups([ids[:2], ids[2:]], previous, 8) == [8, 7]


def test_confirmed_faces_of_one_person_in_one_photo_are_not_forbidden() -> None:
    world = World()
    mirror = world.person(2)
    world.change(mirror[1], photo=world.faces[mirror[0]].photo)
    photo, nobody = np.array([world.faces[face].photo for face in mirror]), np.array([NOBODY, NOBODY])
    assert cannot_link(Said(photo, nobody, {}, {}))[0, 1]
    assert not cannot_link(Said(photo, np.array([1, 1]), {}, {}))[0, 1]


def test_an_empty_gallery_gives_an_empty_answer() -> None:
    result = recognise(Gallery((), np.zeros((0, 128), np.float32)), CALIBRATION, {})
    assert (result.groups, result.suggestions) == ({}, {})


def test_vectors_that_do_not_fit_the_faces_are_refused() -> None:
    world = World()
    world.person(3)
    with pytest.raises(ValueError, match="3 faces"):
        recognise(Gallery(world.gallery().faces, np.zeros((2, 128), np.float32)), CALIBRATION, {})


@pytest.mark.parametrize("seed", range(30))
def test_clusters_are_those_of_average_linkage_over_all_faces(seed) -> None:
    random = np.random.default_rng(seed)
    people = random.normal(size=(random.integers(1, 5), 16))
    who = random.integers(0, len(people), 80)
    vectors = people[who] + random.uniform(0.3, 1.5) * random.normal(size=(80, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    never = np.zeros((80, 80), bool)
    never[random.integers(0, 80, 2), random.integers(0, 80, 2)] = random.random() < 0.5
    never = (never | never.T) & ~np.eye(80, dtype=bool)
    distance = np.where(never, NEVER, 1 - vectors @ vectors.T)
    np.fill_diagonal(distance, 0)
    cosine = random.uniform(0.2, 0.7)
    expected = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - cosine, "distance")
    found = average_linkage(vectors, np.arange(80), never, cosine)
    assert len(set(zip(found.tolist(), expected.tolist(), strict=True))) == len(set(found.tolist()))
    assert len(set(found.tolist())) == len(set(expected.tolist()))
