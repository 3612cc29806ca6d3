"""Disorder on purpose: a folder in which photos are copied, moved, renamed, deleted and brought back at random."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from pathlib import Path

import drawn
from desk import Desk
from kith.client import Client


class Churn:
    """Changes below `root`, the same for the same seed. Every photo differs from all others in its last bytes."""

    def __init__(self, root: Path, seed: int = 0) -> None:
        self.root = root
        self._chance = random.Random(seed)
        self._made = 0
        self._away = root.parent / "away"
        self._away.mkdir(parents=True, exist_ok=True)
        cast = (["Anna"], ["Otto", "Clara"], ["Bruno"])
        self._models = [
            drawn.save(drawn.photo(names, size=(750, 500), seed=i), self._away / f"model{i}.jpg").read_bytes()
            for i, names in enumerate(cast)
        ]

    def photos(self) -> list[Path]:
        return sorted(self.root.rglob("*.jpg"))

    def add(self, count: int) -> None:
        for _ in range(count):
            folder = self.root / f"{self._chance.randrange(12)}" / f"{self._chance.randrange(3)}"
            folder.mkdir(parents=True, exist_ok=True)
            data = self._chance.choice(self._models) + f"{self._made}".encode()
            (folder / f"{self._made:05}.jpg").write_bytes(data)
            self._made += 1

    def stir(self, changes: int) -> None:
        """So many changes of one photo or one folder each."""
        for _ in range(changes):
            photos = self.photos()
            one = self._chance.choice(photos)
            change = self._chance.choice(("rename", "move", "folder", "delete", "back", "back"))
            if change == "rename":
                one.rename(one.with_name(f"r{self._chance.randrange(10**6)}-{one.name[-9:]}"))
            elif change == "move":
                there = self._chance.choice(photos).parent / f"m{self._chance.randrange(10**6)}-{one.name[-9:]}"
                one.rename(there)
            elif change == "folder":
                one.parent.rename(one.parent.with_name(f"f{self._chance.randrange(10**6)}"))
            elif change == "delete":
                shutil.move(one, self._away / one.name)
            else:
                gone = [path for path in self._away.glob("*.jpg") if not path.name.startswith("model")]
                if gone:
                    shutil.move(self._chance.choice(gone), one.parent)


class Running:
    """A `kith run` that can be killed and started again."""

    def __init__(self, desk: Desk, *folders: Path) -> None:
        self._desk, self._folders = desk, folders
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self._desk.home / "run.log").open("ab")
        self.process = subprocess.Popen(
            self._desk.command("run", "--port", "0", *self._folders),
            env=self._desk.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def ready(self, seconds: float = 60.0) -> None:
        """Wait until it answers."""
        until = time.monotonic() + seconds
        while self._desk.run("pause").returncode or self._desk.run("resume").returncode:
            assert time.monotonic() < until, "Kith doesn't answer"

    def kill(self) -> None:
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(120)

    def log(self) -> str:
        return (self._desk.home / "run.log").read_text()


def rows(desk: Desk, query: str) -> list[tuple]:
    """What a query finds in the catalogue, without disturbing whoever has it."""
    path = desk.home / "data" / "kith" / "catalogue.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as db:
        return db.execute(query).fetchall()


def settled(desk: Desk, churn: Churn, seconds: float) -> None:
    """Wait until the catalogue knows exactly what is on disk, and nothing is left to do."""
    until = time.monotonic() + seconds
    while True:
        known = {path for (path,) in rows(desk, "SELECT path FROM photos WHERE missing = 0")}
        left = rows(
            desk,
            "SELECT count(*) FROM photos WHERE missing = 0 AND (analysed_rev < content_rev OR sidecar_rev < tags_rev)",
        )[0][0]
        there = {os.fsencode(path.resolve()) for path in churn.photos()}
        if known == there and left == 0:
            return
        if time.monotonic() > until:
            raise AssertionError(f"{len(known - there)} too many, {len(there - known)} missing, {left} not done")
        time.sleep(0.2)


def until_offline(desk: Desk, root: Path, seconds: float = 60.0) -> None:
    """Wait until the running Kith has seen that a folder is not there."""
    until = time.monotonic() + seconds
    with Client(desk.home / "runtime" / "kith" / "kith.sock") as kith:
        while {"path": str(root), "online": False} not in kith.get("/v1/status")["doing"]["roots"]:
            assert time.monotonic() < until, "Kith doesn't see that it is away"
            time.sleep(0.1)


def analysed_more_than_once(desk: Desk) -> dict[int, int]:
    """Photos that were analysed more often than their content changed."""
    counts = Counter(photo for (photo,) in rows(desk, "SELECT photo_id FROM events WHERE kind = 'analysed'"))
    revisions = dict(rows(desk, "SELECT id, content_rev FROM photos"))
    return {photo: count for photo, count in counts.items() if count > revisions[photo]}
