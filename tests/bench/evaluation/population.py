"""Faces of any number of made people, as alike to one another as a data set's: what search and growth are measured on.

A made person is drawn from the distribution of real people's means, a sixth of it taken from one real person; a made
face is a person plus what real faces differ by from their person. Both are normal, with the covariances of the data
set (between people: 40 % of it evened out), and faces differ by as unequal amounts as real ones. People have as many
faces as in an archive: half of them one, few of them thousands (a Pareto distribution).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluation.faces import DataSet
from kith.people.vectors import snap, unit

LEAN, EVEN, UNEQUAL, SPREAD = 0.15, 0.4, 3.0, 1.1
ENOUGH = 3  # pictures from which a person's mean and differences are learned
MOST = 5000  # faces of one made person


Draw = Callable[[int, np.random.Generator], np.ndarray]


@dataclass(frozen=True, eq=False)
class Population:
    """Unit `vectors` (N, D) on the grid as float16, which holds them exactly, and who each is (N,)."""

    vectors: np.ndarray
    people: np.ndarray


def populate(data: DataSet, count: int, seed: int = 0) -> Population:
    """`count` made faces in random order."""
    random = np.random.default_rng(seed)
    people = random.permutation(np.repeat(np.arange(count), _sizes(count, random))[:count])
    person, face = _learned(data)
    centres = person(1 + int(people.max()), random)
    vectors = np.empty((count, centres.shape[1]), np.float16)
    for start in range(0, count, 50_000):
        some = centres[people[start : start + 50_000]]
        vectors[start : start + 50_000] = snap(unit(some + face(len(some), random)))
    return Population(vectors, people)


def _sizes(count: int, random: np.random.Generator) -> np.ndarray:
    """Faces of each of `count` people, the last of whom aren't needed."""
    return np.minimum(1 + random.pareto(0.9, size=count), min(MOST, max(1, count // 20))).astype(np.int64)


def _learned(data: DataSet) -> tuple[Draw, Draw]:
    """Functions that draw people's means (P, D) and faces' differences from them (N, D)."""
    vectors = data.vectors.astype(np.float64)
    _, number, size = np.unique(data.labels, return_inverse=True, return_counts=True)
    means = np.zeros((len(size), vectors.shape[1]))
    np.add.at(means, number, vectors)
    means /= size[:, None]
    often = size[number] >= ENOUGH
    counts = size[number][often][:, None]
    apart = (vectors - means[number])[often] * np.sqrt(counts / (counts - 1))
    within = apart.T @ apart / len(apart)
    between = np.cov(vectors.T) - within
    between = (1 - EVEN) * between + EVEN * np.trace(between) / len(between) * np.eye(len(between))
    middle, known = vectors.mean(0), means[size > ENOUGH] - vectors.mean(0)
    amount = np.linalg.norm(apart, axis=1) ** UNEQUAL
    amount *= SPREAD / np.sqrt((amount**2).mean())
    of_people, of_faces = _root(between), _root(within)

    def person(count: int, random: np.random.Generator) -> np.ndarray:
        own = random.normal(size=(count, len(middle))) @ of_people.T
        real = known[random.integers(0, len(known), count)]
        return middle + np.sqrt(1 - LEAN) * own + np.sqrt(LEAN) * real

    def face(count: int, random: np.random.Generator) -> np.ndarray:
        drawn = random.normal(size=(count, len(middle))) @ of_faces.T
        return drawn * random.choice(amount, count)[:, None]

    return person, face


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix that makes normal numbers have this covariance."""
    values, directions = np.linalg.eigh(covariance)
    return np.asarray(directions * np.sqrt(np.maximum(values, 0)))
