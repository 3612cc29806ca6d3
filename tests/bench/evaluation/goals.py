"""The numbers to reach, beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.libraries import WORLDS
from evaluation.reliability import KINDS, NEAR
from evaluation.report import Section, table


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that must be at most or at least so much, for pack `base` and for packs with an ArcFace-class model.

    `least`, where there is one, names what the figure is at least, by its interval: if that is within the goal and the
    figure isn't, nobody can tell.
    """

    words: str
    figure: str
    base: float
    other: float
    at_most: bool = False
    share: bool = True
    least: str = ""

    def row(self, pack: str, found: Mapping[str, float]) -> list[object]:
        wanted, sign = self.base if pack == "base" else self.other, "≤" if self.at_most else "≥"
        limit = f"{sign} {_shown(wanted, self.share)}"
        if self.figure not in found:
            return [self.words, limit, "not measured", ""]
        value = found[self.figure]
        reached = value <= wanted if self.at_most else value >= wanted
        if self.least:
            verdict = "✗" if found[self.least] > wanted else "✓" if reached else "not told apart"
        else:
            verdict = "✓" if reached else "✗"
        return [self.words, limit, _shown(value, self.share), verdict]


def _off(kind: str, world: str) -> Goal:
    where = f"{kind}, {world}"
    return Goal(f"Farthest off, {where}", f"off {where}", NEAR, NEAR, at_most=True, least=f"off at least {where}")


GOALS = (
    Goal("Answers per 100 faces to name a library", "answers", 8, 4, at_most=True, share=False),
    Goal("Names right by then", "answers precision", 0.99, 0.995),
    Goal("Regulars' faces named by then", "answers named", 0.95, 0.95),
    Goal("Grouping, BCubed F1", "grouping f1", 0.97, 0.99),
    Goal("Recall at 99 % precision, one named face of each", "recall 1 of 1", 0.95, 0.99),
    Goal("The same when half of the people are unknown", "recall 1 of 0.5", 0.95, 0.99),
    Goal("Precision of auto, strict, as it ships", "auto strict, as it ships", 0.995, 0.995),
    Goal("Precision of auto, wide, as it ships", "auto wide, as it ships", 0.98, 0.98),
    Goal("Precision of auto, strict, both halves", "auto strict", 0.995, 0.995),
    Goal("Precision of auto, wide, both halves", "auto wide", 0.98, 0.98),
    *(_off(kind, world) for kind in KINDS for world in WORLDS),
    Goal("Same people in any order (1: yes)", "order", 1, 1, share=False),
)


def goals(pack: str, found: Mapping[str, float]) -> Section:
    head = ["", "goal", "measured", ""]
    text = (
        "Farthest off: how far the share that was right is from the probability said, over both halves of the people, "
        "in the worst tenth from 0.3 on, or in 0.3 to 0.9 together, that has a hundred pictures. Not told apart: that "
        "is more than the goal, but no interval is as far off. Speed and memory with a million faces take too long for "
        "this report: `evaluation.search` and `evaluation.growth`."
        f"\n\n{table(head, [g.row(pack, found) for g in GOALS])}"
    )
    return Section("Goals", text)


def _shown(value: float, share: bool) -> str:
    return f"{100 * value:.2f} %" if share else f"{value:.2f}".rstrip("0").rstrip(".")
