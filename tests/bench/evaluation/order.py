"""Does it matter in which order photos arrive?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment

from evaluation.libraries import Library
from evaluation.report import Section, percent, table
from evaluation.rivals import Rival
from evaluation.setup import Setup
from kith.people import Recogniser, recognise
from kith.types import Gallery, GroupId, Recognition

ORDERS = 3
NAMED = 3  # faces of each known person


def order(setup: Setup) -> Section:
    library = setup.library(0)
    names = library.some_of(sorted(library.known), NAMED, np.random.default_rng(0))
    gallery = library.told(names)
    at_once = recognise(gallery, setup.calibration, {})
    rows, agreed = [], []
    for seed in range(ORDERS):
        grown = _one_by_one(gallery, Recogniser(setup.calibration), np.random.default_rng(seed))
        same_groups = _partition(grown.groups) == _partition(at_once.groups)
        same_names = grown.suggestions == at_once.suggestions
        agreed.append(same_groups and same_names)
        rows.append(["Kith", seed + 1, "yes" if same_groups else "NO", "yes" if same_names else "NO", ""])
    for rival in setup.rivals:
        for seed in range(ORDERS):
            share = _moved(library, rival, np.random.default_rng(seed))
            rows.append([rival.name, seed + 1, "yes" if share == 0 else "no", "", percent(share, 2)])
    head = ["", "order", "same groups", "same suggestions", "faces that would have to move"]
    text = (
        f"A made library of {len(library.truth)} faces, {NAMED} of each known person named. Kith: the photos one at a "
        "time, in an order drawn at random, against all at once. The rivals know no one at a time: all faces at once "
        "in that order, against the order they were taken in. HDBSCAN starts from nothing for each new photo.\n\n"
        f"{table(head, rows)}"
    )
    return Section("Order", text, found={"order": float(all(agreed))})


def _one_by_one(gallery: Gallery, recogniser: Recogniser, random: np.random.Generator) -> Recognition:
    photos: dict[int, list[int]] = {}
    for row, face in enumerate(gallery.faces):
        photos.setdefault(face.photo, []).append(row)
    for photo in random.permutation(list(photos)).tolist():
        some = photos[photo]
        recogniser.update(Gallery(tuple(gallery.faces[row] for row in some), gallery.vectors[some]))
    return recogniser.recognition


def _partition(groups: Mapping[int, GroupId]) -> set[frozenset[int]]:
    members: dict[GroupId, set[int]] = {}
    for face, group in groups.items():
        members.setdefault(group, set()).add(face)
    return {frozenset(some) for some in members.values()}


def _moved(library: Library, rival: Rival, random: np.random.Generator) -> float:
    """The least share of the faces that must move for the groups to be those of the library's own order."""
    vectors = library.gallery.vectors
    shuffled = random.permutation(len(vectors))
    before, after = rival.cluster(vectors), np.empty(len(vectors), np.int64)
    after[shuffled] = rival.cluster(vectors[shuffled])
    shared = np.zeros((before.max() + 1, after.max() + 1))
    np.add.at(shared, (before, after), 1)
    return float(1 - shared[linear_sum_assignment(shared, maximize=True)].sum() / len(vectors))
