"""The plugin in the real darktable, beside the real running Kith: real clicks, real keys, real sidecars."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import drawn
from desk import Desk, exiftool
from kith.client import Client
from kith.errors import KithError
from packs import make_test_pack
from programs import host, need

pytestmark = pytest.mark.begun

PLUGIN = Path(__file__).resolve().parents[2] / "plugins" / "darktable_lua" / "kith"
# What stands before each test: the plugin, and hands that click where they see something.
HANDS = """
local h = dofile(os.getenv("H_DIR") .. "/lua/harness.lua")
local dt = require "darktable"
local kith = require("kith/kith").plugin
local PYTHON, LOCATE = "@PYTHON@", "@LOCATE@"

local function shell(line) assert(dt.control.execute(line) == 0, line) end

local function read(path)
  local file = io.open(path)
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text
end

-- where a widget is on the screen: where the picture changes with its label
local function place(widget)
  local label = widget.label
  h.sleep(300)
  h.shot("before.png")
  widget.label = ("█"):rep(math.max(1, utf8.len(label)))
  h.sleep(300)
  h.shot("after.png")
  widget.label = label
  shell(("%s %s %s/before.png %s/after.png > %s/place"):format(PYTHON, LOCATE, h.out, h.out, h.out))
  return read(h.out .. "/place"):match("(%d+) (%d+)")
end

local function click(widget)
  local x, y = place(widget)
  shell(("xdotool mousemove %s %s sleep 0.3 click 1 sleep 0.3"):format(x, y))
end

local function key(...) shell("xdotool key --delay 200 " .. table.concat({ ... }, " ") .. " sleep 0.3") end

