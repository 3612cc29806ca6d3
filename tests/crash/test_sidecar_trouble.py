"""Sidecars that others are writing, `kill -9`, full and read-only disks: nothing is lost, and all is told."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from lxml import etree

import drawn
from desk import Desk, exiftool, regions
from disks import disk
from libraries import Libraries

PHOTOS, KILLS = 24, 4
SETTINGS = "[sidecars]\nquiet_seconds = {}\nwrite = {}\n[people]\nauto = 'off'\n"

# Rewrites all sidecars again and again, some in place and some by rename, each time with another keyword of its own;
# what else it finds in them it keeps. It stops after a whole turn.
WRITER = """
import itertools, random, sys, time
from pathlib import Path
from kith_xmp.merge import Changes, StringChanges
from kith_xmp.read import read
from kith_xmp.regions import Frame
from kith_xmp.seed import seed
from kith_xmp.write import write

folder, state, frame, chance = Path(sys.argv[1]), Path(sys.argv[2]), Frame(300, 200), random.Random(3)
for turn in itertools.count():
    for photo in sorted(folder.glob("*.jpg")):
        path = photo.with_name(photo.name + ".xmp")
        old = path.read_bytes() if path.exists() else seed(None)
        before = [k for k in read(old, frame).lists.get("subject", ()) if k.startswith("turn ")]
        new = write(old, Changes(strings=(StringChanges("subject", (f"turn {turn}",), tuple(before)),)), frame)
        if chance.random() < 0.5:
            path.write_bytes(new)
        else:
            path.with_suffix(".other").write_bytes(new)
            path.with_suffix(".other").replace(path)
        time.sleep(0.004)
    (state / "turn").write_text(f"turn {turn}")
    if (state / "stop").exists():
        break
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Desk:
    """Photos of Anna, who has a name in the catalogue; nothing is written beside them yet."""
    desk = libraries.empty(tmp_path_factory.mktemp("desk"))
    desk.configure(SETTINGS.format(0.0, "false"))
    for i in range(PHOTOS):
        drawn.save(drawn.photo(["Anna"], size=(300, 200), seed=i), desk.home / "photos" / f"{i:02}.jpg")
    desk.kith("scan", desk.home / "photos")
    while groups := desk.json("groups"):
        desk.kith("name", groups[0]["id"], "Anna")
    assert [person["faces"] for person in desk.json("people")] == [PHOTOS]
    return desk


@contextmanager
def another_writer(desk: Desk) -> Iterator[None]:
    """Another program that works on the same sidecars, for as long as the block lasts."""
    running = subprocess.Popen([sys.executable, "-c", WRITER, desk.home / "photos", desk.home])
    try:
        while not (desk.home / "turn").exists():
            assert running.poll() is None
            time.sleep(0.05)
        yield
    finally:
        (desk.home / "stop").touch()
        assert running.wait(60) == 0


def codes(desk: Desk) -> set[str]:
    return {entry["code"] for entry in desk.json("trouble")}


def wait_until_tried_again(desk: Desk) -> None:
    """As if the time had passed that Kith waits after a failure."""
    with closing(sqlite3.connect(desk.home / "data" / "kith" / "catalogue.db", isolation_level=None)) as db:
        db.execute("UPDATE trouble SET next_try = 0 WHERE next_try IS NOT NULL")


def assert_everybody_is_written(folder: Path, photos: int) -> None:
    found = exiftool(folder, "xmp")
    assert len(found) == photos
    for sidecar, meta in found.items():
        etree.parse(sidecar)
        assert [name for name, *_ in regions(meta, 1)] == ["Anna"], sidecar
        assert meta["PersonInImage"] == ["Anna"]


def test_two_programs_on_the_same_sidecars_and_kills_lose_nothing(desk: Desk) -> None:
    photos, chance = desk.home / "photos", random.Random(5)
    with another_writer(desk):
        desk.configure(SETTINGS.format(0.0, "true"))
        caught = 0
        for _ in range(KILLS):
            running = subprocess.Popen(desk.command("scan", photos), env=desk.environment, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.3, 1.5))
            caught += running.poll() is None
            running.kill()
            running.wait()
        assert caught
        desk.kith("scan", photos)
        desk.configure(SETTINGS.format(2.0, "true"))
        desk.kith("scan", photos)
        busy = [entry for entry in desk.json("trouble") if entry["code"] == "file-busy"]
        assert busy
        assert codes(desk) <= {"file-busy", "sidecar-changed"}
        assert all(Path(entry["path"]).name in entry["message"] for entry in busy)
    desk.configure(SETTINGS.format(0.0, "true"))
    wait_until_tried_again(desk)
    desk.kith("scan", photos)
    assert codes(desk) == set()
    assert_everybody_is_written(photos, PHOTOS)
    last = (desk.home / "turn").read_text()
    for meta in exiftool(photos, "xmp").values():
        assert [keyword for keyword in meta["Subject"] if keyword.startswith("turn ")] == [last]
    assert [(person["name"], person["faces"]) for person in desk.json("people")] == [("Anna", PHOTOS)]
    before = {path: path.read_bytes() for path in photos.glob("*.xmp")}
    assert desk.json("scan", photos)["written"] == 0
    assert {path: path.read_bytes() for path in photos.glob("*.xmp")} == before


def test_full_and_read_only_disks_are_named_and_healed(desk: Desk) -> None:
    desk.configure(SETTINGS.format(0.0, "true"))
    with disk(desk.home / "disk", "1m") as folder:
        for photo in sorted((desk.home / "photos").glob("*.jpg"))[:5]:
            shutil.copyfile(photo, folder / photo.name)
        originals = {path: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while filler.write(b" " * 4096):
                pass
        desk.kith("scan", folder)
        assert codes(desk) == {"disk-full"}
        assert {path for path in folder.iterdir() if path.name != "filler"} == set(originals)

        (folder / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True, timeout=60)
        wait_until_tried_again(desk)
        desk.kith("scan", folder)
        assert codes(desk) == {"permission-denied"}
        assert {path: path.read_bytes() for path in folder.iterdir()} == originals

        subprocess.run(["mount", "-o", "remount,rw", folder], check=True, timeout=60)
        wait_until_tried_again(desk)
        assert desk.json("scan", folder)["written"] == 5
        assert codes(desk) == set()
        assert_everybody_is_written(folder, 5)
        assert {path: path.read_bytes() for path in originals} == originals
