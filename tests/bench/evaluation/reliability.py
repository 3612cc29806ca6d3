"""Are probabilities what they say? And how often is a name wrong that Kith gives without asking?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from evaluation.libraries import Library, half_named
from evaluation.measures import wilson
from evaluation.report import Section, between, canvas, line, percent, table
from evaluation.setup import Setup
from kith.people import PeopleSettings, Recogniser
from kith.people.calibration import probability
from kith.people.matches import AUTO_ABOVE
from kith.types import Gallery

LIBRARIES = 12
WIDE = PeopleSettings(auto="wide")
TENTHS = np.linspace(0, 1, 11)
KINDS = ("by group", "by classifier")
WORLDS = ("made libraries", "crowds")
SEEN = 100  # pictures that a tenth must have for its share to be compared


@dataclass(frozen=True, eq=False)
class Shown:
    """Names by one way of looking: probability (M,), whether right (M,), row of the data set (M,), auto "wide" (M,)."""

    p: np.ndarray
    right: np.ndarray
    rows: np.ndarray
    auto: np.ndarray

    @classmethod
    def join(cls, parts: list[Shown]) -> Shown:
        return cls(*(np.concatenate(c) for c in zip(*((s.p, s.right, s.rows, s.auto) for s in parts), strict=True)))

    def take(self, some: np.ndarray) -> Shown:
        return Shown(self.p[some], self.right[some], self.rows[some], self.auto[some])

    def faces(self) -> int:
        """How many different pictures there are among them; a picture comes again in other states of the libraries."""
        return len(np.unique(self.rows))

    def share(self) -> tuple[float, float, float]:
        """Share right and its interval, as if each picture counted once."""
        share, faces = float(self.right.mean()), self.faces()
        return share, *wilson(share * faces, faces)


def reliability(setup: Setup) -> Section:
    worlds = _gather(setup)
    found, parts, rows = {}, [], []
    for world, shown in worlds.items():
        for kind, some in zip(KINDS, shown, strict=True):
            lines, off = _tenths(some)
            parts.append(f"{world}, probability {kind}:\n\n{table(_HEAD, lines)}")
            found[f"off {kind}, {world}"] = off
        for level in ("strict", "wide"):
            rows.append([world, *_automatic(shown[0], level)])
    everything = Shown.join([shown[0] for shown in worlds.values()])
    for level in ("strict", "wide"):
        rows.append(["all", *_automatic(everything, level)])
        found[f"auto {level}"] = _sure(everything, level).share()[0]
    head = [
        "",
        "auto",
        "from",
        "names",
        "of pictures",
        "wrong",
        "precision",
        "95 % interval",
        "of the right ones shown",
    ]
    text = (
        f"{LIBRARIES} made libraries of the second half's people at many stages of being named, and {LIBRARIES // 3} "
        "crowds, a thousand strangers among them, with a few faces of some people named. By group: the suggestions "
        "that are shown (0.3 and above). By classifier: the best candidate of every face without a name. Intervals are "
        "Wilson's, counting each picture once however often it was shown.\n\n"
        + "\n".join(parts)
        + f"\nNames given without asking:\n\n{table(head, rows)}"
    )
    return Section("Calibration", text, {"calibration": _plot(worlds)}, found)


def _sure(shown: Shown, level: str) -> Shown:
    return shown.take(shown.auto & (shown.p >= AUTO_ABOVE[level]))


def _automatic(shown: Shown, level: str) -> list[object]:
    some = _sure(shown, level)
    share, low, high = some.share()
    row = [level, f"{AUTO_ABOVE[level]:g}", f"{len(some.p):,}", f"{some.faces():,}", int((~some.right).sum())]
    return [*row, percent(share, 2), between(low, high, 2), percent(some.right.sum() / shown.right.sum())]


_HEAD = ("probability", "shown", "pictures", "said", "was right", "95 % interval", "off by")


def _gather(setup: Setup) -> dict[str, list[Shown]]:
    """What is shown by group and by classifier, in both kinds of library."""
    looks: dict[str, list[tuple[Shown, Shown]]] = {world: [] for world in WORLDS}
    for library, gallery in half_named(setup.second, setup.calibration, LIBRARIES, WIDE):
        looks[WORLDS[library.is_crowd()]].append(_look(library, gallery, setup))
    return {world: [Shown.join(list(some)) for some in zip(*pairs, strict=True)] for world, pairs in looks.items()}


def _look(library: Library, gallery: Gallery, setup: Setup) -> tuple[Shown, Shown]:
    """What is shown by group, and the best candidates by classifier."""
    recogniser = Recogniser(setup.calibration, WIDE)
    suggestions = recogniser.recognise(gallery).suggestions
    rows, truth = np.array(library.rows), library.people
    ids = np.array(list(suggestions), np.int64)
    said = list(suggestions.values())
    right = truth[ids] == np.array([s.person for s in said], np.int64)
    auto = np.array([s.auto for s in said], bool)
    group = Shown(np.array([s.probability_group for s in said], float), right, rows[ids], auto)
    unnamed = np.array([f.id for f in gallery.faces if f.person is None and not f.ignored], np.int64)
    people, pairs = recogniser.candidates(unnamed.tolist())
    best = np.full(len(unnamed), -1)
    rising = np.argsort(pairs.classifier, kind="stable")
    best[pairs.probe[rising]] = rising
    who, best = unnamed[best >= 0], best[best >= 0]
    right = truth[who] == np.array(people.ids, np.int64)[pairs.person[best]]
    p = probability(pairs.classifier[best])
    return group, Shown(p, right, rows[who], np.zeros(len(p), bool))


def _by_tenth(shown: Shown) -> list[Shown]:
    tenth = np.minimum((shown.p * 10).astype(int), 9)
    return [shown.take(tenth == t) for t in range(10)]


def _tenths(shown: Shown) -> tuple[list[list[str]], float]:
    """Rows of the table, and how far off the worst tenth is of those from 0.3 on with a hundred pictures."""
    rows, worst = [], 0.0
    for t, some in enumerate(_by_tenth(shown)):
        if not len(some.p):
            continue
        (share, low, high), said = some.share(), float(some.p.mean())
        row = [f"{TENTHS[t]:.1f} to {TENTHS[t + 1]:.1f}", f"{len(some.p):,}", f"{some.faces():,}", percent(said)]
        rows.append([*row, percent(share), between(low, high), f"{100 * (share - said):+.1f}"])
        if t >= 3 and some.faces() >= SEEN:
            worst = max(worst, abs(share - said))
    return rows, worst


def _plot(worlds: dict[str, list[Shown]]) -> Figure:
    figure, (*diagrams, counts) = canvas(3, 12.5, 4.4)
    for diagram, kind, shown in zip(diagrams, KINDS, zip(*worlds.values(), strict=True), strict=True):
        diagram.plot([0, 100], [0, 100], color="#999999", linewidth=1, zorder=0)
        diagram.fill_between([0, 100], [-3, 97], [3, 103], color="#eeeeee", zorder=0, label="within 3 %")
        for number, (world, some) in enumerate(zip(worlds, shown, strict=True)):
            tenths = [part for part in _by_tenth(some) if len(part.p)]
            share, low, high = 100 * np.array([part.share() for part in tenths]).T
            said = [100 * part.p.mean() for part in tenths]
            style = line(number) | {"marker": "os"[number], "markersize": 4, "capsize": 3, "linewidth": 1.2}
            diagram.errorbar(said, share, np.abs([share - low, high - share]), label=world, **style)
        diagram.set(xlabel="probability said (%)", ylabel="right (%)", xlim=(0, 101), ylim=(0, 101))
        diagram.set(title=f"Reliability {kind}, 95 % intervals", aspect="equal")
    figure.legend(*diagrams[0].get_legend_handles_labels(), loc="outside lower left", ncols=3)
    styles = [(world, kind, w + 2 * k) for k, kind in enumerate(KINDS) for w, world in enumerate(worlds)]
    for world, kind, number in styles:
        many = [len(part.p) for part in _by_tenth(worlds[world][KINDS.index(kind)])]
        drawn = [count or np.nan for count in many]
        counts.plot(10 * np.arange(10) + 5, drawn, label=f"{kind}, {world}", **line(number, markers=True))
    counts.set(yscale="log", xlabel="probability said (%)", ylabel="names (log)", xticks=range(0, 101, 20))
    counts.set_title("How many names in each tenth")
    counts.legend(loc="upper left", fontsize=8)
    return figure
