"""Are two faces one person? The embedder alone: receiver operating characteristic over all pairs of faces."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from evaluation.faces import Faces, cosine_at, false_match_cosines, pairs
from evaluation.measures import DRAWS, interval
from evaluation.report import Section, between, canvas, line, percent, table
from evaluation.setup import Setup

RATES = (1e-3, 1e-4, 1e-5)
SHOWN = 5  # pairs of "different" people most alike: often mistakes of the data set


def verification(setup: Setup) -> Section:
    same_rows, same, other_rows, other = pairs(setup.second)
    chosen = false_match_cosines(setup.first)
    rows = []
    found = {}
    for rate in RATES:
        name = f"1e-{round(-np.log10(rate))}"
        cosine = cosine_at(other, rate)
        found[f"tar {name}"] = float((same >= cosine).mean())
        rows.append(
            [
                name,
                f"{cosine:.3f}",
                percent(found[f"tar {name}"]),
                between(*interval(_drawn(setup, same_rows, same >= cosine))),
                f"{chosen[name]:.3f}",
                f"{(other >= chosen[name]).mean():.1e}",
                percent((same >= chosen[name]).mean()),
                f"{setup.calibration.cosine_fmr[name]:.3f}",
            ]
        )
    head = ["false match rate", "cosine", "true accept rate", "95 % interval"]
    head += ["cosine of the first half", "false match rate there", "true accept rate there", "cosine in the pack"]
    paths = setup.data.paths
    alike = [f"- {paths[a]} and {paths[b]}: {c:.3f}" for (a, b), c in _most_alike(other_rows, other)]
    text = (
        f"{len(same):,} pairs of faces of one person, {len(other):,} of two, at most ten faces of each. "
        f"Intervals: other draws of the people.\n\n{table(head, rows)}\n"
        f"The pairs of two people that are most alike; in a data set from the web some are mistakes:\n\n"
        + "\n".join(alike)
    )
    return Section("Verification", text, {"verification": _plot(setup, same, other)}, found)


def _drawn(setup: Setup, rows: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """True accept rates (DRAWS,) of other draws of the people."""
    people, person = np.unique(setup.data.labels[rows[:, 0]], return_inverse=True)
    sums = np.stack([np.bincount(person, accepted), np.bincount(person)], axis=1)
    random = np.random.default_rng(0)
    drawn = random.multinomial(len(people), np.full(len(people), 1 / len(people)), DRAWS) @ sums
    return drawn[:, 0] / drawn[:, 1]


def _most_alike(rows: np.ndarray, cosines: np.ndarray) -> list[tuple[np.ndarray, float]]:
    best = np.argpartition(-cosines, SHOWN)[:SHOWN]
    return [(rows[i], float(cosines[i])) for i in best[np.argsort(-cosines[best])]]


def _curve(faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """False match rates and true accept rates there."""
    _, same, _, other = pairs(faces)
    rates = np.geomspace(1 / len(other), 1, 400)
    cosines = -np.sort(-other)[np.minimum((rates * len(other)).astype(int), len(other) - 1)]
    return rates, (np.sort(same).searchsorted(cosines) / -len(same)) + 1


def _plot(setup: Setup, same: np.ndarray, other: np.ndarray) -> Figure:
    figure, (curve, histogram) = canvas(2, 10.5)
    for number, (faces, name) in enumerate(((setup.second, "second half (reported)"), (setup.first, "first half"))):
        rates, accepted = _curve(faces)
        curve.plot(rates, 100 * accepted, label=name, **line(number))
    for rate in RATES:
        curve.axvline(rate, color="#999999", linewidth=0.8, zorder=0)
    curve.set(xscale="log", xlim=(1e-6, 1), xlabel="false match rate", ylabel="true accept rate (%)")
    curve.set(
        ylim=(min(80.0, 100 * _curve(setup.second)[1].min()) - 2, 100.5), title="Receiver operating characteristic"
    )
    curve.legend(loc="lower right")
    low, high = np.percentile(other, 0.01), 1.0
    edges = np.linspace(min(low, same.min()), high, 90)
    for number, (cosines, name) in enumerate(((other, "two people"), (same, "one person"))):
        share = np.histogram(cosines, edges)[0] / len(cosines)
        histogram.stairs(100 * share, edges, label=name, fill=True, alpha=0.45, color=line(number)["color"])
    for name, cosine in setup.calibration.cosine_fmr.items():
        histogram.axvline(cosine, color="#444444", linewidth=0.9)
        label = {"rotation": 90, "va": "top", "ha": "right", "fontsize": 8}
        histogram.text(cosine, 0.98, name, transform=histogram.get_xaxis_transform(), **label)
    histogram.set(xlabel="cosine", ylabel="pairs (%)", title="Cosines, and the pack's false match rates")
    histogram.set_ylim(top=1.2 * histogram.get_ylim()[1])
    histogram.legend(loc="upper left", ncols=2)
    return figure
