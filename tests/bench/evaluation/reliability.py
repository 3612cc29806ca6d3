"""Are probabilities what they say? And how often is a name wrong that Kith gives without asking?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from evaluation.faces import Faces
from evaluation.libraries import WORLDS, Library, half_named
from evaluation.measures import share_of_people
from evaluation.report import Section, between, canvas, line, percent, table
from evaluation.setup import Setup
from kith.people import PeopleSettings, Recogniser
from kith.people.calibration import probability
from kith.people.matches import AUTO_ABOVE
from kith.types import Calibration, Gallery

LIBRARIES = 24
LEVELS = ("strict", "wide")
WIDE = PeopleSettings(auto="wide")
TENTHS = np.linspace(0, 1, 11)
KINDS = ("by group", "by classifier")
SEEN = 100  # pictures that a tenth must have for its share to be compared
NEAR = 0.03  # how far a share may be from the probability said


@dataclass(frozen=True, eq=False)
class Shown:
    """Names by one way of looking, each (M,): probability, auto "wide", row of the data set, whose face, whose name."""

    p: np.ndarray
    auto: np.ndarray
    rows: np.ndarray
    person: np.ndarray
    named: np.ndarray

    @classmethod
    def join(cls, parts: Iterable[Shown]) -> Shown:
        columns = zip(*((s.p, s.auto, s.rows, s.person, s.named) for s in parts), strict=True)
        return cls(*(np.concatenate(c) for c in columns))

    def take(self, some: np.ndarray) -> Shown:
        return Shown(self.p[some], self.auto[some], self.rows[some], self.person[some], self.named[some])

    @property
    def right(self) -> np.ndarray:
        return self.person == self.named

    def pictures(self) -> int:
        """How many different ones there are; a picture comes again in other states of the libraries."""
        return len(np.unique(self.rows))

    def share(self) -> tuple[float, float, float]:
        """Share right and its interval."""
        return share_of_people(self.right, self.person, self.named)


Worlds = Mapping[str, Mapping[str, Shown]]  # by kind of library and way of looking


def reliability(setup: Setup) -> Section:
    crossed = [_gather(faces, calibration, setup.people) for faces, calibration in setup.crossed]
    both = {world: {kind: Shown.join(half[world][kind] for half in crossed) for kind in KINDS} for world in WORLDS}
    ships = _gather(setup.second, setup.calibration, setup.people)
    pooled, off = _report(both)
    shipped, off_shipped = _report(ships)
    found = off | _sure_shares(both, "") | {f"{name}, as it ships": value for name, value in off_shipped.items()}
    found |= _sure_shares(ships, ", as it ships")
    text = (
        f"{LIBRARIES} made libraries at many stages of being named, {LIBRARIES // 3} crowds with a thousand strangers "
        f"among them, and {LIBRARIES // 3} of fewer people, with a few faces of some people named. By group: "
        "the suggestions that are shown (0.3 and above). By classifier: the best candidate of every face without a "
        "name. 95 % intervals are over other draws of the people, because names of one person fail together. Within "
        f"{percent(NEAR, 0)}: yes where the share is; open where only its interval reaches there; no where neither "
        "does, which happens by chance too, in a row of forty or so.\n\n"
        "### Both halves\n\nEach half of the people by what the other taught: no one is judged by cosines, "
        f"cohort or weights that knew them.\n\n{pooled}\n"
        f"### As it ships\n\nThe second half by the pack's own numbers, which the first half taught.\n\n{shipped}"
    )
    figures = {"calibration": _plot(both), "calibration_shipped": _plot(ships)}
    return Section("Calibration", text, figures, found)


def _gather(faces: Faces, calibration: Calibration, people: np.ndarray) -> Worlds:
    """What is shown in all kinds of libraries of these people; `people` are the numbers of all pictures' people."""
    looks: dict[str, list[tuple[Shown, Shown]]] = {world: [] for world in WORLDS}
    for world, library, gallery in half_named(faces, calibration, LIBRARIES, WIDE):
        looks[world].append(_look(library, gallery, calibration, people))
    return {
        world: dict(zip(KINDS, (Shown.join(some) for some in zip(*pairs, strict=True)), strict=True))
        for world, pairs in looks.items()
    }


def _look(library: Library, gallery: Gallery, calibration: Calibration, people: np.ndarray) -> tuple[Shown, Shown]:
    """What is shown by group, and the best candidates by classifier."""
    recogniser = Recogniser(calibration, WIDE)
    suggestions = recogniser.recognise(gallery).suggestions
    rows = np.array(library.rows)
    number = dict(zip(library.truth, people[rows].tolist(), strict=True))
    ids, said = np.array(list(suggestions), np.int64), list(suggestions.values())
    p, auto = np.array([s.probability_group for s in said], float), np.array([s.auto for s in said], bool)
    group = Shown(p, auto, rows[ids], people[rows[ids]], np.array([number[s.person] for s in said], np.int64))
    unnamed = np.array([f.id for f in gallery.faces if f.person is None and not f.ignored], np.int64)
    known, pairs = recogniser.candidates(unnamed.tolist())
    best = np.full(len(unnamed), -1)
    rising = np.argsort(pairs.classifier, kind="stable")
    best[pairs.probe[rising]] = rising
    who, best = unnamed[best >= 0], best[best >= 0]
    named = np.array([number[known.ids[c]] for c in pairs.person[best]], np.int64)
    p = probability(pairs.classifier[best])
    return group, Shown(p, np.zeros(len(p), bool), rows[who], people[rows[who]], named)


