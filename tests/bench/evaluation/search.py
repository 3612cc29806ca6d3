"""Time to find one face's neighbours among many, by comparing all pairs and proposed by USearch.

    python -m evaluation.search FACES PACK [--sizes 1000 10000 100000 1000000] [--queries 200]

Faces are made (see `population`). Building the index takes about a minute for each 100,000 faces on two quiet cores.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from evaluation.faces import load
from evaluation.population import Population, populate
from evaluation.report import table
from kith import memory
from kith.people import PeopleSettings
from kith.people.cuts import Cuts
from kith.people.index import Near, Neighbours
from kith.people.threads import one_blas_thread

HEAD = (
    "faces",
    "index built, s",
    "exact p50, ms",
    "p99, ms",
    "index p50, ms",
    "p99, ms",
    "recall@10",
    "of one person",
    "bytes a face",
)
AT_ONCE = 10_000


def resident() -> int:
    """Bytes of memory this process holds now."""
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])


def nearest(near: list[Near], count: int) -> set[int]:
    right = np.concatenate([others for _, others, _ in near])
    cosines = np.concatenate([alike for _, _, alike in near])
    return set(right[np.argsort(-cosines, kind="stable")[:count]].tolist())


@one_blas_thread()
def measure(population: Population, cuts: Cuts, queries: int) -> tuple[object, ...]:
    """A row of the table. Recall is of those of the ten nearest that are at or above the floor, whosever they are, and
    of those among them that are the same person's."""
    vectors, people = population.vectors, population.people
    memory.give_back()
    before, count = resident(), len(vectors)
    held = Neighbours(vectors.shape[1], cuts.edge, cuts.burst, PeopleSettings(exact_up_to=0))
    held.grow(count)
    began = time.perf_counter()
    for start in range(0, count, AT_ONCE):
        slots = np.arange(start, min(start + AT_ONCE, count))
        held.add(slots, vectors[slots].astype(np.float32))
        held.learn(held.unknown())
    built = time.perf_counter() - began
    list(held.near(np.arange(1)))  # the first time packs the vectors
    memory.give_back()
    bytes_ = (resident() - before) / count
    exact, proposed, recall, of_one = [], [], [], []
    for slot in np.random.default_rng(1).permutation(count)[:queries]:
        began = time.perf_counter()
        all_of_them = nearest(list(held.near(slot[None])) or [_nothing()], 10)
        exact.append(time.perf_counter() - began)
        began = time.perf_counter()
        found = list(held.proposed(slot[None]))
        proposed.append(time.perf_counter() - began)
        known = nearest(found or [_nothing()], count)
        for wanted, shares in ((all_of_them, recall), ({f for f in all_of_them if people[f] == people[slot]}, of_one)):
            if wanted:
                shares.append(len(wanted & known) / len(wanted))
    times = [f"{1000 * t:.2f}" for clocks in (exact, proposed) for t in np.percentile(clocks, [50, 99])]
    return count, f"{built:.0f}", *times, f"{np.mean(recall):.4f}", f"{np.mean(of_one):.4f}", f"{bytes_:.0f}"


def _nothing() -> Near:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces_folder", metavar="FACES", type=Path)
    parser.add_argument("pack", metavar="PACK", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    manifest, data = load(options.faces_folder, options.pack, options.out)
    cuts = Cuts.of(manifest.beliefs, 0)
    rows = []
    for size in options.sizes:
        rows.append(measure(populate(data, size), cuts, options.queries))
        print(table(HEAD, rows), flush=True)


if __name__ == "__main__":
    main()
