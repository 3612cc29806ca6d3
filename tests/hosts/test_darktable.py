"""The real darktable reads what Kith wrote, and keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk import Desk, exiftool, regions
from libraries import Libraries
from programs import Darktable
from required import need


@pytest.fixture
def desk(tmp_path: Path, libraries: Libraries) -> Desk:
    """A desk with eight drawn photos, one in each orientation, on which everybody has a name."""
    desk = libraries.two(tmp_path)
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    left = desk.faces(tmp_path / "photos" / "1.jpg")[0]["group"]
    for group in [group["id"] for group in desk.json("groups")]:
        desk.kith("name", group, "Anna Freud" if group == left else "Otto Dix")
    return desk


RATE = """
local dt = require "darktable"
t.await("photos", 60, function() return #dt.database >= 8 end)
for _, image in ipairs(dt.database) do image.rating = 3 end
for i = 1, 8 do
  t.await("the rating in the sidecar of " .. i, 30, function()
    local file <close> = io.open(("%s/%d.jpg.xmp"):format(t.photos, i))
    return file and file:read("a"):find('xmp:Rating="3".*</x:xmpmeta>')
  end)
end
"""


def test_darktable_rewrites_our_sidecars_and_keeps_names_and_boxes(desk: Desk) -> None:
    need("darktable")
    photos = desk.home / "photos"
    turned = {path: entry["Orientation"] for path, entry in exiftool(photos, "jpg").items()}
    before = exiftool(photos, "xmp")
    Darktable(photos, desk.home / "profile", desk.home / "darktable").run(RATE)
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
