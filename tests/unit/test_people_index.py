"""What the neighbour search promises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from kith.people import PeopleSettings, Recogniser, recognise
from kith.people.index import Neighbours
from kith.people.vectors import snap
from kith.types import FaceId, Gallery, GroupId, Recognition
from people_world import CALIBRATION, World

APPROXIMATE = PeopleSettings(exact_up_to=100)


def unit(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    return snap(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def neighbours(vectors: np.ndarray, floor: float, settings: PeopleSettings) -> Neighbours:
    held = Neighbours(vectors.shape[1], floor, 0.95, settings)
    held.grow(len(vectors) + 10)
    held.add(np.arange(len(vectors)), vectors)
    held.learn(held.unknown())
    return held


def found(held: Neighbours, slots: np.ndarray) -> dict[frozenset[int], float]:
    return {pair: cosine for part in held.near(slots) for pair, cosine in pairs(*part)}


def proposed(held: Neighbours, slots: np.ndarray) -> dict[frozenset[int], float]:
    assert held.proposes()
    return {pair: cosine for part in held.proposed(slots) for pair, cosine in pairs(*part)}


def pairs(left: np.ndarray, right: np.ndarray, cosine: np.ndarray) -> Iterator[tuple[frozenset[int], float]]:
    for a, b, c in zip(left.tolist(), right.tolist(), cosine.tolist(), strict=True):
        yield frozenset((a, b)), c


def parts(recognition: Recognition) -> set[frozenset[FaceId]]:
    members: dict[GroupId, set[FaceId]] = defaultdict(set)
    for face, group in recognition.groups.items():
        members[group].add(face)
    return {frozenset(some) for some in members.values()}


def test_all_pairs_at_or_above_the_floor_are_found() -> None:
    vectors = unit(5000)
    rows, columns = np.nonzero(np.triu(vectors @ vectors.T >= 0.5, 1))
    expected = {frozenset((a, b)) for a, b in zip(rows.tolist(), columns.tolist(), strict=True)}
    pairs = found(neighbours(vectors, 0.5, PeopleSettings()), np.arange(5000))
    assert pairs.keys() == expected
    assert all(c == float(vectors[min(p)] @ vectors[max(p)]) for p, c in pairs.items())


def test_a_few_faces_have_the_neighbours_that_they_have_among_all() -> None:
    held = neighbours(unit(9000), 0.4, PeopleSettings())
    for few in (np.array([7]), np.arange(4090, 4100)):
        some = {pair: cosine for pair, cosine in found(held, np.arange(9000)).items() if pair & set(few.tolist())}
        assert found(held, few) == some
        assert some


def crowded() -> Neighbours:
    """A crowd of 500, of which an index holds the first 101, and the others follow them."""
    crowd = unit(1) + 0.11 * unit(500, seed=1)
    crowd[0] = unit(1)  # in the middle of them, so that as many follow it as may
    vectors = snap(crowd / np.linalg.norm(crowd, axis=1, keepdims=True))
    held = neighbours(vectors[:101], 0.9, APPROXIMATE)
    held.grow(500)
    for slot in range(101, 500):
        held.add(np.array([slot]), vectors[slot][None])
    return held


def test_all_of_a_crowd_are_proposed_though_the_index_holds_only_some() -> None:
    assert set().union(*proposed(crowded(), np.array([300]))) == set(range(500))


def test_those_who_followed_somebody_that_was_removed_are_learned_anew_and_found() -> None:
    held = crowded()
    for gone in (50, 60):
        held.remove(np.flatnonzero(held.held[:gone]))
        held.learn(held.unknown())
        assert set().union(*proposed(held, np.array([450]))) == set(range(gone, 500))


def test_what_was_removed_is_nobodys_neighbour() -> None:
    vectors = np.repeat(unit(40), 5, axis=0)
    for ask in (found, proposed):
        held = neighbours(vectors, 0.9, APPROXIMATE)
        held.remove(np.arange(5))
        assert {5, 6, 7, 8, 9} == set().union(*ask(held, np.arange(5, 10)))
        held.add(np.arange(2), vectors[5:7])
        assert {0, 1, 5, 6, 7, 8, 9} == set().union(*ask(held, np.arange(5, 10)))


def test_the_index_proposes_nearly_all_neighbours_with_their_exact_cosine() -> None:
    people, noise = np.repeat(unit(300), 10, axis=0), 0.9 * unit(3000, seed=1)
    vectors = snap((people + noise) / np.linalg.norm(people + noise, axis=1, keepdims=True))
    slots = np.arange(0, 3000, 10)
    held = neighbours(vectors, 0.5, APPROXIMATE)
    exact, near = found(held, slots), proposed(held, slots)
    assert near.items() <= exact.items()
    assert len(near) >= 0.99 * len(exact)


def test_nothing_is_proposed_before_the_index_knows_all_or_where_it_isnt_worth_it() -> None:
    vectors = unit(150)
    held = neighbours(vectors[:110], 0.5, APPROXIMATE)
    assert held.proposes()
    held.grow(2000)
    held.add(np.arange(110, 1111), unit(1001, seed=1))
    assert not held.proposes()
    assert held.unknown().tolist() == list(range(110, 1111))
    held.remove(np.arange(100, 1111))
    assert not held.proposes()
    assert len(held.unknown()) == 0


def test_what_the_index_missed_is_made_up_for() -> None:
    world = World()
    for _ in range(6):
        world.person(8)
    blind = PeopleSettings(exact_up_to=10, neighbours=0)
    recogniser = Recogniser(CALIBRATION, blind)
    for n, i in enumerate(np.random.default_rng(0).permutation(len(world.faces)).tolist()):
        recogniser.update(Gallery((world.faces[i],), world.vectors[i][None]))
        if n == 20:
            recogniser.tend(100)
    exact = recognise(world.gallery(), CALIBRATION, {})
    assert parts(recogniser.recognition) != parts(exact)
    told: dict[FaceId, GroupId | None] = dict(recogniser.recognition.groups)
    while recogniser.waiting():
        told |= recogniser.tend(5).groups
    assert parts(recogniser.recognition) == parts(exact)
    assert {f: g for f, g in told.items() if g is not None} == recogniser.recognition.groups


def test_a_cosine_is_exact_however_the_work_is_divided() -> None:
    vectors = unit(300)
    whole = vectors @ vectors.T
    for rows in (slice(0, 1), slice(3, 20), slice(0, 300, 7)):
        assert (vectors[rows] @ vectors.T == whole[rows]).all()
        assert (vectors[rows, ::-1] @ vectors.T[::-1] == whole[rows]).all()


def test_the_grid_moves_no_cosine_by_a_thousandth() -> None:
    vectors = np.random.default_rng(3).normal(size=(400, 512))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.abs(snap(vectors) @ snap(vectors).T - vectors @ vectors.T).max() < 1e-3


def test_a_gallery_may_be_empty() -> None:
    assert recognise(Gallery((), np.zeros((0, 64), np.float32)), CALIBRATION, {}).groups == {}
