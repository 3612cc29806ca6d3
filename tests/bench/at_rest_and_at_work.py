"""How a running Kith feels: python tests/bench/at_rest_and_at_work.py PACK PHOTOS [REST]

Starts `kith run` over a copy of PHOTOS and asks for photos and confirms faces over the socket while it scans with all
workers; then leaves it alone for REST seconds (120) and tells what it costs; then how long it takes to be in step again
over 100,000 files that have not changed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from churn import Running, rows
from desk import Desk
from kith.catalogue import open_catalogue, photos
from kith.client import Client
from kith.scan import content_key

TICKS = os.sysconf("SC_CLK_TCK")
FILES, LINKS = 100_000, 50_000  # a file system bears only so many links of one file


def main(pack: Path, pictures: Path, rest: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.kith("models", "install", "--from", pack)
        desk.configure("[neighbour]\npause_on_battery = false\n")
        shutil.copytree(pictures, desk.home / "photos")
        kith = Running(desk, desk.home / "photos")
        kith.start()
        kith.ready()
        with Client(desk.home / "runtime" / "kith" / "kith.sock") as client:
            at_work(desk, client)
            idle(client)
        at_rest(kith, rest)
        kith.stop()
        warm_start(desk)


def at_work(desk: Desk, client: Client) -> None:
    """Latencies while the scan runs."""
    lookups, answers = [], []
    while client.get("/v1/status")["doing"]["stage"] is None:
        time.sleep(0.1)
    while (status := client.get("/v1/status"))["counts"]["pending"] > 0:
        known = rows(desk, "SELECT path FROM photos WHERE analysed_rev > 0 ORDER BY random() LIMIT 20")
        for (path,) in known:
            lookups.append(timed(lambda path=path: client.post("/v1/photos/lookup", paths=[path])))
        for (face,) in rows(desk, "SELECT 'f' || id FROM faces WHERE answer IS NULL ORDER BY random() LIMIT 3"):
            name = f"Person {len(answers) % 20}"
            answers.append(timed(lambda face=face, name=name: client.post(f"/v1/faces/{face}/name", name=name)))
        time.sleep(0.2)
    print(f"scanned {status['counts']['photos']} photos meanwhile")
    for what, seconds in (("photo by path", lookups), ("name a face", answers)):
        p50, p99 = np.percentile(np.array(seconds) * 1000, [50, 99])
        print(f"{what:<15} {len(seconds):>5} times   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")


def timed(ask: object) -> float:
    began = time.perf_counter()
    ask()  # type: ignore[operator]
    return time.perf_counter() - began


def idle(client: Client) -> None:
    while client.get("/v1/status")["doing"]["state"] != "idle":
        time.sleep(0.5)


def at_rest(kith: Running, rest: float) -> None:
    assert kith.process is not None
    time.sleep(75)  # workers end after a minute without work
    before = cpu(kith.process.pid)
    time.sleep(rest)
    spent = cpu(kith.process.pid) - before
    pids = family(kith.process.pid)
    memory = sum(map(rss, pids)) / 2**20
    print(f"idle for {rest:.0f} s: {100 * spent / rest:.2f} % of a core, {memory:.0f} MiB, {len(pids)} processes")


def family(pid: int) -> list[int]:
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *(other for child in children for other in family(child))]


def cpu(pid: int) -> float:
    """Seconds of processor time of a process and its children."""
    return (
        sum(
            sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13]))
            for one in family(pid)
        )
        / TICKS
    )


def rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def warm_start(desk: Desk) -> None:
    """Files that the catalogue knows, as links of one, and the time until Kith has looked at them all."""
    root = desk.home / "many"
    one = next((desk.home / "photos").rglob("*.[jJ][pP]*"))
    for number in range(FILES):
        if number % LINKS == 0:
            one = Path(shutil.copy2(one, desk.home / f"one{number}.jpg"))
        folder = root / f"{number // 500:03}"
        folder.mkdir(parents=True, exist_ok=True)
        os.link(one, folder / f"{number:06}.jpg")
    info = one.stat()
    key = content_key(os.fsencode(one), info.st_size)
    catalogue = open_catalogue(desk.home / "data" / "kith" / "catalogue.db")
    paths = [os.fsencode(path) for path in root.rglob("*.jpg")]
    states = [photos.FileState(path, info.st_size, info.st_mtime_ns, key) for path in paths]
    catalogue.write(insert, states)
    catalogue.close()
    kith = Running(desk, root)
    began = time.perf_counter()
    kith.start()
    kith.ready()
    answering = time.perf_counter() - began
    with Client(desk.home / "runtime" / "kith" / "kith.sock") as client:
        while client.get("/v1/status")["doing"]["stage"] is None:
            time.sleep(0.02)
        idle(client)
    print(
        f"warm start over {FILES:,} unchanged files: answers after {answering:.1f} s, in step after "
        f"{time.perf_counter() - began:.1f} s"
    )
    kith.stop()


def insert(db: object, states: list[photos.FileState]) -> None:
    connection: sqlite3.Connection = db.conn  # type: ignore[attr-defined]
    connection.executemany(
        "INSERT INTO photos (path, size, mtime_ns, content_key, analysed_rev, analysed_key, width, height, orientation,"
        " said, heard) VALUES (?, ?, ?, ?, 1, ?, 3000, 2000, 1, '', '')",
        [(s.path, s.size, s.mtime_ns, s.content_key, s.content_key) for s in states],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 120.0)
