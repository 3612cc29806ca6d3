"""How many answers does it take to name a library, and how right are the names then?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from evaluation.libraries import ENOUGH, Ask, Library, answered, open_groups
from evaluation.measures import wilson
from evaluation.report import Section, between, canvas, line, percent, table
from evaluation.setup import Setup
from kith.people import PeopleSettings
from kith.types import Calibration, Gallery, PersonId, Recognition

LIBRARIES = 8
ASKED_AT_MOST = 10  # answers per 100 faces that the plot shows


@dataclass(frozen=True, slots=True)
class Progress:
    """After so many answers: share of the regulars' faces named right, names given in all, and how many are right."""

    answers: int
    named: float
    names: int
    right: int


def by_kith(library: Library, calibration: Calibration, ask: Ask | None = None) -> Iterator[Progress]:
    """Kith's most valuable question answered, again and again; or what `ask` asks."""
    for number, (gallery, recognition) in enumerate(answered(library, calibration, PeopleSettings(), ask)):
        yield _progress(library, number, _names(gallery, recognition))


def by_groups(library: Library, groups: np.ndarray) -> Iterator[Progress]:
    """Groups (N,) that are what they are, named by the majority of their faces, the largest first."""
    names: dict[int, PersonId] = {}
    sizes = Counter(groups.tolist())
    yield _progress(library, 0, names)
    for number, (group, _) in enumerate(sorted(sizes.items(), key=lambda item: (-item[1], item[0])), 1):
        faces = np.flatnonzero(groups == group).tolist()
        who = Counter(library.truth[f] for f in faces).most_common(1)[0][0]
        if who in library.known:
            names |= dict.fromkeys(faces, who)
        yield _progress(library, number, names)


def until_enough(progress: Iterable[Progress]) -> list[Progress]:
    """Up to where enough of the regulars' faces are named."""
    found = []
    for step in progress:
        found.append(step)
        if step.named >= ENOUGH:
            break
    return found


def answers(setup: Setup) -> Section:
    libraries = [setup.library(seed) for seed in range(LIBRARIES)]
    ways = {
        "Kith": [until_enough(by_kith(library, setup.calibration)) for library in libraries],
        "Kith's groups alone": [until_enough(by_kith(lib, setup.calibration, open_groups)) for lib in libraries],
    }
    for rival in setup.rivals:
        ways[rival.name] = [until_enough(by_groups(lib, rival.cluster(lib.gallery.vectors))) for lib in libraries]
    rows = [_row(name, libraries, runs) for name, runs in ways.items()]
    head = ["", "answers per 100 faces", "least and most", "regulars' faces named", "names right", "95 % interval"]
    faces = sum(len(library.truth) for library in libraries)
    ends = [run[-1] for run in ways["Kith"]]
    found = {
        "answers": 100 * sum(end.answers for end in ends) / faces,
        "answers precision": sum(end.right for end in ends) / sum(end.names for end in ends),
        "answers named": float(np.mean([end.named for end in ends])),
    }
    text = (
        f"{LIBRARIES} made libraries, {faces:,} faces in {400 * LIBRARIES:,} photos: a family of 8, 20 friends, "
        "strangers. Somebody answers the question that comes first, until 95 % of the faces of people with five photos "
        "or more are named right. A group is named by the majority of its faces, the wrong ones with it; where Kith "
        "asks whether it is somebody, those who aren't are deselected. For the rivals each group is a question, the "
        f"largest first.\n\n{table(head, rows)}"
    )
    return Section("Answers", text, {"answers": _plot(libraries, ways)}, found)


def _row(name: str, libraries: list[Library], runs: list[list[Progress]]) -> list[object]:
    ends = [run[-1] for run in runs]
    per_library = [100 * end.answers / len(lib.truth) for end, lib in zip(ends, libraries, strict=True)]
    faces = sum(len(library.truth) for library in libraries)
    right, names = sum(e.right for e in ends), sum(e.names for e in ends)
    return [
        name,
        f"{100 * sum(e.answers for e in ends) / faces:.2f}",
        f"{min(per_library):.2f}, {max(per_library):.2f}",
        percent(float(np.mean([e.named for e in ends]))),
        percent(right / names, 2),
        between(*wilson(right, names), 2),
    ]


def _names(gallery: Gallery, recognition: Recognition) -> dict[int, PersonId]:
    names = {int(f.id): f.person for f in gallery.faces if f.person is not None}
    return names | {int(f): s.person for f, s in recognition.suggestions.items() if s.auto}


def _progress(library: Library, number: int, names: dict[int, PersonId]) -> Progress:
    right = {f for f, person in names.items() if library.truth[f] == person}
    regulars = library.regulars()
    return Progress(number, sum(f in right for f in regulars) / len(regulars), len(names), len(right))


def _plot(libraries: list[Library], ways: dict[str, list[list[Progress]]]) -> Figure:
    """The mean of all libraries; a library that is done stays where it is."""
    figure, (axes,) = canvas(1, 7, 4.4)
    grid = np.linspace(0, ASKED_AT_MOST, 401)
    for number, (name, runs) in enumerate(ways.items()):
        named = []
        for library, run in zip(libraries, runs, strict=True):
            at = 100 * np.array([step.answers for step in run]) / len(library.truth)
            named.append(np.array([step.named for step in run])[np.searchsorted(at, grid, side="right") - 1])
        axes.plot(grid, 100 * np.mean(named, axis=0), label=name, **line(number))
    axes.axhline(100 * ENOUGH, color="#999999", linewidth=0.8, zorder=0)
    axes.set(xlim=(0, ASKED_AT_MOST), ylim=(0, 101))
    axes.set(xlabel="answers per 100 faces", ylabel="regulars' faces named right (%)")
    axes.set_title("Naming a library; the line: 95 %")
    axes.legend(loc="lower right")
    return figure
