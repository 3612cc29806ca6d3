"""Fit the two logistic models of a model pack and print its [calibration] tables.

    python -m evaluation.fit FACES PACK [--out build/eval] [--libraries 24]

Libraries of one half of the people are named step by step (`half_named`); at each step every unnamed face gives its
best candidates, with features and truth. Models are fitted on the first half and judged on the second, by the
probability of what would be shown. Cosines at false match rates are those of all people.

The cohort that is printed is made of the first half's strangers; while weights are fitted, one of the second half's
stands in, because strangers of the libraries must not be in it. The weight of `clusters` is not fitted but -1: with
twice as many clusters, twice as many are like somebody by chance. Fitted to made libraries and large crowds alone it
comes near -2, which is far too sure in smaller crowds: it then stands for what else differs between the two.
"""

from __future__ import annotations

import argparse
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.cluster import KMeans

from evaluation.faces import Faces, false_match_cosines, load
from evaluation.libraries import Library, half_named
from kith.people import PeopleSettings, Recogniser
from kith.people.calibration import CLASSIFIER_FEATURES, GROUP_FEATURES
from kith.types import Calibration, Gallery

SETTINGS = PeopleSettings()
UNMEASURED = {"years"}  # the dates of a made library are made up: nothing is to be learned from them
GIVEN = {"clusters": -1.0}
SPEAKS = dict.fromkeys(("nearest", "centroid", "margin", "group_nearest", "group_centroid", "group_margin"), 1)
SPEAKS |= dict.fromkeys(("face_cohort", "person_cohort", "group_cohort", "people"), -1)
SPEAKS |= {"group_named": 1, "group_other": -1}
COHORT = 128  # directions; more make little difference
HELD_BACK = 10.0  # how much weights of standardised features are kept small
CANDIDATES = 2  # people per face that teach: the best and the runner-up
LIBRARIES = 24  # made ones; a third as many crowds, and as many of fewer people


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


def gather(faces: Faces, calibration: Calibration, libraries: int) -> tuple[np.ndarray, ...]:
    """Features (N, F), truth (N,) and rank (N,) of many libraries at many stages."""
    found = []
    for _, library, gallery in half_named(faces, calibration, libraries, SETTINGS):
        found += list(examples(library, gallery, calibration))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def fitted(faces: Faces, others: Faces, cosines: Mapping[str, float], libraries: int) -> Calibration:
    """A calibration learned from `faces`; of `others` only the strangers' cohort stands in while it learns."""
    calibration = Calibration(cosines, {}, {}, cohort=make_cohort(others).astype(np.float32))
    for _ in range(2):  # the second round learns from the candidates and questions of the first
        features, right, _ = gather(faces, calibration, libraries)
        classifier, group = (fit(features, right, names) for names in (CLASSIFIER_FEATURES, GROUP_FEATURES))
        calibration = replace(calibration, classifier=classifier, group=group)
    return replace(calibration, cohort=make_cohort(faces).astype(np.float32))


def fit(features: np.ndarray, right: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    """Logistic weights over the raw features by name, "bias" included.

    A feature that speaks for a person never gets a weight against them, nor the other way round: it is left out, so
    that nothing absurd follows where a library is unlike those simulated.
    """
    given = sum(weight * features[:, GROUP_FEATURES.index(n)] for n, weight in GIVEN.items())
    names = tuple(n for n in names if n not in {*UNMEASURED, *GIVEN})
    while True:
        used = features[:, [GROUP_FEATURES.index(n) for n in names]]
        mean, spread = used.mean(0), np.maximum(used.std(0), 1e-9)
        *found, level = _logistic((used - mean) / spread, right, given)
        absurd = [w * SPEAKS.get(n, 0) for n, w in zip(names, found, strict=True)]
        if min(absurd) >= 0:
            break
        names = tuple(n for i, n in enumerate(names) if i != int(np.argmin(absurd)))
    weights = np.array(found) / spread
    bias = float(level - weights @ mean)
    return {"bias": round(bias, 4)} | {n: round(float(w), 4) for n, w in zip(names, weights, strict=True)} | GIVEN


def _logistic(features: np.ndarray, right: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Weights (F,) and bias of a logistic model with an L2 penalty, on top of log odds that are `given` (N,)."""

    def loss(line: np.ndarray) -> tuple[float, np.ndarray]:
        odds = features @ line[:-1] + line[-1] + given
        wrong = expit(odds) - right
        cost = np.logaddexp(0, odds).sum() - odds[right].sum() + HELD_BACK * (line[:-1] ** 2).sum() / 2
        return cost, np.append(features.T @ wrong + HELD_BACK * line[:-1], wrong.sum())

    return minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B").x


def make_cohort(faces: Faces) -> np.ndarray:
    """Directions (K, D) int8 about which strangers' faces lie: centres of K-means over people with one picture."""
    centres = KMeans(COHORT, n_init=4, random_state=0).fit(faces.vectors[np.concatenate(faces.singles())])
    return np.rint(127 * centres.cluster_centers_ / np.abs(centres.cluster_centers_).max(1, keepdims=True)).astype(
        np.int8
    )


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
    parser.add_argument("faces", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--libraries", type=int, default=LIBRARIES)
    options = parser.parse_args()
    _, data = load(options.faces, options.pack, options.out)
    first, second = data.half(0), data.half(1)
    calibration = fitted(first, second, false_match_cosines(data.everybody()), options.libraries)
    other, other_right, other_rank = gather(second, calibration, options.libraries)
    print("# fitted on one half of the people, judged on the other half:")
    for kind in ("classifier", "group"):
        shown = other_rank == 0
        print(f"# {kind}\n{reliability(predicted(getattr(calibration, kind), other[shown]), other_right[shown])}")
    print("[calibration]\nmeasured = true\ncohort = [")
    for line in calibration.cohort:
        print(f'  "{b64encode(line.astype(np.int8).tobytes()).decode()}",')
    print("]")
    for name in ("cosine_fmr", "classifier", "group"):
        print(f"\n[calibration.{name}]")
        for key, value in getattr(calibration, name).items():
            print(f'"{key}" = {value}' if key[0].isdigit() else f"{key} = {value}")


if __name__ == "__main__":
    main()
