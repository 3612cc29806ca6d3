"""Answers reach every sidecar they touch, and so does taking them back: the real command, read by the real exiftool."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import drawn
from desk import Desk, Kept, exiftool
from libraries import Libraries

pytestmark = pytest.mark.usefixtures("exiftool")
COUNT = 4


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Kept:
    """Photos of one person, half of whom are called Ann and half Anna."""
    desk = libraries.empty(tmp_path_factory.mktemp("home"))
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    folder = desk.home / "photos"
    for i in range(COUNT):
        drawn.save(drawn.photo(["Anna"], seed=i), folder / f"{i}.jpg")
    desk.kith("scan", folder)
    for i in range(COUNT):
        desk.kith("name", desk.faces(folder / f"{i}.jpg")[0]["id"], "Anna" if i % 2 else "Ann")
    return Kept.of(desk.home)


@pytest.fixture
def desk(scanned: Kept) -> Desk:
    return Desk(scanned.back())


@pytest.fixture
def named(desk: Desk) -> Path:
    """The folder of those photos."""
    return desk.home / "photos"


def told(folder: Path) -> list[str]:
    """Everybody whom the sidecars name, in regions, PersonInImage and keywords alike, photo by photo."""
    found = []
    for path, sidecar in sorted(exiftool(folder, "xmp").items()):
        regions = {region["Name"] for region in sidecar["RegionInfo"]["RegionList"]}
        lists = [sidecar["PersonInImage"], sidecar["Subject"]]
        lists += [[t.split("|")[-1] for t in sidecar["HierarchicalSubject"]]]
        lists += [[t.split("/")[-1] for t in sidecar["TagsList"]]]
        assert all({str(text) for text in texts} == regions for texts in lists), path
        found += sorted(regions)
    return found


def test_two_names_become_one_everywhere_and_two_again(desk: Desk, named: Path) -> None:
    before = {path: path.read_bytes() for path in named.glob("*.xmp")}
    assert f"{COUNT // 2} sidecars written" in desk.kith("merge", "Ann", "Anna")
    assert told(named) == ["Anna"] * COUNT
    assert f"{COUNT // 2} sidecars written" in desk.kith("undo")
    assert {path: path.read_bytes() for path in named.glob("*.xmp")} == before


def test_a_new_name_reaches_every_sidecar_and_can_be_taken_back_and_brought_back(desk: Desk, named: Path) -> None:
    desk.kith("merge", "Ann", "Anna")
    assert f"{COUNT} sidecars written" in desk.kith("rename", "Anna", "Hannah Arendt")
    assert told(named) == ["Hannah Arendt"] * COUNT
    desk.kith("undo")
    assert told(named) == ["Anna"] * COUNT
    newest = desk.json("history")[0]
    assert newest["undoes"] is not None
    desk.kith("undo", str(newest["id"]))
    assert told(named) == ["Hannah Arendt"] * COUNT
    refused = desk.run("rename", "Hanna Arendt", "Anna")
    assert refused.returncode == 1
    assert "did you mean Hannah Arendt?" in refused.stderr


def test_a_merge_that_is_killed_while_it_writes_is_finished_by_the_next_scan(desk: Desk, named: Path) -> None:
    running = subprocess.Popen(desk.command("merge", "Ann", "Anna"), env=desk.environment, stdout=subprocess.DEVNULL)
    done: set[Path] = set()
    until = time.monotonic() + 60
    while not done and running.poll() is None and time.monotonic() < until:
        done = {path for path in named.glob("*.xmp") if "Ann<" not in path.read_text()} - {
            named / f"{i}.jpg.xmp" for i in range(1, COUNT, 2)
        }
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    desk.kith("scan", named)
    assert told(named) == ["Anna"] * COUNT
    assert desk.json("scan", named)["written"] == 0


def test_somebody_without_a_face_is_written_and_taken_off_again(desk: Desk, named: Path) -> None:
    photo = named / "1.jpg"
    desk.kith("tag", photo, "Otto Dix")
    sidecar = exiftool(named, "xmp")[str(photo) + ".xmp"]
    assert set(sidecar["PersonInImage"]) == {"Anna", "Otto Dix"}
    assert "People|Otto Dix" in sidecar["HierarchicalSubject"]
    assert [region["Name"] for region in sidecar["RegionInfo"]["RegionList"]] == ["Anna"]
    assert [person["name"] for person in desk.json("faces", photo)["present"]] == ["Otto Dix"]
    desk.kith("untag", photo, "Otto Dix")
    assert told(named) == [name for i in range(COUNT) for name in (["Anna"] if i % 2 else ["Ann"])]
    assert desk.run("untag", photo, "Anna").returncode == 1
