"""Other ways to group faces, on the same embeddings, each at its best on the first half of the people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from sklearn.cluster import HDBSCAN

from evaluation.libraries import Library
from evaluation.measures import bcubed
from kith.types import Floats


@dataclass(frozen=True, slots=True)
class Rival:
    """A way to group: `rule(vectors, **settings)` gives a label (N,) for the vectors (N, D).

    A face without a group has a label of its own.
    """

    name: str
    rule: Callable[..., np.ndarray]
    settings: Mapping[str, float]

    def cluster(self, vectors: Floats) -> np.ndarray:
        return self.rule(vectors, **self.settings)


def immich(vectors: Floats, max_distance: float, min_faces: int) -> np.ndarray:
    """Immich's incremental core-point rule: faces one at a time, in the order of the rows.

    A face with `min_faces` within `max_distance` (itself counted) joins the person of the nearest face that has one,
    or founds one; the others wait for a second pass, in which they may only join.
    """
    cosines = vectors @ vectors.T
    near = cosines >= 1 - max_distance
    person = np.full(len(vectors), -1)
    core = near.sum(1) >= min_faces
    for row in [*np.flatnonzero(core), *np.flatnonzero(~core)]:
        owned = np.flatnonzero(near[row] & (person >= 0))
        if len(owned):
            person[row] = person[owned[cosines[row, owned].argmax()]]
        elif core[row]:
            person[row] = person.max() + 1
    return alone(person)


def hdbscan(vectors: Floats, epsilon: float, min_samples: int, min_size: int) -> np.ndarray:
    """HDBSCAN (Campello et al. 2013; scikit-learn) on 1 - cosine, where distances below `epsilon` count as `epsilon`.

    So nothing is split below it, as by `cluster_selection_epsilon`, which fails in scikit-learn 1.9 with numpy 2.4.
    """
    distances = np.maximum(1 - vectors @ vectors.T, epsilon).astype(np.float64)
    np.fill_diagonal(distances, 0)
    model = HDBSCAN(min_size, min_samples, metric="precomputed", copy=False)
    return alone(model.fit_predict(distances))


def alone(labels: np.ndarray) -> np.ndarray:
    """Labels (N,) in which each face that is labelled -1 has a label of its own."""
    found, without = labels.copy(), labels < 0
    found[without] = labels.max() + 1 + np.arange(without.sum())
    return found


def choose(library: Library, same: float) -> tuple[Rival, ...]:
    """Each rival with the settings of the best BCubed F1 in this library; `same` is the cosine to look around."""
    found = []
    for candidates in (_immichs(same), _hdbscans(same)):
        best = max(candidates, key=lambda rival: bcubed(library.people, rival.cluster(library.gallery.vectors)).f1)
        found.append(best)
    return tuple(found)


def _immichs(same: float) -> Iterator[Rival]:
    distances = np.round((1 - same) * np.geomspace(0.6, 1.6, 21), 4).tolist()
    for distance, faces in product(distances, (1, 2, 3)):
        yield Rival("Immich's rule", immich, {"max_distance": distance, "min_faces": faces})


def _hdbscans(same: float) -> Iterator[Rival]:
    distances = np.round((1 - same) * np.array([0, 0.6, 0.8, 1, 1.2]), 4).tolist()
    for epsilon, samples, size in product(distances, (1, 2, 3, 4, 5), (2, 3)):
        yield Rival("HDBSCAN", hdbscan, {"epsilon": epsilon, "min_samples": samples, "min_size": size})
