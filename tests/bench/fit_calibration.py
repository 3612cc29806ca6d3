"""Fit the two logistic models of a model pack and print its [calibration] tables.

    fit_calibration.py EMBEDDINGS.npz [--libraries 24]

Simulated libraries (simulate_library.py; every picture used once) of one half of the people are named step by step,
by whole groups and by single faces; galleries full of strangers are named a few faces at a time; at each step every
unnamed face gives its best candidates, with features and truth. The models are fitted on half 0 and judged on half 1,
by the probability of what would be shown. Needs scikit-learn, which Kith itself doesn't.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from measure_people import flat_gallery
from simulate_library import Faces, Library, answer, make_library
from sklearn.linear_model import LogisticRegression

from kith.people import PeopleSettings, Recogniser, review
from kith.people.calibration import CLASSIFIER_FEATURES, GROUP_FEATURES
from kith.types import Calibration, Gallery, PersonId

SETTINGS = PeopleSettings()
UNMEASURED = {"years"}  # the dates of a simulated library are made up: nothing is to be learned from them
FLAT = 3  # of so many simulated libraries one comes with a gallery full of strangers
SPEAKS = dict.fromkeys(("nearest", "centroid", "margin"), 1) | {"crowd": -1, "group_named": 1, "group_other": -1}
SPEAKS |= dict.fromkeys(("group_nearest", "group_centroid", "group_margin"), 1)
CANDIDATES = 2  # people per face that teach: the best and the runner-up


def cosines_at(vectors: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Cosine at each false match rate, over all pairs of different people, at most ten faces each."""
    people = np.unique(labels, return_inverse=True)[1]
    rows = np.concatenate([np.flatnonzero(people == p)[:10] for p in range(people.max() + 1)])
    vectors, people = vectors[rows], people[rows]
    edges = np.linspace(-1, 1, 40001)
    counts = np.zeros(40000)
    for i in range(0, len(rows), 1000):
        others = np.arange(len(rows)) > np.arange(i, min(i + 1000, len(rows)))[:, None]
        pairs = others & (people[i : i + 1000, None] != people)
        counts += np.histogram((vectors[i : i + 1000] @ vectors.T)[pairs], edges)[0]
    beyond = 1 - np.cumsum(counts) / counts.sum()
    return {f"1e-{n}": round(float(edges[np.argmax(beyond <= 10.0**-n) + 1]), 4) for n in (3, 4, 5)}


def states(library: Library, calibration: Calibration, seed: int) -> Iterator[Gallery]:
    """The library on its way: named by groups, as `review` asks, and by a few faces of some people."""
    random = np.random.default_rng(seed)
    gallery = library.gallery
    steps = set(np.unique(np.geomspace(2, 40, 6).astype(int)).tolist())
    recogniser = Recogniser(calibration, SETTINGS)
    for step in range(max(steps) + 1):
        if step in steps:
            yield gallery
        questions = review(gallery, recogniser.recognise(gallery))
        if not questions:
            break
        gallery = answer(library, gallery, questions[0])
    truth = np.array(library.truth)
    for labels in (1, 1, 2, 3, 5, 10):
        people = [p for p in sorted(library.known) if random.random() < 0.7]
        chosen = {int(i) for p in people for i in random.permutation(np.flatnonzero(truth == p))[:labels]}
        faces = [replace(f, person=library.truth[f.id]) if f.id in chosen else f for f in library.gallery.faces]
        yield Gallery(tuple(faces), library.gallery.vectors)


def examples(library: Library, gallery: Gallery, calibration: Calibration) -> Iterator[tuple[np.ndarray, ...]]:
    """Features (n, F), truth (n,), rank (n,) of the best candidates of all unnamed faces."""
    recogniser = Recogniser(calibration, SETTINGS)
    recogniser.recognise(gallery)
    unnamed = [f.id for f in gallery.faces if f.person is None and not f.ignored]
    people, pairs = recogniser.candidates(unnamed)
    if not len(pairs.probe):
        return
    order = np.lexsort((-pairs.group, pairs.probe))
    first = np.searchsorted(pairs.probe[order], pairs.probe[order])
    rank = np.arange(len(order)) - first
    order, rank = order[rank < CANDIDATES], rank[rank < CANDIDATES]
    features = np.stack([pairs.features[name][order] for name in GROUP_FEATURES], axis=1)
    right = [library.truth[unnamed[pairs.probe[i]]] == people.ids[pairs.person[i]] for i in order.tolist()]
    yield features, np.array(right, bool), rank


