"""Play a person who names a photo library, on embeddings alone: how many answers, how right are the names?

    simulate_library.py EMBEDDINGS.npz CALIBRATION.toml [--half 1] [--libraries 5] [--groups]

EMBEDDINGS holds `emb` (N, D) float32, `labels` (N,) and `quality` (N,), one row a face of a folder-per-person data
set. CALIBRATION holds a `[calibration]` table, as a pack's `pack.toml` does. People are split in two halves; the
calibration was fitted on half 0 (fit_calibration.py), so look at half 1.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kith.people import PeopleSettings, Question, recognise, review
from kith.types import Calibration, Evidence, FaceId, Floats, Gallery, PersonId, PhotoId, Recognition

HOUR = 3600.0
ENOUGH = 0.95  # share of the faces of people with five photos or more that must be named
WRITTEN_AGAIN = 0.1  # how far an embedding moves when its picture is scaled and saved again, see `Faces.seen_again`


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces of half the people of a data set, by person, most pictures first."""

    vectors: Floats
    quality: Floats
    of: dict[str, np.ndarray]
    spread: float

    @classmethod
    def load(cls, path: Path, half: int, stranger_cosine: float) -> Faces:
        with np.load(path) as data:
            vectors, labels, quality = data["emb"], data["labels"], data["quality"]
        rows: dict[str, list[int]] = {}
        for row, label in enumerate(labels.tolist()):
            rows.setdefault(label, []).append(row)
        ordered = sorted(rows, key=lambda name: (-len(rows[name]), name))[half::2]
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return cls(vectors, quality, {n: np.array(rows[n]) for n in ordered}, 1 - stranger_cosine)

    def seen_again(self, row: int, random: np.random.Generator) -> Floats:
        """The face's vector a little displaced: 1 - cosine is a tenth of what separates strangers."""
        vector = self.vectors[row]
        noise = random.normal(size=len(vector))
        noise -= noise @ vector * vector
        angle = np.arccos(1 - WRITTEN_AGAIN * self.spread)
        moved = np.cos(angle) * vector + np.sin(angle) * noise / np.linalg.norm(noise)
        return moved.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Library:
    """A gallery nobody answered anything about, and the truth: a person number for each face.

    `known` are the people one would name; all others are strangers.
    """

    gallery: Gallery
    truth: tuple[PersonId, ...]
    known: frozenset[PersonId]

    def regulars(self) -> list[int]:
        """Faces of the known people with five photos or more."""
        count = Counter(self.truth)
        return [i for i, p in enumerate(self.truth) if p in self.known and count[p] >= 5]


def make_library(
    faces: Faces,
    seed: int,
    *,
    photos: int = 400,
    family: int = 8,
    friends: int = 20,
    shares: tuple[float, float, float] = (60, 25, 15),
    once: bool = False,
) -> Library:
    """One to five people a photo, bursts, dates over years; family often, friends sometimes, strangers once.

    With `once` no picture is used twice: a person who has none left appears no more.
    """
    random = np.random.default_rng(seed)
    names = list(faces.of)
    start = int(random.integers(0, 8)) if once else 0
    relatives = names[start : start + family]
    others = [n for n in names[start + family :] if len(faces.of[n]) >= 4]
    others = [others[i] for i in random.permutation(len(others))[:friends]]
    strangers = [n for n in names if len(faces.of[n]) <= (3 if once else 1)]
    strangers = [strangers[i] for i in random.permutation(len(strangers))]
    decks = {n: list(random.permutation(faces.of[n])) for n in [*relatives, *others, *strangers]}
    number = {n: PersonId(i + 1) for i, n in enumerate([*relatives, *others, *strangers])}
    evidence, vectors, truth = [], [], []
    now, cast, burst = 1.3e9, [], False
    for photo in range(photos):
        if burst and random.random() < 0.5:
            now += 1
        else:
            now += random.integers(2, 161) * HOUR
            pools = (relatives, others, strangers)
            cast = _cast(random, pools, decks, shares)
            burst = random.random() < 0.08
        for name in cast:
            deck = decks[name]
            if not deck:
                continue
            row = int(deck.pop() if once else deck[random.integers(len(deck))])
            evidence.append(
                Evidence(FaceId(len(evidence)), PhotoId(photo), random.bytes(8), now, float(faces.quality[row]))
            )
            vectors.append(faces.seen_again(row, random))
            truth.append(number[name])
    known = frozenset(number[n] for n in [*relatives, *others])
    return Library(Gallery(tuple(evidence), np.stack(vectors)), tuple(truth), known)


def _cast(
    random: np.random.Generator,
    pools: tuple[list[str], ...],
    decks: dict[str, list[int]],
    shares: tuple[float, float, float],
) -> list[str]:
    wanted = random.choice([1, 2, 3, 4, 5], p=[0.40, 0.28, 0.16, 0.10, 0.06])
    cast: list[str] = []
    for _ in range(100):
        if len(cast) >= wanted:
            break
        pool = pools[random.choice(3, p=np.array(shares) / sum(shares))]
        name = pool[random.integers(len(pool))] if pool else ""
        if not name or name in cast or not decks[name]:
            continue
        if pool is pools[2]:
            pool.remove(name)
        cast.append(name)
    return cast


