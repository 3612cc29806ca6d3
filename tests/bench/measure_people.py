"""Grouping and one-label matching on a folder-per-person data set.

    measure_people.py EMBEDDINGS.npz CALIBRATION.toml [--half 1]

The gallery: all people of one half with five pictures or more (60 at most each) and 1,000 strangers, one face each,
every face in a photo of its own. Figures: BCubed precision, recall, F1 of the groups; with 1, 2, 3 labelled faces of
each of 50 people the share of their other faces that get the right name at 99 % precision.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from simulate_library import Faces, bcubed, calibration_of

from kith.people import PeopleSettings, Recogniser, recognise
from kith.types import Calibration, Evidence, FaceId, Gallery, PersonId, PhotoId


def flat_gallery(faces: Faces, seed: int) -> tuple[Gallery, np.ndarray]:
    """Faces in random order, each in its own photo, and who they are (N,)."""
    random = np.random.default_rng(seed)
    regulars = [random.permutation(rows)[:60] for rows in faces.of.values() if len(rows) >= 5]
    singles = [rows for rows in faces.of.values() if len(rows) == 1]
    strangers = [singles[i] for i in random.permutation(len(singles))[:1000]]
    people = [*regulars, *strangers]
    rows, truth = np.concatenate(people), np.repeat(np.arange(len(people)), [len(p) for p in people])
    order = random.permutation(len(rows))
    evidence = tuple(
        Evidence(FaceId(i), PhotoId(i), random.bytes(8), None, float(faces.quality[row]))
        for i, row in enumerate(rows[order])
    )
    return Gallery(evidence, faces.vectors[rows[order]]), truth[order]


def grouping(gallery: Gallery, truth: np.ndarray, calibration: Calibration) -> tuple[float, float, float]:
    recogniser = Recogniser(calibration)
    recogniser.recognise(gallery)
    groups = np.zeros(len(truth), np.int64)
    for number, cluster in enumerate(recogniser.clusters()):
        groups[list(cluster)] = number
    return bcubed(truth, groups)


def recall(gallery: Gallery, truth: np.ndarray, calibration: Calibration, labels: int, seed: int) -> float:
    """Share of the known people's unlabelled faces named right, at the cut where 99 % of all names are right."""
    random = np.random.default_rng(seed)
    sizes = np.bincount(truth)
    known = random.permutation(np.flatnonzero(sizes >= 5))[:50]
    labelled = {int(i) for p in known for i in random.permutation(np.flatnonzero(truth == p))[:labels]}
    faces = tuple(
        replace(f, person=PersonId(int(truth[i]))) if i in labelled else f for i, f in enumerate(gallery.faces)
    )
    settings = PeopleSettings(suggest_above=1e-4)
    suggestions = recognise(Gallery(faces, gallery.vectors), calibration, {}, settings).suggestions
    sure = np.array([s.probability_group for s in suggestions.values()])
    right = np.array([s.person == truth[f] for f, s in suggestions.items()])
    order = np.argsort(-sure, kind="stable")
    found = np.cumsum(right[order])
    good = np.flatnonzero(found / np.arange(1, len(order) + 1) >= 0.99)
    return float(found[good[-1]] / (np.isin(truth, known).sum() - len(labelled))) if len(good) else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("--half", type=int, default=1)
    options = parser.parse_args()
    calibration = calibration_of(options.calibration)
    faces = Faces.load(options.embeddings, options.half, calibration.cosine_fmr["1e-3"])
    gallery, truth = flat_gallery(faces, 0)
    started = time.perf_counter()
    print(f"{len(truth)} faces of {truth.max() + 1} people")
    print("groups: BCubed precision {:.4f}, recall {:.4f}, F1 {:.4f}".format(*grouping(gallery, truth, calibration)))
    print(f"        in {time.perf_counter() - started:.1f} s")
    for labels in (1, 2, 3):
        found = [recall(gallery, truth, calibration, labels, seed) for seed in range(6)]
        print(f"{labels} labelled: recall at 99 % precision {np.mean(found):.4f}")


if __name__ == "__main__":
    main()