def crowds(faces: Faces, seed: int) -> Iterator[tuple[Library, Gallery]]:
    """All people of the half with many strangers among them (measure_people.py), a few faces of some people named."""
    random = np.random.default_rng(seed)
    gallery, truth = flat_gallery(faces, seed)
    people = tuple(PersonId(int(p) + 1) for p in truth)
    often = np.flatnonzero(np.bincount(truth) >= 5)
    library = Library(gallery, people, frozenset(PersonId(int(p) + 1) for p in often))
    for labels in (1, 1, 2, 3, 5):
        known = random.permutation(often)[: int(random.integers(30, len(often)))]
        chosen = {int(i) for p in known for i in random.permutation(np.flatnonzero(truth == p))[:labels]}
        named = [replace(f, person=people[f.id]) if f.id in chosen else f for f in gallery.faces]
        yield library, Gallery(tuple(named), gallery.vectors)


def gather(faces: Faces, calibration: Calibration, libraries: int) -> tuple[np.ndarray, ...]:
    found = []
    for seed in range(libraries):
        random = np.random.default_rng(seed)
        shares = [(60, 25, 15), (40, 20, 40), (30, 30, 40)][seed % 3]
        library = make_library(
            faces,
            seed,
            photos=int(random.integers(150, 500)),
            family=int(random.integers(3, 10)),
            friends=int(random.integers(5, 40)),
            shares=shares,
            once=True,
        )
        for gallery in states(library, calibration, seed):
            found += list(examples(library, gallery, calibration))
    for seed in range(libraries // FLAT):
        for library, gallery in crowds(faces, seed):
            found += list(examples(library, gallery, calibration))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def fit(features: np.ndarray, right: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    """Logistic weights over the raw features by name, "bias" included.

    A feature that speaks for a person never gets a weight against them, nor the other way round: it is left out, so
    that nothing absurd follows where a library is unlike those simulated.
    """
    names = tuple(n for n in names if n not in UNMEASURED)
    while True:
        used = features[:, [GROUP_FEATURES.index(n) for n in names]]
        mean, spread = used.mean(0), np.maximum(used.std(0), 1e-9)
        model = LogisticRegression(C=0.1, max_iter=2000).fit((used - mean) / spread, right)
        weights = model.coef_[0] / spread
        absurd = [w * SPEAKS.get(n, 0) for n, w in zip(names, model.coef_[0], strict=True)]
        if min(absurd) >= 0:
            break
        names = tuple(n for i, n in enumerate(names) if i != int(np.argmin(absurd)))
    bias = float(model.intercept_[0] - weights @ mean)
    return {"bias": round(bias, 4)} | {n: round(float(w), 4) for n, w in zip(names, weights, strict=True)}


def predicted(weights: dict[str, float], features: np.ndarray) -> np.ndarray:
    total = sum(w * features[:, GROUP_FEATURES.index(n)] for n, w in weights.items() if n != "bias")
    return 1 / (1 + np.exp(-(total + weights["bias"])))


def reliability(p: np.ndarray, right: np.ndarray) -> str:
    lines = []
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1 if low < 0.85 else p <= 1)
        if inside.any():
            lines.append(
                f"#   {low:.1f}: {inside.sum():6} shown, said {p[inside].mean():.3f}, was {right[inside].mean():.3f}"
            )
    for cut in (0.98, 0.99, 0.995, 0.998):
        sure = p >= cut
        lines.append(
            f"#   p >= {cut}: precision {right[sure].mean():.4f}, recall {(right & sure).sum() / right.sum():.4f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("--libraries", type=int, default=24)
    options = parser.parse_args()
    with np.load(options.embeddings) as data:
        vectors = data["emb"] / np.linalg.norm(data["emb"], axis=1, keepdims=True)
        cosines = cosines_at(vectors, data["labels"])
    halves = [Faces.load(options.embeddings, half, cosines["1e-3"]) for half in (0, 1)]
    calibration = Calibration(cosines, {}, {})
    for _ in range(2):  # the second round learns from the candidates and questions of the first
        features, right, _ = gather(halves[0], calibration, options.libraries)
        calibration = Calibration(
            cosines, fit(features, right, CLASSIFIER_FEATURES), fit(features, right, GROUP_FEATURES)
        )
    other, other_right, other_rank = gather(halves[1], calibration, options.libraries)
    print(f"# fitted on {len(right)} examples of one half of the people, judged on the other half:")
    for kind in ("classifier", "group"):
        shown = other_rank == 0
        print(f"# {kind}\n{reliability(predicted(getattr(calibration, kind), other[shown]), other_right[shown])}")
    print("[calibration]\nmeasured = true")
    for name in ("cosine_fmr", "classifier", "group"):
        print(f"\n[calibration.{name}]")
        for key, value in getattr(calibration, name).items():
            print(f'"{key}" = {value}' if key[0].isdigit() else f"{key} = {value}")


if __name__ == "__main__":
    main()