local function select_photos(...)
  local list = {}
  for _, wanted in ipairs { ... } do
    for _, image in ipairs(dt.database) do if image.filename == wanted then list[#list + 1] = image end end
  end
  dt.gui.selection(list)
  return list
end

local function people(image)
  local found = {}
  for _, tag in ipairs(image:get_tags()) do
    if tag.name:sub(1, 7) == "People|" then found[#found + 1] = tag.name:sub(8) end
  end
  table.sort(found)
  return table.concat(found, ",")
end

local function image_of(name)
  for _, image in ipairs(dt.database) do if image.filename == name then return image end end
end

local function wait_for_tags(name, wanted)
  local last
  local fine = pcall(h.wait, "tags", 40, function() last = people(image_of(name)) return last == wanted end)
  assert(fine, name .. " has the tags " .. tostring(last) .. " instead of " .. wanted)
end

local function ready(count)
  h.wait("photos", 60, function() return #dt.database >= count end)
  h.wait("Kith", 60, function() return kith.installed and kith:is_there() end)
end

-- the panel shows what it knows of so many selected photos
local function settled(count)
  h.wait("the panel", 30, function()
    local last = kith.panel.last
    return last and last[2] == count and not kith.selection.busy
  end)
end

local function asked_of_test(word)
  local file = assert(io.open(h.out .. "/ask", "w"))
  file:write(word)
  file:close()
  h.wait("the test", 60, function() return not io.open(h.out .. "/ask") end)
end
"""
SHORTCUT = "k;ctrl;alt=lua/kith: confirm suggestions\n"
LOCATE = """
import sys
import numpy as np
from PIL import Image
before, after = (np.asarray(Image.open(path).convert("L"), int) for path in sys.argv[1:])
y, x = np.nonzero(abs(before - after) > 60)    # a cursor that blinks moves the middle of them little
print(int(np.median(x)), int(np.median(y)))
"""


class Host:
    """darktable with the plugin, over a desk's photos."""

    def __init__(self, desk: Desk, shared: Path) -> None:
        self.desk, self.shared, self.photos = desk, shared, desk.home / "photos"
        self.profile, self.out = desk.home / "profile", desk.home / "out"
        (desk.home / "locate.py").write_text(LOCATE)

    def __call__(self, body: str, *options: str, fresh: bool = True) -> str:
        """Run a test body in darktable; gives darktable's log."""
        script = self.desk.home / "body.lua"
        hands = HANDS.replace("@PYTHON@", sys.executable).replace("@LOCATE@", str(self.desk.home / "locate.py"))
        script.write_text(f"{hands}\nh.main(function()\n{body}\nend)\n")
        late = self.out / "timeout.png"
        for _ in range(3):  # darktable itself hangs now and then while it starts
            late.unlink(missing_ok=True)
            if fresh:
                shutil.rmtree(self.profile, ignore_errors=True)
            self.link()
            self.shortcut()
            try:
                self.once(script, *options)
                break
            except AssertionError:
                if (self.out / "result").exists():
                    raise
        assert not late.exists(), "darktable didn't end"
        return (self.out / "darktable.log").read_text(errors="replace")

    def once(self, script: Path, *options: str) -> None:
        run = self.shared / "hosts" / "run_darktable.sh"
        expanded = ["-c", "plugins/lighttable/kith/expanded=TRUE"]
        host(
            run, "-t", "100", "-k", "-p", self.profile, *expanded, *options, "-P", PLUGIN, self.photos, script, self.out
        )

    def shortcut(self) -> None:
        """Ctrl+Alt+K confirms, as a user sets it."""
        path = self.profile / "config" / "shortcutsrc"
        path.parent.mkdir(exist_ok=True)
        lines = path.read_text() if path.exists() else ""
        if SHORTCUT not in lines:
            path.write_text(lines + SHORTCUT)

    def link(self) -> None:
        """darktable's private folders lead to the Kith of this desk."""
        for there, here in (("run", "runtime"), ("home/.local/state", "state")):
            place = self.profile / there / "kith"
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.unlink(missing_ok=True)
            place.symlink_to(self.desk.home / here / "kith")


@contextmanager
def running(desk: Desk, *words: str | Path) -> Iterator[Client]:
    """`kith run` over the desk's photos."""
    socket = desk.home / "runtime" / "kith" / "kith.sock"
    command = desk.command("run", "--port", "0", *(words or [desk.home / "photos"]))
    log = (desk.home / "kith.log").open("w")
    process = subprocess.Popen(command, env=desk.environment, stdout=log, stderr=log)
    try:
        until(lambda: answers(socket), 60)
        with Client(socket) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def answers(socket: Path) -> bool:
    try:
        with Client(socket) as client:
            return client.get("/v1/status")["doing"]["state"] == "idle"
    except KithError:
        return False


def until(happened: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)


@pytest.fixture
def desk(tmp_path: Path, shared: Path) -> Desk:
    """A desk with six drawn photos: Anna and Otto on 0 to 3, Clara on 4 and 5."""
    for program in ("darktable", "xdotool", "curl", "exiftool"):
        need(program)
    desk = Desk(tmp_path)
    desk.kith("models", "install", "--from", make_test_pack(shared, tmp_path / "pack"))
    desk.configure("[sidecars]\nquiet_seconds = 0.5\n[people]\nauto = 'off'\nmin_faces = 2\n")
    for i in range(6):
        picture = drawn.photo(["Anna", "Otto"] if i < 4 else ["Clara"], seed=i)
        drawn.save(picture, tmp_path / "photos" / f"{i}.jpg", orientation=i + 1)
    desk.kith("scan", tmp_path / "photos")
    return desk


@pytest.fixture
def darktable(desk: Desk, shared: Path) -> Host:
    return Host(desk, shared)


def faces(desk: Desk, photo: str) -> list[dict[str, Any]]:
    return desk.faces(desk.home / "photos" / photo)


def names(desk: Desk, photo: str) -> list[str]:
    return [face["person"]["name"] for face in faces(desk, photo) if face["person"]]


def exif(desk: Desk, photo: str) -> dict[str, Any]:
    found = exiftool(desk.home / "photos", "xmp")
    return found.get(str(desk.home / "photos" / f"{photo}.xmp"), {})


def waiting_programs() -> list[str]:
    """Programs of the plugin that still run."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if ".kith/" in line]


CONFIRM = """
ready(6)
wait_for_tags("0.jpg", "Anna Freud,Otto Dix")     -- what Kith knew before
select_photos("1.jpg")
settled(1)
click(kith.panel.rows[1].yes)                     -- Anna, by a click
wait_for_tags("1.jpg", "Anna Freud")
select_photos("1.jpg", "2.jpg")
settled(2)
key("ctrl+alt+k")                                 -- everybody else, by the shortcut
wait_for_tags("1.jpg", "Anna Freud,Otto Dix")
wait_for_tags("2.jpg", "Anna Freud,Otto Dix")
for i = 0, 2 do image_of(i .. ".jpg").rating = 3 end
h.sleep(2000)
"""

QUIET = """
ready(6)
h.sleep(3000)
shell("xdotool search --onlyvisible --name . getwindowname %@ | sort -u > " .. h.out .. "/windows")
"""


def test_names_confirmed_in_darktable_are_in_sidecars_and_survive_a_rating(desk: Desk, darktable: Host) -> None:
    known = faces(desk, "0.jpg")
    desk.kith("name", known[0]["id"], "Anna Freud")
    desk.kith("name", known[1]["id"], "Otto Dix")
    with running(desk):
        darktable(CONFIRM)
        for photo in ("0.jpg", "1.jpg", "2.jpg"):
            assert names(desk, photo) == ["Anna Freud", "Otto Dix"]
            meta = exif(desk, photo)
            assert meta["Rating"] == 3
            assert sorted(meta["PersonInImage"]) == ["Anna Freud", "Otto Dix"]
            assert sorted(meta["HierarchicalSubject"]) == ["People|Anna Freud", "People|Otto Dix"]
            assert {"Anna Freud", "Otto Dix"} <= set(meta["Subject"])
            assert len(meta["RegionInfo"]["RegionList"]) == 2
        darktable(QUIET, "-c", "run_crawler_on_start=TRUE", fresh=False)
        assert (darktable.out / "windows").read_text().split() == ["darktable"]  # and no question about sidecars
    assert not waiting_programs()


TAKEN_BACK = """
ready(6)
for i = 0, 2 do wait_for_tags(i .. ".jpg", "Anna Freud,Otto Dix") end
assert(kith.client:post("/v1/undo"))              -- somebody takes back the last answer, elsewhere
wait_for_tags("2.jpg", "Anna Freud")
wait_for_tags("1.jpg", "Anna Freud,Otto Dix")
select_photos("0.jpg")
settled(1)
click(kith.panel.rows[2].no)                      -- Otto isn't there
wait_for_tags("0.jpg", "Anna Freud")
"""


def test_names_taken_back_vanish_from_the_tags(desk: Desk, darktable: Host) -> None:
    for photo in ("0.jpg", "1.jpg", "2.jpg"):
        desk.kith("name", faces(desk, photo)[0]["id"], "Anna Freud")
        desk.kith("name", faces(desk, photo)[1]["id"], "Otto Dix")
    with running(desk):
        darktable(TAKEN_BACK)
        assert names(desk, "0.jpg") == ["Anna Freud"]
        until(lambda: exif(desk, "0.jpg").get("PersonInImage") == ["Anna Freud"])
        assert exif(desk, "0.jpg")["HierarchicalSubject"] == ["People|Anna Freud"]


BY_HAND = """
ready(6)
wait_for_tags("0.jpg", "Anna Freud")
local image = select_photos("3.jpg")[1]
settled(1)
for _, tag in ipairs { "People|Anna Freud", "People|Marie Curie", "Places|Paris" } do
  image:attach_tag(dt.tags.create(tag))
end
h.wait("the answers", 40, function()
  local photo = kith.client:post("/v1/photos/lookup", { paths = { h.photos .. "/3.jpg" } }).photos[1]
  local told = {}
  for _, face in ipairs(photo.faces) do if face.person then told[face.person.name] = true end end
  for _, there in ipairs(photo.present) do told[there.name] = true end
  return photo.faces[1].state == "confirmed" and told["Anna Freud"] and told["Marie Curie"] and not told["Paris"]
end)
h.sleep(3000)
assert(people(image) == "Anna Freud,Marie Curie", people(image))
"""


def test_a_tag_attached_by_hand_is_an_answer(desk: Desk, darktable: Host) -> None:
    desk.kith("name", faces(desk, "0.jpg")[0]["id"], "Anna Freud")
    with running(desk):
        darktable(BY_HAND)
        assert names(desk, "3.jpg") == ["Anna Freud"]
        words = [act["words"] for act in desk.json("history")]
        assert any(said.startswith("tag ") and said.endswith("Marie Curie") for said in words)


NAMING = """
ready(6)
select_photos("4.jpg", "5.jpg")
settled(2)
local function type_name(typed)
  local x, y = place(kith.panel.give)             -- the entry is right above
  shell(("xdotool mousemove %s %d sleep 0.3 click 1 sleep 0.5"):format(x, y - 26))
  shell(("xdotool type --delay 150 '%s'"):format(typed))
  h.sleep(800)
  assert(kith.panel.who.text == typed, kith.panel.who.text)
end
type_name("Clara Haskil")
click(kith.panel.give)
wait_for_tags("4.jpg", "Clara Haskil")
select_photos("0.jpg")
settled(1)
type_name("hask")
h.shot("typing.png")
click(kith.panel.matches[1])
wait_for_tags("0.jpg", "Clara Haskil")
"""


def test_an_unknown_face_gets_a_name_in_the_panel(desk: Desk, darktable: Host) -> None:
    with running(desk):
        darktable(NAMING)
        assert names(desk, "4.jpg") == names(desk, "0.jpg") == ["Clara Haskil"]


QUITTING = """
ready(6)
settled(0)
dt.control.dispatch(function()
  while not dt.control.ending do
    kith.selection:changed()
    kith.panel.values = {}                        -- so that everything is shown anew all the time
    dt.control.sleep(7)
  end
end)
select_photos("0.jpg", "1.jpg", "2.jpg")
h.sleep(1500)
h.log("%s", kith.client.folder)
"""


def test_quitting_while_a_request_waits_leaves_no_program_and_no_file(desk: Desk, darktable: Host) -> None:
    with running(desk) as client:
        darktable(QUITTING)
        folder = Path((darktable.out / "lua.log").read_text().split()[0])
        assert folder.name.endswith(".kith")
        until(lambda: not waiting_programs(), 3)
        assert not folder.exists()
        assert client.get("/v1/hello")["name"] == "Kith"


WITHOUT = """
h.wait("photos", 60, function() return #dt.database >= 6 end)
h.wait("the panel", 60, function() return kith.panel.status end)
local function status(wanted)
  local fine = pcall(h.wait, "status", 30, function() return kith.panel.status.label:find(wanted, 1, true) end)
  assert(fine, kith.panel.status.label)
end
status("Kith isn't running")
select_photos("0.jpg", "1.jpg")
h.sleep(1500)
key("ctrl+alt+k")                                 -- nothing to confirm, and nothing breaks
assert(#kith.selection.images == 2)
dt.preferences.write("kith", "address", "string", "somewhere:80")
status("neither a path nor a port")
"""


def test_without_kith_the_panel_says_so_and_nothing_hangs(desk: Desk, darktable: Host) -> None:
    log = darktable(WITHOUT)
    assert "kith: Kith isn't running" in log
    assert not waiting_programs()


ELSEWHERE = """
ready(6)
select_photos("0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg")
settled(6)
assert(kith.panel.missing.label == "6 photos aren't in folders that Kith watches", kith.panel.missing.label)
assert(kith.panel.missing.visible)
"""


def test_photos_that_kith_doesnt_watch_are_counted(tmp_path: Path, desk: Desk, darktable: Host) -> None:
    other = tmp_path / "others"
    shutil.copytree(desk.home / "photos", other)
    darktable.photos = other
    with running(desk):
        darktable(ELSEWHERE)


ACTIONS = """
ready(6)
for i = 0, 3 do wait_for_tags(i .. ".jpg", "Anna Freud") end
kith.actions:filter("Anna Freud")
h.wait("the collection", 20, function() return #dt.collection == 4 end)
local list = select_photos("2.jpg")
kith.actions:review(list)
h.wait("the browser", 20, function() return read(h.out .. "/xdg-open.log"):find("#/photo/") end)
kith.actions:find(list)
"""


def test_a_photo_opens_in_the_review_page_and_the_collection_shows_a_person(desk: Desk, darktable: Host) -> None:
    for i in range(4):
        desk.kith("name", faces(desk, f"{i}.jpg")[0]["id"], "Anna Freud")
    with running(desk) as client:
        darktable(ACTIONS)
        (photo,) = client.post("/v1/photos/lookup", paths=[str(desk.home / "photos" / "2.jpg")])["photos"]
        link = (darktable.out / "xdg-open.log").read_text()
        page = (desk.home / "state" / "kith" / "page").read_text()
        assert link.startswith(f"{page}/login?once=") and link.strip().endswith(f"#/photo/{photo['id']}")
        assert client.get("/v1/jobs/1")["job"]["state"] == "done"
