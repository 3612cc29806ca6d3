"""How long recognition takes as a library grows, face by face and all at once.

    python -m evaluation.growth FACES PACK [--faces 10000] [--steps 200] [--check] [--exact-up-to N]

The library: faces of the data set, turned at random again and again until there are enough, each turn other people;
some people are named. All but the last `steps`
photos are taken over at once, those one by one, then some names are said. With --check all photos come one by one
and the people are compared with those that all at once gives.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.faces import DataSet, load
from kith.people import PeopleSettings, Recogniser, recognise
from kith.types import Evidence, FaceId, Gallery, PersonId, PhotoId

NAMED = 100  # people with a name, three faces each


def library(data: DataSet, count: int) -> Gallery:
    """`count` faces in random order, two in a photo, three years long."""
    random = np.random.default_rng(0)
    names, each = data.labels.tolist(), data.vectors
    rounds = -(-count // len(each))
    vectors, labels = [], []
    for turn in range(rounds):
        rotation = np.linalg.qr(random.normal(size=(each.shape[1],) * 2))[0] if turn else None
        vectors.append(each if rotation is None else (each @ rotation).astype(np.float32))
        labels += [f"{turn} {name}" for name in names]
    order = random.permutation(len(labels))[:count]
    labels = np.array(labels)[order]
    people, sizes = np.unique(labels, return_counts=True)
    named = {name: PersonId(i + 1) for i, name in enumerate(people[np.argsort(-sizes)][:NAMED].tolist())}
    said: dict[str, int] = {}
    faces = []
    for i, name in enumerate(labels.tolist()):
        said[name] = said.get(name, 0) + 1
        person = named.get(name) if said[name] <= 3 else None
        faces.append(Evidence(FaceId(i), PhotoId(i // 2), random.bytes(12), i // 2 * 600.0, 0.8, person))
    return Gallery(tuple(faces), np.concatenate(vectors)[order])


def part(gallery: Gallery, start: int, end: int) -> Gallery:
    return Gallery(gallery.faces[start:end], gallery.vectors[start:end])


def times(clocks: list[tuple[float, float]]) -> str:
    wall, cpu = 1000 * np.array(clocks).T
    return (
        f"{cpu.mean():.1f} ms of processor time (median {np.median(cpu):.1f}, p95 {np.percentile(cpu, 95):.1f}), "
        f"{np.median(wall):.1f} ms by the clock"
    )


def since(start: tuple[float, float]) -> tuple[float, float]:
    now = clock()
    return now[0] - start[0], now[1] - start[1]


def clock() -> tuple[float, float]:
    """Seconds by the clock, and of processor time, which other programs don't disturb as much."""
    return time.perf_counter(), time.process_time()


def grow(gallery: Gallery, recogniser: Recogniser, start: int, every: int) -> None:
    clocks: list[tuple[float, float]] = []
    for i in range(start, len(gallery.faces), 2):
        began = clock()
        recogniser.update(part(gallery, i, i + 2))
        clocks.append(since(began))
        if (i + 2) % every == 0 or i + 2 == len(gallery.faces):
            print(f"{i + 2} faces: one more photo {times(clocks[-every // 2 :])}", flush=True)


def answer(gallery: Gallery, recogniser: Recogniser, count: int) -> None:
    """Confirm suggestions one at a time."""
    clocks = []
    for face, suggestion in list(recogniser.recognition.suggestions.items())[:count]:
        began = clock()
        confirmed = replace(gallery.faces[face], person=suggestion.person)
        recogniser.update(Gallery((confirmed,), gallery.vectors[face][None]))
        clocks.append(since(began))
    print(f"{len(gallery.faces)} faces: one more answer {times(clocks)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces_folder", metavar="FACES", type=Path)
    parser.add_argument("pack", metavar="PACK", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--faces", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--exact-up-to", type=int, default=PeopleSettings().exact_up_to)
    options = parser.parse_args()
    settings = PeopleSettings(exact_up_to=options.exact_up_to)
    manifest, data = load(options.faces_folder, options.pack, options.out)
    calibration, gallery = manifest.beliefs, library(data, options.faces)
    recogniser = Recogniser(calibration, settings)
    if options.check:
        grow(gallery, recogniser, 0, 1000)
        began = clock()
        at_once = recognise(gallery, calibration, {}, settings)
        print("all at once: {:.1f} s, {:.1f} s of processor time".format(*since(began)))
        grown = recogniser.recognition
        print(f"same suggestions: {grown.suggestions == at_once.suggestions}")
        groups = [
            {frozenset(f for f in g if g[f] == n) for n in set(g.values())} for g in (grown.groups, at_once.groups)
        ]
        print(f"same groups: {groups[0] == groups[1]} ({len(groups[0])})")
        return
    start = options.faces - 2 * options.steps
    began = clock()
    recogniser.update(part(gallery, 0, start))
    print("{} faces at once: {:.1f} s, {:.1f} s of processor time".format(start, *since(began)), flush=True)
    grow(gallery, recogniser, start, options.faces)
    answer(gallery, recogniser, 20)
    print(f"resident at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / options.faces:.2f} KB a face")


if __name__ == "__main__":
    main()
