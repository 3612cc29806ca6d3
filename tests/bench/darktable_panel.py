"""How long the panel in darktable takes after the selection changes, and how it bears thousands of selected photos.

darktable_panel.py [PHOTOS]    PHOTOS: how many (default 5000)

Prints the median and the longest time, in milliseconds, from a change of the selection to the panel showing it, for
selections of 1, 10, 100, 1000 and all photos, of 20 made-up people beside a real API and in the real darktable.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import served
from programs import Darktable

PLUGIN = Path(__file__).resolve().parents[2] / "plugins" / "darktable_lua" / "kith"
BODY = """
local dt = require "darktable"
local kith = require("kith/kith").plugin
local COUNT = @COUNT@

local function now()
  local file = io.open("/proc/uptime")
  local seconds = file:read("n")
  file:close()
  return seconds * 1000
end

t.await("photos", 500, function() return #dt.database >= COUNT end)
t.await("Kith", 60, function() return kith.installed and kith:is_there() and kith.panel.last end)
t.pause(8000)
local all = {}
for i, image in ipairs(dt.database) do all[i] = image end
for _, size in ipairs { 1, 10, 100, 1000, COUNT } do
  local times = {}
  for turn = 1, size >= COUNT and 3 or 9 do
    local list = table.move(all, turn, turn + size - 1 <= COUNT and turn + size - 1 or COUNT, 1, {})
    local shown = kith.panel.show
    local done
    kith.panel.show = function(...)
      shown(...)
      if select(3, ...) == #list then done = now() end
    end
    local begun = now()
    dt.gui.selection(list)
    while not done do t.pause(5) end
    times[turn] = done - begun
    kith.panel.show = nil
    t.pause(300)
  end
  table.sort(times)
  t.say("%5d photos: median %.0f ms, longest %.0f ms", size, times[#times // 2 + 1], times[#times])
end
t.picture("panel.png")
-- a newer selection doesn't wait for the older one
dt.gui.selection(all)
t.pause(400)
local begun = now()
dt.gui.selection({ all[1] })
t.await("the panel", 60, function() return kith.panel.last[2] == 1 end)
t.say("one photo, while all are looked up: %.0f ms", now() - begun)
"""


def main(count: int = 5000) -> None:
    with tempfile.TemporaryDirectory() as home, served.running(Path(home), _family(count), pixels=False) as control:
        photos, out = Path(home).resolve() / "photos", Path(home).resolve() / "out"
        for i in range(count):
            Image.new("RGB", (48, 32), (i % 200, 80, 120)).save(photos / f"{i:05}.jpg")
        darktable = Darktable(photos, Path(home).resolve() / "profile", out, PLUGIN)
        with served.served(control) as at:
            settings = (f"lua/kith/address={at.socket}", "plugins/lighttable/kith/expanded=TRUE")
            darktable.run(BODY.replace("@COUNT@", str(count)), *settings, seconds=560)
        print((out / "said").read_text(), end="")
        (Path(tempfile.gettempdir()) / "darktable_panel.png").write_bytes((out / "panel.png").read_bytes())


def _family(count: int) -> list[list[int]]:
    return [[i % 20, 20 + i % 7] if i % 3 == 0 else [i % 20] for i in range(count)]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
