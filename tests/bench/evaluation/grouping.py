"""Which faces are one person, before anybody said a name?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from evaluation.faces import false_match_cosines
from evaluation.libraries import Library
from evaluation.measures import BCubed, bcubed, interval
from evaluation.report import Section, canvas, line, table
from evaluation.rivals import Rival
from evaluation.setup import Setup
from kith.people import PeopleSettings, Recogniser
from kith.types import Calibration

STRICTNESS = (-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1)


def kith_groups(library: Library, calibration: Calibration, strictness: float = 0.0) -> np.ndarray:
    """Kith's cluster (N,) of each face."""
    recogniser = Recogniser(calibration, PeopleSettings(strictness=strictness))
    recogniser.recognise(library.gallery)
    groups = np.zeros(len(library.truth), np.int64)
    for number, cluster in enumerate(recogniser.clusters()):
        groups[list(cluster)] = number
    return groups


def grouping(setup: Setup) -> Section:
    library = setup.second_crowd
    own = replace(setup.calibration, cosine_fmr=false_match_cosines(setup.first))
    kith = bcubed(library.people, kith_groups(library, setup.calibration))
    rows = [("Kith, as it ships", "", kith), ("Kith, cosines of the first half", "", _of(library, own))]
    for rival in setup.rivals:
        said = ", ".join(f"{name} {value:g}" for name, value in rival.settings.items())
        rows.append((rival.name, said, bcubed(library.people, rival.cluster(library.gallery.vectors))))
    head = ["", "chosen on the first half", "precision", "recall", "F1", "95 % interval", "F1 less Kith's"]
    cells = [
        [
            name,
            said,
            *(f"{x:.4f}" for x in (b.precision, b.recall, b.f1)),
            "{:.3f} to {:.3f}".format(*interval(b.drawn)),
            "" if b is kith else "{:+.4f} ({:+.3f} to {:+.3f})".format(b.f1 - kith.f1, *interval(b.drawn - kith.drawn)),
        ]
        for name, said, b in rows
    ]
    count = len(set(library.truth))
    text = (
        f"BCubed over {len(library.truth):,} faces of {count:,} people ({len(library.known)} with five pictures or "
        f"more, the rest strangers with one), each face in a photo of its own. Intervals: other draws of the people. "
        f"The rivals' settings are the best of a grid on the first half.\n\n{table(head, cells)}"
    )
    return Section("Grouping", text, {"grouping": _plot(setup)}, {"grouping f1": kith.f1})


def _of(library: Library, calibration: Calibration) -> BCubed:
    return bcubed(library.people, kith_groups(library, calibration))


def _plot(setup: Setup) -> Figure:
    """Precision and recall of each algorithm as its threshold moves."""
    figure, (axes,) = canvas(1, 6.5, 4.8)
    library = setup.second_crowd
    curves = [("Kith", [_strict(library, setup, s) for s in STRICTNESS], STRICTNESS.index(0))]
    for rival in setup.rivals:
        moved = [_moved(library, rival, factor) for factor in np.geomspace(0.7, 1.4, 9)]
        curves.append((rival.name, moved, 4))
    for number, (name, points, at) in enumerate(curves):
        recall, precision = [100 * p.recall for p in points], [100 * p.precision for p in points]
        axes.plot(recall, precision, label=name, **line(number, markers=True))
        axes.plot(recall[at], precision[at], marker="o", markersize=12, fillstyle="none", color=line(number)["color"])
    axes.set(xlabel="BCubed recall (%)", ylabel="BCubed precision (%)", xlim=(79.5, 100.5), ylim=(79.5, 100.5))
    axes.set_title("Grouping as the threshold moves; ringed: as used")
    axes.legend(loc="lower left")
    return figure


def _strict(library: Library, setup: Setup, strictness: float) -> BCubed:
    return bcubed(library.people, kith_groups(library, setup.calibration, strictness))


def _moved(library: Library, rival: Rival, factor: float) -> BCubed:
    """The rival with its distance so many times as wide."""
    name = "max_distance" if "max_distance" in rival.settings else "epsilon"
    settings = {**rival.settings, name: rival.settings[name] * factor}
    return bcubed(library.people, replace(rival, settings=settings).cluster(library.gallery.vectors))
