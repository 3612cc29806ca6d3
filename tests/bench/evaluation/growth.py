"""How long recognition takes as a library grows, photo by photo and all at once; how much memory it holds.

    python -m evaluation.growth FACES PACK [--sizes 1000 10000 100000] [--steps 200] [--check] [--exact-up-to N]

The library: made people and faces (see `population`), two in a photo; some people are named. All but the last `steps`
photos are taken over at once, those one by one, then some names are said. With --check all photos come one by one
and the people are compared with those that all at once gives. Give one size at a time for memory's sake: what Python
once had it seldom gives back.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.faces import DataSet, load
from evaluation.population import Population, populate
from evaluation.search import resident
from kith import memory
from kith.people import PeopleSettings, Recogniser, recognise
from kith.types import Calibration, Evidence, FaceId, Gallery, PersonId, PhotoId

NAMED = 100  # people with a name, three faces each


def library(data: DataSet, count: int) -> Gallery:
    """`count` faces in random order, two in a photo, of two people, taken ten minutes apart."""
    random = np.random.default_rng(0)
    population = paired(populate(data, count), random)
    people, sizes = np.unique(population.people, return_counts=True)
    named = {int(name): PersonId(i + 1) for i, name in enumerate(people[np.argsort(-sizes)][:NAMED])}
    said: dict[int, int] = {}
    faces = []
    for i, name in enumerate(population.people.tolist()):
        said[name] = said.get(name, 0) + 1
        person = named.get(name) if said[name] <= 3 else None
        faces.append(Evidence(FaceId(i), PhotoId(i // 2), random.bytes(12), i // 2 * 600.0, 0.8, person))
    return Gallery(tuple(faces), population.vectors)


def paired(population: Population, random: np.random.Generator) -> Population:
    """The same faces in another order, in which no two that follow each other in a photo are one person's."""
    order, people = np.arange(len(population.people)), population.people
    while len(double := 2 * np.flatnonzero(people[order[0:-1:2]] == people[order[1::2]])):
        others = random.integers(0, len(order), len(double))
        for one, other in zip(double.tolist(), others.tolist(), strict=True):
            order[[one, other]] = order[[other, one]]
    return Population(population.vectors[order], people[order])


def part(gallery: Gallery, start: int, end: int) -> Gallery:
    return Gallery(gallery.faces[start:end], gallery.vectors[start:end].astype(np.float32))


def times(clocks: list[tuple[float, float]]) -> str:
    wall, cpu = 1000 * np.array(clocks).T
    return (
        f"{np.median(wall):.1f} ms (p99 {np.percentile(wall, 99):.1f}) by the clock, "
        f"{np.median(cpu):.1f} ms (p99 {np.percentile(cpu, 99):.1f}, mean {cpu.mean():.1f}) of processor time"
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
        recogniser.update(Gallery((confirmed,), gallery.vectors[face][None].astype(np.float32)))
        clocks.append(since(began))
    print(f"{len(gallery.faces)} faces: one more answer {times(clocks)}")


def check(gallery: Gallery, calibration: Calibration, settings: PeopleSettings) -> None:
    """One by one and all at once, compared."""
    recogniser = Recogniser(calibration, settings)
    grow(gallery, recogniser, 0, 1000)
    while recogniser.waiting():
        recogniser.tend(256)
    began = clock()
    at_once = recognise(part(gallery, 0, len(gallery.faces)), calibration, {}, settings)
    print("all at once: {:.1f} s, {:.1f} s of processor time".format(*since(began)))
    grown = recogniser.recognition
    print(f"same suggestions: {grown.suggestions == at_once.suggestions}")
    groups = [{frozenset(f for f in g if g[f] == n) for n in set(g.values())} for g in (grown.groups, at_once.groups)]
    print(f"same groups: {groups[0] == groups[1]} ({len(groups[0])})")


def measure(gallery: Gallery, calibration: Calibration, settings: PeopleSettings, steps: int) -> None:
    memory.give_back()
    count, before = len(gallery.faces), resident()
    recogniser, start = Recogniser(calibration, settings), count - 2 * steps
    began = clock()
    recogniser.update(part(gallery, 0, start))
    print("{} faces at once: {:.1f} s, {:.1f} s of processor time".format(start, *since(began)), flush=True)
    grow(gallery, recogniser, start, count)
    answer(gallery, recogniser, 20)
    memory.give_back()
    most = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{count} faces: {(resident() - before) / count:.0f} bytes a face resident, {most / count:.0f} at most while "
        f"they came, the program's own {before / 1e6:.0f} MB with the library's faces included in the latter",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces_folder", metavar="FACES", type=Path)
    parser.add_argument("pack", metavar="PACK", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--exact-up-to", type=int, default=PeopleSettings().exact_up_to)
    options = parser.parse_args()
    settings = PeopleSettings(exact_up_to=options.exact_up_to)
    manifest, data = load(options.faces_folder, options.pack, options.out)
    for size in options.sizes:
        gallery = library(data, size)
        if options.check:
            check(gallery, manifest.beliefs, settings)
        else:
            measure(gallery, manifest.beliefs, settings, options.steps)


if __name__ == "__main__":
    main()
