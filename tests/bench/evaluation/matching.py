"""Who is this? Faces of known people among strangers, when one, two or three faces of each have a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from evaluation.libraries import Library
from evaluation.measures import Ranking
from evaluation.report import Section, canvas, line, percent, table
from evaluation.setup import Setup
from kith.people import Recogniser
from kith.types import Calibration, PersonId

LABELS = (1, 2, 3)
SEEDS = 6
WANTED = 0.99
METHODS = ("nearest face", "centroid", "Kith, by classifier", "Kith, by group")


@dataclass(frozen=True, eq=False)
class Trial:
    """A library with some faces named: rankings of the other faces' names by method."""

    library: Library
    names: Mapping[int, PersonId]
    rankings: Mapping[str, Ranking]


def trial(library: Library, calibration: Calibration, labels: int, share: float, seed: int) -> Trial:
    """So many faces named of this share of the known people."""
    random = np.random.default_rng(seed)
    people = random.permutation(np.array(sorted(library.known)))
    people = people[: max(1, round(share * len(people)))]
    names = library.some_of(people, labels, random)
    probes = np.array([i for i in range(len(library.truth)) if i not in names])
    wanted = int(np.isin(library.people[probes], people).sum())
    best = _by_cosine(library, names, probes) | _by_kith(library, calibration, names, probes)
    rankings = {m: Ranking.of(score, who == library.people[probes], wanted) for m, (who, score) in best.items()}
    return Trial(library, names, rankings)


Best = dict[str, tuple[np.ndarray, np.ndarray]]  # by method: for each probe whom it is most like, and how much


def _by_cosine(library: Library, names: Mapping[int, PersonId], probes: np.ndarray) -> Best:
    vectors, known = library.gallery.vectors, np.array(sorted(names, key=names.__getitem__))
    people, starts = np.unique([names[int(i)] for i in known], return_index=True)
    sums = np.add.reduceat(vectors[known], starts)
    likeness = {
        "nearest face": np.maximum.reduceat(vectors[probes] @ vectors[known].T, starts, axis=1),
        "centroid": vectors[probes] @ (sums / np.linalg.norm(sums, axis=1, keepdims=True)).T,
    }
    return {method: (people[like.argmax(1)], like.max(1)) for method, like in likeness.items()}


def _by_kith(library: Library, calibration: Calibration, names: dict[int, PersonId], probes: np.ndarray) -> Best:
    """By log odds, which tell sure names apart where probabilities are all one."""
    recogniser = Recogniser(calibration)
    recogniser.recognise(library.told(names))
    people, pairs = recogniser.candidates([library.gallery.faces[i].id for i in probes])
    ids = np.array(people.ids)
    found = {}
    for method, odds in (("Kith, by classifier", pairs.classifier), ("Kith, by group", pairs.group)):
        who, score = np.zeros(len(probes), np.int64), np.full(len(probes), -np.inf)
        rising = np.argsort(odds, kind="stable")
        who[pairs.probe[rising]], score[pairs.probe[rising]] = ids[pairs.person[rising]], odds[rising]
        found[method] = who, score
    return found


def matching(setup: Setup) -> Section:
    parts, found = [], {}
    shares = ((1.0, "All people with five pictures or more are known"), (0.5, "Half of them are known, half are not"))
    curves: dict[tuple[float, int], list[Trial]] = {}
    for share, words in shares:
        rows = []
        for labels in LABELS:
            first, second = (
                [trial(library, setup.calibration, labels, share, seed) for seed in range(SEEDS)]
                for library in (setup.first_crowd, setup.second_crowd)
            )
            curves[share, labels] = second
            rows += [_row(method, labels, first, second) for method in METHODS]
            rows += _clusters(setup, labels, second)
            recalls = [t.rankings["Kith, by group"].recall_at(WANTED) for t in second]
            found[f"recall {labels} of {share:g}"] = float(np.mean(recalls))
        head = ["", "named faces of each", "recall at 99 % precision", "least and most"]
        head += ["with the first half's cut: precision", "recall"]
        parts.append(f"{words}.\n\n{table(head, rows)}")
    text = (
        f"{len(setup.second_crowd.truth):,} faces, 1,000 of them strangers'; means of {SEEDS} choices of the named "
        "faces. The nearest face above a threshold is Immich's way to give a face a name. Rivals' groups are named by "
        "the majority of the named faces in them; they have one precision and recall, not a curve.\n\n"
    )
    return Section("Matching", text + "\n".join(parts), {"matching": _plot(curves)}, found)


def _row(method: str, labels: int, first: list[Trial], second: list[Trial]) -> list[object]:
    recalls = [t.rankings[method].recall_at(WANTED) for t in second]
    cut = float(np.median([t.rankings[method].cut_at(WANTED) for t in first]))
    precision, recall = np.mean([t.rankings[method].above(cut) for t in second], axis=0)
    spread = f"{percent(min(recalls))}, {percent(max(recalls))}"
    return [method, labels, percent(float(np.mean(recalls))), spread, percent(precision, 2), percent(recall)]


def _clusters(setup: Setup, labels: int, trials: list[Trial]) -> list[list[object]]:
    rows = []
    groups = [rival.cluster(setup.second_crowd.gallery.vectors) for rival in setup.rivals]
    for rival, of in zip(setup.rivals, groups, strict=True):
        precision, recall = np.mean([_named_by_groups(t, of) for t in trials], axis=0)
        rows.append([f"{rival.name}, by group", labels, "", "", percent(precision, 2), percent(recall)])
    return rows


def _named_by_groups(t: Trial, groups: np.ndarray) -> tuple[float, float]:
    """Precision and recall when each group gets the name most of its named faces have."""
    votes: dict[int, Counter[PersonId]] = {}
    for face, person in t.names.items():
        votes.setdefault(int(groups[face]), Counter())[person] += 1
    given = {i: votes[g].most_common(1)[0][0] for i, g in enumerate(groups.tolist()) if g in votes and i not in t.names}
    right = sum(t.library.truth[i] == person for i, person in given.items())
    return right / max(1, len(given)), right / t.rankings["centroid"].wanted


def _plot(curves: Mapping[tuple[float, int], list[Trial]]) -> Figure:
    figure, (by_labels, by_recall) = canvas(2, 10.5)
    for number, method in enumerate(METHODS):
        recall = [np.mean([t.rankings[method].recall_at(WANTED) for t in curves[1.0, n]]) for n in LABELS]
        by_labels.plot(LABELS, 100 * np.array(recall), label=method, **line(number, markers=True))
        grid = np.linspace(0.6, 1, 201)
        precision = np.mean([_precision_at(t.rankings[method], grid) for t in curves[1.0, 1]], axis=0)
        by_recall.plot(100 * grid, 100 * precision, label=method, **line(number))
    by_labels.set(xticks=LABELS, xlabel="named faces of each person", ylabel="recall at 99 % precision (%)")
    by_labels.set_title("All named people among 1,000 strangers")
    by_labels.legend(loc="lower right")
    by_recall.axhline(99, color="#999999", linewidth=0.8)
    by_recall.set(xlabel="recall (%)", ylabel="precision (%)", ylim=(89.5, 100.2), title="One named face of each")
    return figure


def _precision_at(ranking: Ranking, recalls: np.ndarray) -> np.ndarray:
    """The best precision (n,) at these recalls (n,) or more, nan where they aren't reached."""
    best = np.maximum.accumulate(ranking.precision()[::-1])[::-1]
    at = np.searchsorted(ranking.recall(), recalls)
    return np.where(at < len(best), best[np.minimum(at, len(best) - 1)], np.nan)
