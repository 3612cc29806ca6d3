"""What do wrong answers spoil, and does the label doctor find them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from evaluation.libraries import Library
from evaluation.report import Section, canvas, line, percent, table
from evaluation.setup import Setup
from kith.people import doubts, recognise
from kith.types import Calibration, FaceId, Gallery, PersonId

SEEDS = 5
SHARES = (0.0, 0.02, 0.05)
AT_MOST = 20  # confirmed faces of one person
KINDS = ("anybody", "the most alike")
LOOKED_AT = (0.1, 0.2)  # shares of the confirmed faces that are looked through


@dataclass(frozen=True, eq=False)
class Spoilt:
    """A library with half of the known people's faces confirmed, some `wrong`; what was suggested, what doubted.

    `found` and `precision` by "shown" and "auto": share of the other faces of known people that get their name, and
    share of all names that are right. `rank` are the wrong faces' places among the doubted ones, of `doubted` in all.
    """

    confirmed: int
    wrong: int
    found: Mapping[str, float]
    precision: Mapping[str, float]
    rank: np.ndarray
    doubted: int

    def caught(self, share: float) -> float:
        """Share of the wrong ones among the first so many of all confirmed faces, the most doubtful first."""
        return float((self.rank < share * self.confirmed).sum() / max(1, self.wrong))


def spoil(library: Library, calibration: Calibration, share: float, kind: str, seed: int) -> Spoilt:
    random = np.random.default_rng(seed)
    names: dict[int, PersonId] = {}
    truth = library.people
    for person in sorted(library.known):
        rows = random.permutation(np.flatnonzero(truth == person))
        names |= {int(i): person for i in rows[: min(AT_MOST, len(rows) // 2)]}
    wrong = [int(i) for i in random.permutation(sorted(names))[: round(share * len(names))]]
    gallery = library.told(names | {i: _instead(library, i, kind, random) for i in wrong})
    doubted = [doubt.face for doubt in doubts(gallery, calibration)]
    rank = np.array([doubted.index(FaceId(i)) for i in wrong if i in doubted], np.int64)
    found, precision = _suggested(library, gallery, calibration)
    return Spoilt(len(names), len(wrong), found, precision, rank, len(doubted))


def _instead(library: Library, face: int, kind: str, random: np.random.Generator) -> PersonId:
    """Whom a face is taken for: any other known person, or the one whose faces are most like it."""
    others = [p for p in sorted(library.known) if p != library.truth[face]]
    if kind == "anybody":
        return others[random.integers(len(others))]
    likeness = library.gallery.vectors @ library.gallery.vectors[face]
    truth = library.people
    return max(others, key=lambda p: float(likeness[truth == p].mean()))


def _suggested(
    library: Library, gallery: Gallery, calibration: Calibration
) -> tuple[dict[str, float], dict[str, float]]:
    suggestions = recognise(gallery, calibration, {}).suggestions
    wanted = sum(f.person is None and library.truth[f.id] in library.known for f in gallery.faces)
    found, precision = {}, {}
    for level in ("shown", "auto"):
        some = {f: s.person for f, s in suggestions.items() if level == "shown" or s.auto}
        right = sum(library.truth[f] == person for f, person in some.items())
        found[level], precision[level] = right / wanted, right / max(1, len(some))
    return found, precision


def poisoning(setup: Setup) -> Section:
    library = setup.second_crowd
    runs = {
        (share, kind): [spoil(library, setup.calibration, share, kind, seed) for seed in range(SEEDS)]
        for share in SHARES
        for kind in (KINDS if share else KINDS[:1])
    }
    rows = []
    for (share, kind), some in runs.items():
        means = [
            percent(float(np.mean([getattr(run, what)[level] for run in some])), 1 if what == "found" else 2)
            for level in ("shown", "auto")
            for what in ("precision", "found")
        ]
        caught = [percent(float(np.mean([run.caught(s) for run in some]))) if share else "" for s in LOOKED_AT]
        doubted = percent(float(np.mean([run.doubted / run.confirmed for run in some])))
        rows.append([percent(share, 0), kind if share else "", *means, *caught, doubted])
    head = ["confirmed wrong", "taken for", "suggestions: precision", "recall", "auto: precision", "recall"]
    head += ["wrong ones in the doctor's first 10 %", "20 %", "doubted of all confirmed"]
    clean, spoilt = runs[0.0, KINDS[0]], runs[0.05, KINDS[0]]
    fall = {
        what: float(
            np.mean([getattr(r, what)["shown"] for r in clean]) - np.mean([getattr(r, what)["shown"] for r in spoilt])
        )
        for what in ("precision", "found")
    }
    first = runs[0.05, KINDS[0]][0]
    text = (
        f"{len(library.truth):,} faces, 1,000 of them strangers'; half of the faces of each known person confirmed, 20 "
        f"at most: {first.confirmed}, of which some are given to somebody else. Means of {SEEDS} draws. The doctor "
        "ranks all confirmed faces, those it doesn't doubt last; with 5 % wrong a perfect one has all in the first 5 %."
        f"\n\n{table(head, rows)}"
    )
    found = {"poisoned precision lost": fall["precision"], "poisoned recall lost": fall["found"]}
    found["doctor"] = float(np.mean([run.caught(0.1) for run in spoilt]))
    return Section("Wrong answers", text, {"doctor": _plot(runs)}, found)


def _plot(runs: Mapping[tuple[float, str], list[Spoilt]]) -> Figure:
    """Precision and recall of the doctor as one looks at more of what it doubts, and how many are caught so."""
    figure, (curve, caught) = canvas(2, 10.5)
    poisoned = [key for key in runs if key[0]]
    for number, (share, kind) in enumerate(poisoned):
        some = runs[share, kind]
        label = f"{100 * share:.0f} % wrong, taken for {kind}"
        length = max(run.doubted for run in some)
        hits = np.sum([np.bincount(run.rank, minlength=length) for run in some], axis=0)
        shown = np.sum([np.arange(length) < run.doubted for run in some], axis=0)
        recall = np.cumsum(hits) / sum(run.wrong for run in some)
        curve.plot(100 * recall, 100 * np.cumsum(hits) / np.cumsum(shown), label=label, **line(number))
        looked = np.linspace(0, 0.25, 101)
        caught.plot(100 * looked, [100 * np.mean([run.caught(s) for run in some]) for s in looked], **line(number))
    curve.set(xlabel="wrong answers found (%)", ylabel="doubts that are wrong answers (%)", ylim=(40, 101))
    curve.set_title("The label doctor, most doubtful first")
    curve.legend(loc="lower left")
    caught.set(xlabel="confirmed faces looked at (%)", ylabel="wrong answers found (%)", ylim=(0, 101), xlim=(0, 25))
    caught.set_title("Wrong answers found by looking")
    return figure
