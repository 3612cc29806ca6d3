"""The real digiKam and darktable read what Kith wrote, and keep it. Both run headless with profiles of their own."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

import drawn
from desk import Desk, exiftool, regions
from packs import make_test_pack


@pytest.fixture
def desk(tmp_path: Path, shared: Path) -> Desk:
    """A desk with eight drawn photos, one in each orientation, on which everybody has a name."""
    desk = Desk(tmp_path)
    desk.kith("models", "install", "--from", make_test_pack(shared, tmp_path / "pack"))
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    for orientation in range(1, 9):
        picture = drawn.photo(["Anna", "Otto"], seed=orientation)
        drawn.save(picture, tmp_path / "photos" / f"{orientation}.jpg", orientation=orientation)
    desk.kith("scan", tmp_path / "photos")
    for photo in sorted((tmp_path / "photos").glob("*.jpg")):
        left, right = desk.json("faces", photo)
        desk.kith("name", left["id"], "Anna Freud")
        desk.kith("name", right["id"], "Otto Dix")
    return desk


def need(program: str) -> None:
    """Optional at home, required in CI."""
    if shutil.which(program) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must run with {program}")
        pytest.skip(f"needs {program}")


def host(script: Path, *words: str | Path, tries: int = 1) -> None:
    """Run a host program's script; 2 means that the program itself didn't come up."""
    # OpenCV points Qt to its own plugins, for all programs that this process starts
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
    for _ in range(tries):
        done = subprocess.run(
            ["bash", str(script), *map(str, words)],
            env=clean,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
        if done.returncode != 2:
            break
    assert done.returncode == 0, done.stdout + done.stderr


def confirmed_in_digikam(profile: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Confirmed faces in digiKam's database: photo -> name and centre in displayed pixels."""
    found: dict[str, list[tuple[str, float, float]]] = {}
    with sqlite3.connect(profile / "db" / "digikam4.db") as db:
        rows = db.execute(
            "SELECT i.name, t.name, p.value FROM ImageTagProperties p JOIN Tags t ON t.id = p.tagid"
            " JOIN Images i ON i.id = p.imageid WHERE p.property = 'tagRegion'"
        ).fetchall()
    for photo, name, rect in rows:
        x, y, w, h = (float(v) for v in re.findall(r'"(\d+)"', rect))
        found.setdefault(photo, []).append((name, x + w / 2, y + h / 2))
    return found


def test_digikam_shows_names_and_boxes_as_confirmed_faces_in_all_orientations(desk: Desk, shared: Path) -> None:
    need("digikam")
    photos, profile = desk.home / "photos", desk.home / "digikam"
    before = {path: path.read_bytes() for path in photos.iterdir()}
    host(shared / "hosts" / "run_digikam.sh", "-t", "40", photos, profile, tries=2)
    found = confirmed_in_digikam(profile)
    for orientation in range(1, 9):
        wanted = desk.json("faces", photos / f"{orientation}.jpg")
        shown = sorted(found[f"{orientation}.jpg"], key=lambda face: face[1])
        assert [name for name, *_ in shown] == ["Anna Freud", "Otto Dix"]
        for (_, x, y), face in zip(shown, wanted, strict=True):
            assert abs(x - face["box"]["x"] * 1500) <= 2
            assert abs(y - face["box"]["y"] * 1000) <= 2
    assert {path: path.read_bytes() for path in photos.iterdir()} == before


RATE = """
local h = dofile(os.getenv("H_DIR") .. "/lua/harness.lua")
local dt = require "darktable"
h.main(function()
  h.wait("photos", 60, function() return #dt.database >= 8 end)
  h.sleep(2000)
  for _, image in ipairs(dt.database) do image.rating = 3 end
  h.sleep(4000)
end)
"""


def test_darktable_rewrites_our_sidecars_and_keeps_names_and_boxes(desk: Desk, shared: Path) -> None:
    need("darktable")
    photos = desk.home / "photos"
    turned = {path: entry["Orientation"] for path, entry in exiftool(photos, "jpg").items()}
    before = exiftool(photos, "xmp")
    (desk.home / "rate.lua").write_text(RATE)
    host(shared / "hosts" / "run_darktable.sh", photos, desk.home / "rate.lua", desk.home / "darktable", tries=3)
    after = exiftool(photos, "xmp")
    for sidecar, meta in after.items():
        orientation = turned[sidecar.removesuffix(".xmp")]
        assert meta["Rating"] == 3
        assert sorted(meta["PersonInImage"]) == ["Anna Freud", "Otto Dix"]
        assert sorted(meta["HierarchicalSubject"]) == ["People|Anna Freud", "People|Otto Dix"]
        assert regions(meta, orientation) == regions(before[sidecar], orientation)
    desk.kith("scan", photos)
    for photo in turned:
        assert [face["person"]["name"] for face in desk.json("faces", photo)] == ["Anna Freud", "Otto Dix"]
    assert desk.json("scan", photos)["written"] == 0
