"""The real darktable reads what Kith wrote, and keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

import drawn
from desk import Desk, exiftool, regions
from packs import make_test_pack
from programs import host, need, without_luarc


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
    left = desk.faces(tmp_path / "photos" / "1.jpg")[0]["group"]
    for group in [group["id"] for group in desk.json("groups")]:
        desk.kith("name", group, "Anna Freud" if group == left else "Otto Dix")
    return desk


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
    out, profile = desk.home / "darktable", desk.home / "profile"
    without_luarc(profile)
    run = shared / "hosts" / "run_darktable.sh"
    host(run, "-k", "-p", profile, photos, desk.home / "rate.lua", out, tries=3, sign=out / "lua.log")
    after = exiftool(photos, "xmp")
    for sidecar, meta in after.items():
        orientation = turned[sidecar.removesuffix(".xmp")]
        assert meta["Rating"] == 3
        assert sorted(meta["PersonInImage"]) == ["Anna Freud", "Otto Dix"]
        assert sorted(meta["HierarchicalSubject"]) == ["People|Anna Freud", "People|Otto Dix"]
        assert regions(meta, orientation) == regions(before[sidecar], orientation)
    desk.kith("scan", photos)
    for photo in turned:
        assert [face["person"]["name"] for face in desk.faces(photo)] == ["Anna Freud", "Otto Dix"]
    assert desk.json("scan", photos)["written"] == 0
