"""A section of the report: Markdown, plots, and the figures that goals are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which the colour-blind tell apart; each has its own marker and dashes too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
STYLE = {
    "figure.facecolor": "white",
    "figure.dpi": 150,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.edgecolor": "none",
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "axes.prop_cycle": cycler(color=COLOURS),
}


@dataclass(frozen=True, eq=False)
class Section:
    """`found` are figures by name, for the goals; `figures` are plots by file name."""

    title: str
    text: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    found: Mapping[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> str:
        """The section's Markdown, when its plots are saved in `folder`."""
        for name, figure in self.figures.items():
            figure.savefig(folder / f"{name}.png", bbox_inches="tight")
            plt.close(figure)
        pictures = "".join(f"\n![{self.title}]({name}.png)\n" for name in self.figures)
        return f"## {self.title}\n\n{self.text.strip()}\n{pictures}"


def canvas(columns: int = 1, width: float = 7.0, height: float = 4.2) -> tuple[Figure, Sequence[Axes]]:
    """A figure with some axes side by side, in the report's style."""
    plt.rcParams.update(STYLE)
    figure, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False, layout="constrained")
    return figure, axes[0]


def line(number: int, *, markers: bool = False) -> dict[str, object]:
    """How the line of this number is drawn."""
    style = {"color": COLOURS[number], "linestyle": DASHES[number], "linewidth": 1.8}
    return style | {"marker": MARKERS[number], "markersize": 5} if markers else style


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers are right-aligned by their column's first row."""
    cells = [[str(cell) for cell in row] for row in rows]
    left = [i == 0 or not (cells and cells[0][i][:1].isdigit()) for i in range(len(head))]
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if is_left else "---:" for is_left in left) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in cells)]) + "\n"


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def between(low: float, high: float, digits: int = 1) -> str:
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"
