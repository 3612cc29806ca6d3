"""A Kith that runs keeps step with a disk in disorder, and a crash at any moment costs nothing but time."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest
from lxml import etree

import churn
from churn import Churn, Running
from desk import Desk
from libraries import Libraries


@pytest.fixture
def desk(tmp_path: Path, libraries: Libraries) -> Desk:
    desk = libraries.empty(tmp_path)
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n[neighbour]\npause_on_battery = false\n")
    return desk


def test_disorder_on_the_disk_is_followed_and_nothing_is_analysed_twice(desk: Desk) -> None:
    disorder = Churn(desk.home / "photos")
    disorder.add(10)
    kith = Running(desk, disorder.root)
    kith.start()
    try:
        for _ in range(6):
            disorder.add(6)
            disorder.stir(8)
            time.sleep(0.7)
        churn.settled(desk, disorder, 120)
        disorder.stir(20)
        churn.settled(desk, disorder, 60)
    finally:
        assert kith.stop() == 0
    assert churn.analysed_more_than_once(desk) == {}
    assert "Traceback" not in kith.log()


def test_kills_under_load_lose_no_answer_and_tear_no_sidecar(desk: Desk) -> None:
    chance, disorder = random.Random(1), Churn(desk.home / "photos")
    disorder.add(12)
    kith = Running(desk, disorder.root)
    said: dict[str, str] = {}
    for kill in range(6):
        kith.start()
        disorder.add(4)
        disorder.stir(4)
        time.sleep(chance.uniform(1.5, 5))
        if kill >= 2:
            said |= name_one(desk, chance, f"Person {kill}")
        time.sleep(chance.uniform(0, 0.5))
        kith.kill()
    kith.start()
    kith.ready()
    churn.settled(desk, disorder, 180)
    assert kith.stop() == 0
    assert churn.rows(desk, "PRAGMA integrity_check") == [("ok",)]
    held = dict(churn.rows(desk, "SELECT 'f' || f.id, n.name FROM faces f JOIN people n ON n.id = f.person_id"))
    assert len(said) == 4
    assert {face: held.get(face) for face in said} == said
    for sidecar in disorder.root.rglob("*.xmp"):
        etree.parse(sidecar)
    assert not list(disorder.root.rglob(".kith-*"))
    twice = churn.analysed_more_than_once(desk)
    assert sum(twice.values()) - len(twice) <= 6 * 2  # no more than what was in hand at each kill


def name_one(desk: Desk, chance: random.Random, name: str) -> dict[str, str]:
    """Name a face as soon as Kith runs and knows one; gives what Kith said that it took."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        waiting = churn.rows(
            desk,
            "SELECT 'f' || f.id FROM faces f JOIN photos p ON p.id = f.photo_id"
            " WHERE f.answer IS NULL AND p.missing = 0 AND p.analysed_rev >= p.content_rev",
        )
        if waiting:
            (face,) = chance.choice(waiting)
            if desk.run("name", face, name).returncode == 0:
                return {face: name}
        time.sleep(0.2)
    raise AssertionError("Kith took no answer")


def test_a_folder_that_is_unplugged_and_plugged_in_again_keeps_everything(desk: Desk) -> None:
    disorder = Churn(desk.home / "photos")
    disorder.add(6)
    kith = Running(desk, disorder.root)
    kith.start()
    try:
        churn.settled(desk, disorder, 90)
        before = churn.rows(desk, "SELECT id, path FROM photos ORDER BY id")
        shutil.move(disorder.root, desk.home / "unplugged")
        churn.until_offline(desk, disorder.root)
        shutil.move(desk.home / "unplugged", disorder.root)
        churn.settled(desk, disorder, 60)
    finally:
        assert kith.stop() == 0
    assert churn.rows(desk, "SELECT id, path FROM photos ORDER BY id") == before
    assert churn.analysed_more_than_once(desk) == {}
