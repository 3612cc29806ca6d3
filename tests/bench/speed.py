"""How fast photos are analysed, and where the time goes.

    speed.py PHOTOS PACK [--workers 2]

PHOTOS  a folder of photos       PACK  a folder with a model pack

In the same run and with the same number of processes the photos are also only decoded, whole, by OpenCV: the ratio
of the two rates holds from machine to machine. Then the faces are grouped photo by photo, as if each had just come.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kith.people import Recogniser
from kith.pools import SpawnPool, each
from kith.types import Analysis, Calibration, Evidence, FaceId, Gallery, PhotoId
from kith.vision import VisionSettings, is_photo, worker
from kith.vision.manifest import read_manifest


def only_decode(path: bytes) -> tuple[int, ...]:
    """The work that nobody can do without."""
    cv2.setNumThreads(1)
    return cv2.imread(os.fsdecode(path)).shape


def rate(pool: SpawnPool, fn: Callable[[Any], Any], paths: list[Any], workers: int) -> tuple[float, list[Any]]:
    """Photos per second of wall-clock time, and the results; the processes are started and warmed first."""
    for _, future in each(pool, fn, ((p, p) for p in paths[: 2 * workers]), 2 * workers):
        future.result()
    start = time.perf_counter()
    results = [future.result() for _, future in each(pool, fn, ((p, p) for p in paths), 2 * workers)]
    return len(paths) / (time.perf_counter() - start), results


def grouping(analyses: list[Analysis], calibration: Calibration) -> float:
    """Seconds to group and match the faces of all photos, one photo after the other."""
    recogniser = Recogniser(calibration)
    start = time.perf_counter()
    for number, analysis in enumerate(analyses):
        faces = tuple(
            Evidence(
                FaceId(1000 * number + i), PhotoId(number), f"{number} {i}".encode(), analysis.captured_at, f.quality
            )
            for i, f in enumerate(analysis.faces)
        )
        if faces:
            recogniser.update(Gallery(faces, np.stack([f.embedding for f in analysis.faces])))
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    paths = [os.fsencode(p) for p in sorted(options.photos.rglob("*")) if is_photo(os.fsencode(p.name))]
    with SpawnPool(options.workers) as pool:
        plain, shapes = rate(pool, only_decode, paths, options.workers)
    with SpawnPool(options.workers, worker.initialise, (options.pack, VisionSettings())) as pool:
        requests = [worker.Request(path) for path in paths]
        whole, analyses = rate(pool, worker.analyse_file, requests, options.workers)
    steps: Counter[str] = Counter()
    for analysis in analyses:
        steps.update(analysis.seconds)
    faces = sum(len(analysis.faces) for analysis in analyses)
    megapixels = sum(h * w for h, w, _ in shapes) / 1e6 / len(shapes)
    print(f"{len(paths)} photos of {megapixels:.1f} megapixels, {faces} faces, {options.workers} workers")
    print(f"{whole:.1f} photos a second; only decoding them, whole: {plain:.1f}; ratio {whole / plain:.2f}")
    for step, seconds in steps.most_common():
        print(f"  {step:<8} {1000 * seconds / len(paths):6.1f} ms  {seconds / steps.total():4.0%}")
    seconds = grouping(analyses, read_manifest(options.pack).beliefs)
    print(f"grouping, photo by photo: {1000 * seconds / len(paths):.1f} ms, {seconds / steps.total():.0%} of all these")


if __name__ == "__main__":
    main()