def _report(worlds: Worlds) -> tuple[str, dict[str, float]]:
    """Tables of all worlds, and for each how far off its worst tenth is, and how far at least by its interval."""
    parts, found = [], {}
    for world, looks in worlds.items():
        for kind, shown in looks.items():
            lines, off, least = _tenths(shown)
            parts.append(f"{world.capitalize()}, probability {kind}:\n\n{table(_HEAD, lines)}")
            found |= {f"off {kind}, {world}": off, f"off at least {kind}, {world}": least}
    rows = [[world, *_automatic(looks[KINDS[0]], level)] for world, looks in worlds.items() for level in LEVELS]
    return "\n".join(parts) + f"\nNames given without asking:\n\n{table(_AUTO_HEAD, rows)}", found


def _tenths(shown: Shown) -> tuple[list[list[str]], float, float]:
    """Rows of the table; how far off the worst is of those from 0.3 on with a hundred pictures, and of all at least."""
    rows, worst, least = [], 0.0, 0.0
    parts = {f"{TENTHS[t]:.1f} to {TENTHS[t + 1]:.1f}": some for t, some in enumerate(_by_tenth(shown))}
    parts["0.3 to 0.9"] = shown.take((shown.p >= TENTHS[3]) & (shown.p < TENTHS[9]))
    for words, some in parts.items():
        if not len(some.p):
            continue
        cells, off, surely = _row(some)
        rows.append([words, *cells])
        if some.p.mean() >= TENTHS[3]:
            least = max(least, surely)
            worst = max(worst, abs(off)) if some.pictures() >= SEEN else worst
    return rows, worst, least


_HEAD = ("probability", "shown", "pictures", "people", "said", "was right", "95 % interval", "off by", "within 3 %")


def _row(some: Shown) -> tuple[list[str], float, float]:
    """Cells of the table, how far the share is from what was said, and how far its interval is."""
    (share, low, high), said = some.share(), float(some.p.mean())
    off, least = share - said, max(0.0, low - said, said - high)
    verdict = "yes" if abs(off) <= NEAR else "open" if least <= NEAR else "no"
    cells = [f"{len(some.p):,}", f"{some.pictures():,}", f"{len(np.unique(some.person)):,}", percent(said)]
    return [*cells, percent(share), between(low, high), f"{100 * off:+.1f}", verdict], off, least


def _by_tenth(shown: Shown) -> list[Shown]:
    tenth = np.minimum((shown.p * 10).astype(int), 9)
    return [shown.take(tenth == t) for t in range(10)]


_AUTO_HEAD = (
    "",
    "auto",
    "from",
    "names",
    "of pictures",
    "wrong",
    "precision",
    "95 % interval",
    "of the right ones shown",
)


def _sure(shown: Shown, level: str) -> Shown:
    return shown.take(shown.auto & (shown.p >= AUTO_ABOVE[level]))


def _automatic(shown: Shown, level: str) -> list[object]:
    some = _sure(shown, level)
    share, low, high = some.share()
    row = [level, f"{AUTO_ABOVE[level]:g}", f"{len(some.p):,}", f"{some.pictures():,}", int((~some.right).sum())]
    return [*row, percent(share, 2), between(low, high, 2), percent(some.right.sum() / shown.right.sum())]


def _sure_shares(worlds: Worlds, suffix: str) -> dict[str, float]:
    everything = Shown.join(looks[KINDS[0]] for looks in worlds.values())
    return {f"auto {level}{suffix}": _sure(everything, level).share()[0] for level in LEVELS}


def _plot(worlds: Worlds) -> Figure:
    figure, (*diagrams, counts) = canvas(3, 12.5, 4.4)
    for diagram, kind in zip(diagrams, KINDS, strict=True):
        diagram.plot([0, 100], [0, 100], color="#999999", linewidth=1, zorder=0)
        diagram.fill_between([0, 100], [-3, 97], [3, 103], color="#eeeeee", zorder=0, label="within 3 %")
        for number, (world, looks) in enumerate(worlds.items()):
            tenths = [part for part in _by_tenth(looks[kind]) if len(part.p)]
            share, low, high = 100 * np.array([part.share() for part in tenths]).T
            said = np.array([100 * part.p.mean() for part in tenths]) + number - 1  # side by side, to be told apart
            style = line(number) | {"marker": "os^"[number], "markersize": 4, "capsize": 2, "linewidth": 1.2}
            diagram.errorbar(said, share, np.abs([share - low, high - share]), label=world, **style)
        diagram.set(xlabel="probability said (%)", ylabel="right (%)", xlim=(0, 101), ylim=(0, 101))
        diagram.set(title=f"Reliability {kind}, 95 % intervals", aspect="equal")
    figure.legend(*diagrams[0].get_legend_handles_labels(), loc="outside lower left", ncols=4)
    for number, (world, looks) in enumerate(worlds.items()):
        for kind, dashes in zip(KINDS, ("-", ":"), strict=True):
            drawn = [len(part.p) or np.nan for part in _by_tenth(looks[kind])]
            style = line(number, markers=True) | {"linestyle": dashes}
            counts.plot(10 * np.arange(10) + 5, drawn, label=f"{kind}, {world}", **style)
    counts.set(yscale="log", xlabel="probability said (%)", ylabel="names (log)", xticks=range(0, 101, 20))
    counts.set_title("How many names in each tenth")
    counts.legend(loc="upper center", fontsize=7)
    return figure
