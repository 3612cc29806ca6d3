"""What the neighbour search promises."""

from __future__ import annotations

import numpy as np

from kith.people import PeopleSettings, recognise
from kith.people.index import Neighbours
from kith.people.vectors import snap
from kith.types import FaceId, Gallery
from people_world import CALIBRATION, World

APPROXIMATE = PeopleSettings(exact_up_to=100)


def unit(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    return snap(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def neighbours(vectors: np.ndarray, floor: float, settings: PeopleSettings) -> Neighbours:
    held = Neighbours(vectors.shape[1], floor, settings)
    held.grow(len(vectors) + 10)
    held.add(np.arange(len(vectors)), vectors)
    return held


def found(held: Neighbours, slots: np.ndarray) -> dict[frozenset[int], float]:
    return {
        frozenset((a, b)): c
        for left, right, cosine in held.near(slots)
        for a, b, c in zip(left.tolist(), right.tolist(), cosine.tolist(), strict=True)
    }


def test_all_pairs_at_or_above_the_floor_are_found() -> None:
    vectors = unit(5000)
    rows, columns = np.nonzero(np.triu(vectors @ vectors.T >= 0.5, 1))
    expected = {frozenset((a, b)) for a, b in zip(rows.tolist(), columns.tolist(), strict=True)}
    pairs = found(neighbours(vectors, 0.5, PeopleSettings()), np.arange(5000))
    assert pairs.keys() == expected
    assert all(c == float(vectors[min(p)] @ vectors[max(p)]) for p, c in pairs.items())


def test_what_was_removed_is_nobodys_neighbour() -> None:
    vectors = np.repeat(unit(40), 5, axis=0)
    for settings in (PeopleSettings(), APPROXIMATE):
        held = neighbours(vectors, 0.9, settings)
        held.remove(np.arange(5))
        assert {5, 6, 7, 8, 9} == set().union(*found(held, np.arange(5, 10)))
        held.add(np.arange(2), vectors[5:7])
        assert {0, 1, 5, 6, 7, 8, 9} == set().union(*found(held, np.arange(5, 10)))


def test_above_the_limit_nearly_all_neighbours_are_found_with_their_exact_cosine() -> None:
    people, noise = np.repeat(unit(300), 10, axis=0), 0.9 * unit(3000, seed=1)
    vectors = snap((people + noise) / np.linalg.norm(people + noise, axis=1, keepdims=True))
    slots = np.arange(0, 3000, 10)
    exact = found(neighbours(vectors, 0.5, PeopleSettings()), slots)
    near = found(neighbours(vectors, 0.5, APPROXIMATE), slots)
    assert near.items() <= exact.items()
    assert len(near) >= 0.99 * len(exact)


def test_above_the_limit_the_people_are_the_same() -> None:
    world = World()
    for _ in range(25):
        world.person(8)
    faces = world.gallery()
    exact, approximate = (recognise(faces, CALIBRATION, {}, s).groups for s in (PeopleSettings(), APPROXIMATE))
    assert {FaceId(i): g for i, g in exact.items()} == approximate


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
