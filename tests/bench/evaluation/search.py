"""Time to find one face's neighbours among many: all pairs compared, and proposed by USearch.

    python -m evaluation.search FACES PACK [--faces 1000000] [--build] [--queries 200]

Faces are those of the data set, turned at random again and again until there are enough; queries are turned by the
same, a little displaced. USearch is built only with --build: that takes minutes for each 100,000 faces.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from evaluation.faces import load
from kith.people import PeopleSettings
from kith.people.index import Neighbours
from kith.people.vectors import snap, unit

FLOOR = 0.4


def turned(embeddings: np.ndarray, count: int) -> np.ndarray:
    """Unit vectors (count, D) on the grid, from embeddings (N, D)."""
    random = np.random.default_rng(0)
    vectors = unit(embeddings.astype(np.float64)).astype(np.float32)
    found = np.empty((count, vectors.shape[1]), np.float32)
    for start in range(0, count, len(vectors)):
        rotation = np.linalg.qr(random.normal(size=(vectors.shape[1],) * 2))[0].astype(np.float32)
        found[start : start + len(vectors)] = snap((vectors @ rotation)[: count - start])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces_folder", metavar="FACES", type=Path)
    parser.add_argument("pack", metavar="PACK", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--build", action="store_true")
    options = parser.parse_args()
    _, data = load(options.faces_folder, options.pack, options.out)
    vectors = turned(data.vectors, options.faces)
    random = np.random.default_rng(1)
    rows = random.permutation(len(vectors))[: options.queries]
    moved = snap(unit(vectors[rows] + 0.02 * random.normal(size=(len(rows), vectors.shape[1]))))
    slots = np.arange(len(vectors), len(vectors) + len(rows))
    exact = [np.argpartition(-(vectors @ query), 10)[:10] for query in moved]
    for name, limit in (("all pairs", 10**9), ("USearch", 0))[: 1 + options.build]:
        held = Neighbours(vectors.shape[1], FLOOR, PeopleSettings(exact_up_to=limit))
        held.grow(len(vectors) + len(rows))
        began = time.perf_counter()
        held.add(np.arange(len(vectors)), vectors)
        built = time.perf_counter() - began
        held.add(slots, moved)
        seconds, processor, hits = [], [], 0
        for slot, best in zip(slots, exact, strict=True):
            began, busy = time.perf_counter(), time.process_time()
            found = np.concatenate([right for _, right, _ in held.near(slot[None])])
            seconds.append(time.perf_counter() - began)
            processor.append(time.process_time() - busy)
            alike = [b for b in best if vectors[b] @ held.vectors[slot] >= FLOOR]
            hits += len(set(found.tolist()) & set(alike)) == len(alike)
        ms, cpu = 1000 * np.array(seconds), 1000 * np.median(processor)
        print(
            f"{name}, {len(vectors)} faces: built in {built:.0f} s, a search takes {np.median(ms):.1f} ms "
            f"(p99 {np.percentile(ms, 99):.1f}; {cpu:.1f} of processor time), "
            f"all of the ten nearest above {FLOOR} found for {hits / len(rows):.3f}",
            flush=True,
        )
    print(f"resident at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / options.faces:.2f} KB a face")


if __name__ == "__main__":
    main()
