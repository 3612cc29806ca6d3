"""What the neighbour search promises."""

from __future__ import annotations

import numpy as np
import pytest

from kith.people.index import ExactIndex, HnswRows, Index, index_of


def unit(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", [ExactIndex, HnswRows])
def test_neighbours_come_best_first_and_a_row_finds_itself(kind: type) -> None:
    vectors = unit(500)
    index: Index = kind(vectors)
    rows, cosines = index.nearest(vectors, 5)
    assert rows.shape == cosines.shape == (500, 5)
    assert (rows[:, 0] == np.arange(500)).all()
    assert np.allclose(cosines[:, 0], 1, atol=2e-3)
    assert (np.diff(cosines, axis=1) <= 1e-6).all()


@pytest.mark.parametrize("kind", [ExactIndex, HnswRows])
def test_asking_for_more_than_there_is_gives_what_there_is(kind: type) -> None:
    rows, cosines = kind(unit(3)).nearest(unit(2, seed=1), 10)
    assert rows.shape == cosines.shape == (2, 3)
    assert kind(unit(0)).nearest(unit(2), 10)[0].shape == (2, 0)


def test_the_approximate_index_finds_nearly_all_that_the_exact_one_finds() -> None:
    people, noise = np.repeat(unit(300), 10, axis=0), unit(3000, seed=1)
    vectors = (people + noise) / np.linalg.norm(people + noise, axis=1, keepdims=True)
    probes = vectors[::30]
    exact, near = ExactIndex(vectors).nearest(probes, 10)[0], HnswRows(vectors).nearest(probes, 10)[0]
    found = [len(set(a) & set(b)) for a, b in zip(exact.tolist(), near.tolist(), strict=True)]
    assert np.mean(found) >= 9.5


def test_the_approximate_index_answers_the_same_every_time() -> None:
    vectors = unit(2000)
    first, second = HnswRows(vectors).nearest(vectors, 8), HnswRows(vectors).nearest(vectors, 8)
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()


def test_equal_similarities_are_ordered_by_row() -> None:
    vectors = np.repeat(unit(1), 6, axis=0)
    assert ExactIndex(vectors).nearest(vectors[:1], 6)[0].tolist() == [[0, 1, 2, 3, 4, 5]]


def test_small_galleries_are_searched_exactly() -> None:
    assert isinstance(index_of(unit(10), 10), ExactIndex)
    assert isinstance(index_of(unit(11), 10), HnswRows)
