"""Pulling the plug: kill -9 at random moments, then again: everything is there, nothing is torn or doubled."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from lxml import etree

import drawn
from desk import Desk
from libraries import Libraries

KILLS = 10


@pytest.fixture
def desk(tmp_path: Path, libraries: Libraries) -> Desk:
    return libraries.empty(tmp_path)


def kill_at_random_moments(desk: Desk, words: tuple[str | Path, ...], kills: int, longest: float) -> int:
    """Run a command again and again, killing it each time; gives how often it was still running then."""
    chance = random.Random(7)
    caught = 0
    for _ in range(kills):
        running = subprocess.Popen(
            desk.command(*words), env=desk.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.3, longest))
        caught += running.poll() is None
        running.kill()
        running.wait()
    return caught


def catalogue(desk: Desk) -> sqlite3.Connection:
    return sqlite3.connect(desk.home / "data" / "kith" / "catalogue.db")


def test_a_scan_killed_ten_times_is_completed_by_the_next(desk: Desk) -> None:
    folder = desk.home / "photos"
    drawn_on = drawn.holiday(folder, 32)
    assert kill_at_random_moments(desk, ("scan", folder), KILLS, 3.0) >= KILLS // 2
    desk.kith("scan", folder)
    status = desk.json("status")
    assert (status["photos"], status["analysed"], status["pending"], status["trouble"]) == (32, 32, 0, 0)
    assert status["faces"] == sum(map(len, drawn_on.values()))
    with catalogue(desk) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute(
            "SELECT count(*) FROM faces f LEFT JOIN embeddings e ON e.face_id = f.id WHERE e.face_id IS NULL"
        ).fetchone() == (0,)


def test_sidecars_are_whole_and_complete_after_kills(desk: Desk) -> None:
    folder = desk.home / "photos"
    drawn.holiday(folder, 16)
    desk.kith("scan", folder)
    # everybody gets a name in the catalogue only, so that one run has many sidecars to write
    desk.configure("[sidecars]\nwrite = false\n")
    while groups := desk.json("groups"):
        desk.kith("name", groups[0]["id"], f"Somebody {groups[0]['id']}")
    desk.configure("")
    kill_at_random_moments(desk, ("scan", folder), KILLS, 2.0)
    for sidecar in folder.rglob("*.xmp"):
        etree.parse(sidecar)
    desk.kith("scan", folder)
    named = {photo for photo in folder.rglob("*.jpg") if any(f["person"] for f in desk.faces(photo))}
    assert named
    for photo in named:
        text = photo.with_name(photo.name + ".xmp").read_text()
        for face in desk.faces(photo):
            if face["person"]:
                assert (
                    text.count(f'mwg-rs:Name="{face["person"]["name"]}"')
                    + text.count(f"<mwg-rs:Name>{face['person']['name']}</mwg-rs:Name>")
                    >= 1
                )
    before = {p: p.read_bytes() for p in folder.rglob("*.xmp")}
    assert desk.json("scan", folder)["written"] == 0
    assert {p: p.read_bytes() for p in folder.rglob("*.xmp")} == before
