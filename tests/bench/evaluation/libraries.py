"""Made-up photo libraries of a data set's people, and somebody who names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from evaluation.faces import OFTEN, Faces
from kith.people import PeopleSettings, Question, Recogniser, review
from kith.types import Calibration, Evidence, FaceId, Floats, Gallery, PersonId, PhotoId, Recognition

HOUR = 3600.0
ENOUGH = 0.95  # share of the faces of people with five photos or more that must be named
WRITTEN_AGAIN = 0.1  # how far an embedding moves when its picture is scaled and saved again, see `seen_again`
STRANGERS = 1000
MOST = 60  # pictures of one person in a crowd
MADE, CROWDS, SMALLER = WORLDS = ("made libraries", "crowds", "smaller crowds")


@dataclass(frozen=True, eq=False)
class Library:
    """A gallery nobody answered anything about, and the truth: who each face is and which row of the data set.

    A face's id is its position. `known` are the people one would name; all others are strangers.
    """

    gallery: Gallery
    truth: tuple[PersonId, ...]
    known: frozenset[PersonId]
    rows: tuple[int, ...]

    @property
    def people(self) -> np.ndarray:
        """Who each face is (N,)."""
        return np.array(self.truth)

    def regulars(self) -> list[int]:
        """Faces of the known people with five photos or more."""
        count = Counter(self.truth)
        return [i for i, p in enumerate(self.truth) if p in self.known and count[p] >= OFTEN]

    def told(self, names: dict[int, PersonId]) -> Gallery:
        """The gallery with these faces confirmed."""
        faces = (replace(f, person=names[f.id]) if f.id in names else f for f in self.gallery.faces)
        return Gallery(tuple(faces), self.gallery.vectors)

    def some_of(self, people: Iterable[int], count: int, random: np.random.Generator) -> dict[int, PersonId]:
        """The right names of at most so many faces of each of these people."""
        truth = self.people
        chosen = (int(i) for p in people for i in random.permutation(np.flatnonzero(truth == p))[:count])
        return {i: self.truth[i] for i in chosen}


def crowd(faces: Faces, seed: int) -> Library:
    """All people with five pictures or more (60 at most) and 1,000 strangers, each face in a photo of its own."""
    random = np.random.default_rng(seed)
    regulars = [random.permutation(rows)[:MOST] for rows in faces.regulars()]
    singles = faces.singles()
    people = [*regulars, *(singles[i] for i in random.permutation(len(singles))[:STRANGERS])]
    rows, truth = np.concatenate(people), np.repeat(np.arange(len(people)) + 1, [len(p) for p in people])
    order = random.permutation(len(rows))
    rows, truth = rows[order], truth[order]
    evidence = tuple(
        Evidence(FaceId(i), PhotoId(i), random.bytes(8), None, float(faces.quality[row])) for i, row in enumerate(rows)
    )
    known = frozenset(PersonId(i + 1) for i in range(len(regulars)))
    return Library(
        Gallery(evidence, faces.vectors[rows]), tuple(PersonId(int(p)) for p in truth), known, tuple(rows.tolist())
    )


def seen_again(vector: Floats, spread: float, random: np.random.Generator) -> Floats:
    """The vector (D,) a little displaced: 1 - cosine is a tenth of `spread`, what separates strangers."""
    noise = random.normal(size=len(vector))
    noise -= noise @ vector * vector
    angle = np.arccos(1 - WRITTEN_AGAIN * spread)
    moved = np.cos(angle) * vector + np.sin(angle) * noise / np.linalg.norm(noise)
    return moved.astype(np.float32)


def make_library(
    faces: Faces,
    seed: int,
    spread: float,
    *,
    photos: int = 400,
    family: int = 8,
    friends: int = 20,
    shares: tuple[float, float, float] = (60, 25, 15),
    once: bool = False,
) -> Library:
    """One to five people a photo, bursts, dates over years; family often, friends sometimes, strangers once.

    With `once` no picture is used twice: a person who has none left appears no more. `spread` see `seen_again`.
    """
    random = np.random.default_rng(seed)
    names = list(faces.of)
    start = int(random.integers(0, 24)) if once else 0
    relatives = names[start : start + family]
    others = [n for n in names[start + family :] if len(faces.of[n]) >= 4]
    others = [others[i] for i in random.permutation(len(others))[:friends]]
    strangers = [n for n in names if len(faces.of[n]) <= (3 if once else 1)]
    strangers = [strangers[i] for i in random.permutation(len(strangers))]
    decks = {n: list(random.permutation(faces.of[n])) for n in [*relatives, *others, *strangers]}
    number = {n: PersonId(i + 1) for i, n in enumerate([*relatives, *others, *strangers])}
    evidence, vectors, truth, rows = [], [], [], []
    now, cast, burst = 1.3e9, [], False
    for photo in range(photos):
        if burst and random.random() < 0.5:
            now += 1
        else:
            now += random.integers(2, 161) * HOUR
            cast = _cast(random, (relatives, others, strangers), decks, shares)
            burst = random.random() < 0.08
        for name in cast:
            deck = decks[name]
            if not deck:
                continue
            row = int(deck.pop() if once else deck[random.integers(len(deck))])
            evidence.append(
                Evidence(FaceId(len(evidence)), PhotoId(photo), random.bytes(8), now, float(faces.quality[row]))
            )
            vectors.append(seen_again(faces.vectors[row], spread, random))
            truth.append(number[name])
            rows.append(row)
    known = frozenset(number[n] for n in [*relatives, *others])
    return Library(Gallery(tuple(evidence), np.stack(vectors)), tuple(truth), known, tuple(rows))


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


def half_named(
    faces: Faces, calibration: Calibration, count: int, settings: PeopleSettings
) -> Iterator[tuple[str, Library, Gallery]]:
    """Libraries of many shapes on their way, each with its kind: named as `review` asks, and by a few faces of some.

    `count` made libraries, every picture used once, a third as many crowds, and as many again of fewer people.
    """
    for seed in range(count):
        random = np.random.default_rng(seed)
        library = make_library(
            faces,
            seed,
            1 - calibration.cosine_fmr["1e-3"],
            photos=int(random.integers(150, 500)),
            family=int(random.integers(3, 10)),
            friends=int(random.integers(5, 40)),
            shares=[(60, 25, 15), (40, 20, 40), (30, 30, 40)][seed % 3],
            once=True,
        )
        for gallery in _states(library, calibration, seed, settings):
            yield MADE, library, gallery
    for kind in (CROWDS, SMALLER):
        for seed in range(count // 3):
            random = np.random.default_rng(seed)
            library = crowd(faces if kind == CROWDS else _fewer(faces, random), seed)
            often = np.array(sorted(library.known))
            for labels in (1, 1, 2, 3, 5):
                known = random.permutation(often)[: int(random.integers(1 + len(often) // 3, len(often) + 1))]
                yield kind, library, library.told(library.some_of(known, labels, random))


def _fewer(faces: Faces, random: np.random.Generator) -> Faces:
    """Faces of a twentieth to all of the people."""
    share = 20 ** -random.random()
    return Faces(faces.vectors, faces.quality, {n: rows for n, rows in faces.of.items() if random.random() < share})


def _states(library: Library, calibration: Calibration, seed: int, settings: PeopleSettings) -> Iterator[Gallery]:
    random = np.random.default_rng(seed)
    steps = set(np.unique(np.geomspace(2, 40, 6).astype(int)).tolist())
    for step, (gallery, _) in enumerate(answered(library, calibration, settings)):
        if step in steps:
            yield gallery
        if step == max(steps):
            break
    for labels in (1, 1, 2, 3, 5, 10):
        people = [p for p in sorted(library.known) if random.random() < 0.7]
        yield library.told(library.some_of(people, labels, random))


Ask = Callable[[Gallery, Recognition], tuple[Question, ...]]


def answered(
    library: Library, calibration: Calibration, settings: PeopleSettings, ask: Ask | None = None
) -> Iterator[tuple[Gallery, Recognition]]:
    """The library after no answer, one, two, ..., each to the most valuable question, while there are any.

    "Who is this?" is answered by the majority of the faces, wrong ones included; at "Is this ...?" the faces that are
    somebody else are deselected.
    """
    gallery, recogniser = library.gallery, Recogniser(calibration, settings)
    while True:
        recognition = recogniser.recognise(gallery)
        yield gallery, recognition
        questions = review(gallery, recognition, calibration) if ask is None else ask(gallery, recognition)
        if not questions:
            return
        gallery = answer(library, gallery, questions[0])


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


def open_groups(gallery: Gallery, recognition: Recognition) -> tuple[Question, ...]:
    """Every group with faces that nobody named, the largest first: what a program without `review` would ask."""
    waiting: dict[int, list[FaceId]] = {}
    for face in gallery.faces:
        suggestion = recognition.suggestions.get(face.id)
        automatic = suggestion is not None and suggestion.auto
        if face.id in recognition.groups and face.person is None and not face.ignored and not automatic:
            waiting.setdefault(recognition.groups[face.id], []).append(face.id)
    questions = [Question(tuple(faces), None, group, len(faces)) for group, faces in waiting.items()]
    return tuple(sorted(questions, key=lambda q: (-q.value, q.group)))