@dataclass(frozen=True, slots=True)
class Progress:
    """After so many answers: share of the regulars' faces named, and how many of all names are right."""

    answers: int
    named: float
    precision: float
    recognition: Recognition
    gallery: Gallery


def play(
    library: Library, calibration: Calibration, settings: PeopleSettings, *, by_group: bool = False
) -> Iterator[Progress]:
    """Answer the most valuable question until enough is named or nothing is left to ask.

    "Who is this?" is answered by the majority of the faces, wrong ones included; at "Is this ...?" the faces that are
    somebody else are deselected. `by_group` knows no such questions: the largest group is named by its majority.
    """
    gallery, truth = library.gallery, library.truth
    recognition = recognise(gallery, calibration, {}, settings)
    for answers in range(len(truth)):
        progress = _progress(library, gallery, recognition, answers)
        yield progress
        questions = open_groups(gallery, recognition) if by_group else review(gallery, recognition)
        if progress.named >= ENOUGH or not questions:
            return
        gallery = answer(library, gallery, questions[0])
        recognition = recognise(gallery, calibration, recognition.groups, settings)


def answer(library: Library, gallery: Gallery, question: Question) -> Gallery:
    """The gallery after the question was answered."""
    truth, faces = library.truth, list(gallery.faces)
    majority = Counter(truth[f] for f in question.faces).most_common(1)[0][0]
    for f in question.faces:
        face, who = faces[f], majority if question.person is None else truth[f]
        if question.person is not None and who != question.person:
            faces[f] = replace(face, rejected=face.rejected | {question.person})
        elif who in library.known:
            faces[f] = replace(face, person=who)
        else:
            faces[f] = replace(face, ignored=True)
    return Gallery(tuple(faces), gallery.vectors)


def open_groups(gallery: Gallery, recognition: Recognition) -> list[Question]:
    """Every group with faces that nobody named, the largest first."""
    waiting: dict[int, list[FaceId]] = {}
    for face in gallery.faces:
        suggestion = recognition.suggestions.get(face.id)
        automatic = suggestion is not None and suggestion.auto
        if face.id in recognition.groups and face.person is None and not face.ignored and not automatic:
            waiting.setdefault(recognition.groups[face.id], []).append(face.id)
    questions = [Question(tuple(faces), None, group, len(faces)) for group, faces in waiting.items()]
    return sorted(questions, key=lambda q: (-q.value, q.group))


def _progress(library: Library, gallery: Gallery, recognition: Recognition, answers: int) -> Progress:
    names = {f.id: f.person for f in gallery.faces if f.person is not None}
    names |= {f: s.person for f, s in recognition.suggestions.items() if s.auto}
    right = {f for f, person in names.items() if library.truth[f] == person}
    regulars = library.regulars()
    named = sum(f in right for f in regulars) / len(regulars)
    return Progress(answers, named, len(right) / max(1, len(names)), recognition, gallery)


def bcubed(truth: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """BCubed precision, recall and F1 (Bagga and Baldwin 1998) of two labelings (N,)."""
    table = np.zeros((truth.max() + 1, groups.max() + 1))
    np.add.at(table, (truth, groups), 1)
    square = table**2
    precision = (square / np.maximum(table.sum(0), 1)).sum() / len(truth)
    recall = (square / np.maximum(table.sum(1, keepdims=True), 1)).sum() / len(truth)
    return precision, recall, 2 * precision * recall / (precision + recall)


def calibration_of(path: Path) -> Calibration:
    whole = tomllib.loads(path.read_text("utf-8"))
    table = whole.get("pack", whole)["calibration"]
    return Calibration(
        table["cosine_fmr"],
        table.get("classifier", {}),
        table.get("group", {}),
        table.get("measured", True),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("--half", type=int, default=1)
    parser.add_argument("--libraries", type=int, default=5)
    parser.add_argument("--groups", action="store_true", help="name whole groups by their majority, nothing else")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    calibration = calibration_of(options.calibration)
    faces = Faces.load(options.embeddings, options.half, calibration.cosine_fmr["1e-3"])
    for seed in range(options.libraries):
        library = make_library(faces, seed)
        started, last = time.perf_counter(), None
        for last in play(library, calibration, PeopleSettings(), by_group=options.groups):
            if options.verbose:
                print(f"    {last.answers:3} answers: named {last.named:.3f}, right {last.precision:.4f}")
        count = len(library.truth)
        print(
            f"library {seed}: {count} faces, {last.answers} answers ({100 * last.answers / count:.2f} per 100 faces), "
            f"{last.named:.3f} of the regulars' faces named, {last.precision:.4f} of all names right, "
            f"{(time.perf_counter() - started) / (last.answers + 1):.2f} s an answer"
        )


if __name__ == "__main__":
    main()
