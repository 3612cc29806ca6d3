"""How long the panel in darktable takes after the selection changes, and how it bears thousands of selected photos.

darktable_panel.py HOSTS [PHOTOS]    HOSTS: the folder with run_darktable.sh; PHOTOS: how many (default 5000)

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
from programs import host, without_luarc

PLUGIN = Path(__file__).resolve().parents[2] / "plugins" / "darktable_lua" / "kith"
BODY = """
local h = dofile(os.getenv("H_DIR") .. "/lua/harness.lua")
local dt = require "darktable"
local kith = require("kith/kith").plugin
local COUNT = @COUNT@

local function now()
  local file = io.open("/proc/uptime")
  local seconds = file:read("n")
  file:close()
  return seconds * 1000
end

h.main(function()
  h.wait("photos", 500, function() return #dt.database >= COUNT end)
  h.wait("Kith", 60, function() return kith.installed and kith:is_there() and kith.panel.last end)
  h.sleep(8000)
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
      while not done do h.sleep(5) end
      times[turn] = done - begun
      kith.panel.show = nil
      h.sleep(300)
    end
    table.sort(times)
    h.log("%5d photos: median %.0f ms, longest %.0f ms", size, times[#times // 2 + 1], times[#times])
  end
  h.shot("panel.png")
  -- a newer selection doesn't wait for the older one
  dt.gui.selection(all)
  h.sleep(400)
  local begun = now()
  dt.gui.selection({ all[1] })
  h.wait("the panel", 60, function() return kith.panel.last[2] == 1 end)
  h.log("one photo, while all are looked up: %.0f ms", now() - begun)
end)
"""


def main(hosts: Path, count: int = 5000) -> None:
    with tempfile.TemporaryDirectory() as home, served.running(Path(home), _family(count), pixels=False) as control:
        photos, out = Path(home).resolve() / "photos", Path(home) / "out"
        for i in range(count):
            Image.new("RGB", (48, 32), (i % 200, 80, 120)).save(photos / f"{i:05}.jpg")
        profile = Path(home) / "profile"
        without_luarc(profile)
        (Path(home) / "body.lua").write_text(BODY.replace("@COUNT@", str(count)))
        with served.served(control) as at:
            settings = (f"lua/kith/address={at.socket}", "plugins/lighttable/kith/expanded=TRUE")
            options = ["-t", "560", "-k", "-p", profile, *(word for one in settings for word in ("-c", one))]
            words = [*options, "-P", PLUGIN, photos, Path(home) / "body.lua", out]
            host(hosts / "run_darktable.sh", *words, tries=2, seconds=600, sign=out / "lua.log")
        print((out / "lua.log").read_text(), end="")
        (Path(tempfile.gettempdir()) / "darktable_panel.png").write_bytes((out / "panel.png").read_bytes())


def _family(count: int) -> list[list[int]]:
    return [[i % 20, 20 + i % 7] if i % 3 == 0 else [i % 20] for i in range(count)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
