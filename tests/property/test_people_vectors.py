"""What a search among vectors in 8 bits promises."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kith.people.vectors import Directions, snap
from laws import tried

LENGTHS = st.sampled_from([2, 3, 16, 128, 512])


def drawn(count: int, length: int, spikes: int, seed: int) -> np.ndarray:
    """Unit vectors, the more `spikes` the fewer their large components."""
    vectors = np.random.default_rng(seed).normal(size=(count, length)) ** spikes
    return snap(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def missed(held: Directions, queries: np.ndarray, floor: float) -> set[tuple[int, int]]:
    rows, others = held.coarsely_near(queries, floor)
    every = np.nonzero(queries.astype(np.float64) @ held[:].T.astype(np.float64) >= floor)
    return set(zip(*(x.tolist() for x in every), strict=True)) - set(zip(rows.tolist(), others.tolist(), strict=True))


@tried(60)
@given(LENGTHS, st.sampled_from([1, 3, 9]), st.floats(0.05, 0.99), st.floats(0.1, 1), st.integers(0, 9))
def test_no_pair_is_missed(length: int, spikes: int, floor: float, scale: float, seed: int) -> None:
    held = Directions(length)
    held.grow(300)
    held[np.arange(300)] = drawn(300, length, spikes, seed)
    queries = drawn(70, length, spikes, seed + 100)
    queries[:5] = held[:5]
    assert not missed(held, queries * np.float32(scale), floor)


@tried(20)
@given(LENGTHS, st.lists(st.integers(0, 9999), min_size=1, max_size=20), st.integers(4000, 9000))
def test_vectors_set_since_the_last_search_are_found(length: int, rows: list[int], size: int) -> None:
    held = Directions(length)
    held.grow(size)
    held[np.arange(size)] = drawn(size, length, 1, 0)
    held.coarsely_near(held[:1], 0.9)
    held.grow(10_000)
    held[rows] = drawn(len(rows), length, 1, 1)
    assert not missed(held, held[rows], 0.9)


def test_several_threads_find_what_one_does() -> None:
    held = Directions(16)
    held.grow(150_000)
    held[np.arange(150_000)] = drawn(150_000, 16, 1, 0)
    queries = drawn(3, 16, 1, 1)
    assert not missed(held, queries, 0.8)


def test_few_pairs_are_found_that_are_less_alike() -> None:
    held = Directions(128)
    held.grow(50_000)
    held[np.arange(50_000)] = drawn(50_000, 128, 1, 0)
    queries = drawn(20, 128, 1, 1)
    rows, others = held.coarsely_near(queries, 0.35)
    assert (np.einsum("ij,ij->i", queries[rows], held[others]) >= 0.28).all()
