"""How fast a running Kith answers over its socket, with a catalogue of 10,000 faces: quiet, and while a scan writes.

api_latency.py [FACES]
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from kith.catalogue import faces, photos
from served import Running, Served, add_photo, running, served

CALLS = 500
PEOPLE = 200
BESIDE = 5000  # photos that a scan adds meanwhile, at most


def main(count: int = 10_000) -> None:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        chance = np.random.default_rng(1)
        family = [tuple(chance.choice(PEOPLE, 2, replace=False)) for _ in range(count // 2)]
        control = stack.enter_context(running(home, [], pixels=False))
        quick(control)
        for number, people in enumerate(family):
            add_photo(control, number, people, pixels=False)
        kith = stack.enter_context(served(control))
        named = {int(who): f"Person {who}" for pair in family for who in pair}
        for face, who in zip(range(1, PEOPLE * 4), (w for pair in family for w in pair), strict=False):
            kith.client.post(f"/v1/faces/f{face}/name", name=named[int(who)])
        control.app.catalogue.write(suggest, count)
        print(f"{count} faces, {len(family)} photos, {CALLS} calls each; milliseconds")
        measure(kith, "quiet")
        over = threading.Event()
        scan = threading.Thread(target=work, args=(control, len(family), over))
        scan.start()
        measure(kith, "while a scan writes", first=count // 2)
        over.set()
        scan.join()


def quick(control: Running) -> None:
    """Nobody believes anything by itself here: only the calls are measured."""
    control.wake = lambda: None  # type: ignore[method-assign]


def suggest(db: faces.Database, count: int) -> None:
    """A suggestion for every face that nobody answered."""
    db.execute(
        "UPDATE faces SET suggested_id = 1 + id % 100, probability_classifier = 0.9, probability_group = 0.9,"
        " because = '[1]', group_id = id % 500 WHERE answer IS NULL"
    )


def work(control: Running, first: int, over: threading.Event) -> None:
    """What the daemon's finder does to the catalogue, without the pixels: photo after photo."""
    for number in range(first, first + BESIDE):
        if over.is_set():
            return
        add_photo(control, number, (1, 2), pixels=False)
        control.app.catalogue.read(photos.get, 1)  # type: ignore[arg-type]


def measure(kith: Served, when: str, first: int = PEOPLE * 4) -> None:
    client = kith.client
    paths = [photo["path"] for photo in (client.get(f"/v1/photos/{n}")["photo"] for n in range(1, CALLS + 1))]
    chance = np.random.default_rng(2)
    for title, call in (
        ("hello", lambda n: client.get("/v1/hello")),
        ("a photo by path", lambda n: client.post("/v1/photos/lookup", paths=[paths[n]])),
        ("100 photos by path", lambda n: client.post("/v1/photos/lookup", paths=list(chance.choice(paths, 100)))),
        ("confirm", lambda n: client.post(f"/v1/faces/f{first + n}/confirm")),
        ("100 faces, newest", lambda n: client.get("/v1/faces", order="newest", limit=100)),
        ("a face's picture", lambda n: kith.http("GET", f"/v1/faces/f{n + 1}/crop")),
        ("people", lambda n: client.get("/v1/people")),
        ("status", lambda n: client.get("/v1/status")),
        ("questions", lambda n: client.get("/v1/questions")),
    ):
        told(title, when, call, CALLS if title not in ("100 faces, newest", "people", "status", "questions") else 20)


def told(title: str, when: str, call: Callable[[int], object], calls: int) -> None:
    took = []
    for number in range(calls):
        began = time.perf_counter()
        call(number)
        took.append(1000 * (time.perf_counter() - began))
    p50, p99 = np.percentile(took, [50, 99])
    print(f"{title:<20} {when:<20} p50 {p50:8.2f}  p99 {p99:8.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
