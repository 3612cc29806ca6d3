"""The plugin in the real darktable, beside the real running Kith: real clicks, real keys, real sidecars."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import drawn
from desk import Desk, exiftool
from headless import until
from kith.client import Client
from kith.errors import KithError
from kith.service.darktable import fill
from libraries import Libraries
from programs import Darktable
from required import need

# What stands before each test: the plugin, and hands that click where they see something.
HANDS = """
local dt = require "darktable"
local kith = require("kith/kith").plugin
local PYTHON, LOCATE = "@PYTHON@", "@LOCATE@"

local function read(path)
  local file = io.open(path)
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text
end

-- where a widget is on the screen: where the picture changes with its label
local function place(widget)
  local label = widget.label
  t.pause(300)
  t.picture("before.png")
  widget.label = ("█"):rep(math.max(1, utf8.len(label)))
  t.pause(300)
  t.picture("after.png")
  widget.label = label
  t.shell(("%s %s %s/before.png %s/after.png > %s/place"):format(PYTHON, LOCATE, t.out, t.out, t.out))
  return read(t.out .. "/place"):match("(%d+) (%d+)")
end

local function click(widget)
  local x, y = place(widget)
  t.shell(("xdotool mousemove %s %s sleep 0.3 click 1 sleep 0.3"):format(x, y))
end

local function key(...) t.shell("xdotool key --delay 200 " .. table.concat({ ... }, " ") .. " sleep 0.3") end

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
  local fine = pcall(t.await, "tags", 40, function() last = people(image_of(name)) return last == wanted end)
  assert(fine, name .. " has the tags " .. tostring(last) .. " instead of " .. wanted)
end

local function ready(count)
  t.await("photos", 60, function() return #dt.database >= count end)
  t.await("Kith", 60, function() return kith.installed and kith:is_there() and kith.follow.since end)
end

-- the panel shows what it knows of so many selected photos
local function settled(count)
  t.await("the panel", 30, function()
    local last = kith.panel.last
    return last and last[2] == count and not kith.selection.busy
  end)
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

    def __init__(self, desk: Desk) -> None:
        self.desk, self.profile, self.out = desk, desk.home / "profile", desk.home / "out"
        (desk.home / "locate.py").write_text(LOCATE)
        plugin = desk.home / "plugin" / "kith"
        plugin.parent.mkdir()
        fill(plugin)
        self.program = Darktable(desk.home / "photos", self.profile, self.out, plugin)

    def __call__(self, body: str, *options: str, fresh: bool = True, **environment: str) -> str:
        """Run a test body in darktable, which has to end and to leave nothing behind; gives darktable's log."""
        hands = HANDS.replace("@PYTHON@", sys.executable).replace("@LOCATE@", str(self.desk.home / "locate.py"))
        if fresh:
            shutil.rmtree(self.profile, ignore_errors=True)
        self.link()
        self.shortcut()
        self.program.run(f"{hands}\n{body}", "plugins/lighttable/kith/expanded=TRUE", *options, **environment)
        until(lambda: not waiting_programs(self.profile / "run"), 10)  # a request that waits for news would take longer
        assert not list((self.profile / "run").glob("*.kith"))
        return (self.out / "darktable.log").read_text(errors="replace")

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


class Known:
    """What the running Kith says, and is told."""

    def __init__(self, home: Path) -> None:
        self.photos, self.socket = home / "photos", home / "runtime" / "kith" / "kith.sock"

    def get(self, path: str) -> dict[str, Any]:
        with Client(self.socket) as client:
            return client.get(path)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        with Client(self.socket) as client:
            return client.post(path, **body)

    def is_idle(self) -> bool:
        try:
            return self.get("/v1/status")["doing"]["state"] == "idle"
        except KithError:
            return False

    def photo(self, name: str) -> dict[str, Any]:
        (found,) = self.post("/v1/photos/lookup", paths=[str(self.photos / name)])["photos"]
        return found

    def names(self, photo: str) -> list[str]:
        return [face["person"]["name"] for face in self.photo(photo)["faces"] if face["person"]]

    def name(self, person: str, place: int, *photos: str) -> None:
        """Say who the faces at a place, from the left, of some photos are."""
        faces = [self.photo(photo)["faces"][place]["id"] for photo in photos]
        self.post("/v1/faces/name", faces=faces, name=person)


@contextmanager
def running(desk: Desk) -> Iterator[Known]:
    """`kith run` over the desk's photos."""
    kith = Known(desk.home)
    log = (desk.home / "kith.log").open("w")
    command = desk.command("run", "--port", "0", desk.home / "photos")
    process = subprocess.Popen(command, env=desk.environment, stdout=log, stderr=log)
    try:
        until(kith.is_idle, 120)
        yield kith
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Desk:
    """A desk with six drawn photos: Anna and Otto on 0 to 3, Clara on 4 and 5. Its folder, as it is after the first
    scan, is kept beside it."""
    need("darktable", "xdotool", "curl", "exiftool")
    home = tmp_path_factory.mktemp("desk") / "home"
    home.mkdir()
    desk = libraries.empty(home)
    desk.configure("[sidecars]\nquiet_seconds = 0.5\n[people]\nauto = 'off'\nmin_faces = 2\n")
    for i in range(6):
        picture = drawn.photo(["Anna", "Otto"] if i < 4 else ["Clara"], seed=i)
        drawn.save(picture, home / "photos" / f"{i}.jpg", orientation=i + 1)
    desk.kith("scan", home / "photos")
    shutil.copytree(home, home.with_name("kept"))
    return desk


@pytest.fixture
def desk(scanned: Desk) -> Desk:
    """The desk as it was after the first scan."""
    shutil.rmtree(scanned.home)
    shutil.copytree(scanned.home.with_name("kept"), scanned.home)
    return scanned


@pytest.fixture
def darktable(desk: Desk) -> Host:
    return Host(desk)


def exif(desk: Desk, photo: str) -> dict[str, Any]:
    found = exiftool(desk.home / "photos", "xmp")
    return found.get(str(desk.home / "photos" / f"{photo}.xmp"), {})


def waiting_programs(folder: Path) -> list[str]:
    """Programs that the plugin started with files in a folder, and that still run."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if re.search(f"{folder}/[^/]*[.]kith/", line)]


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
t.pause(2000)
"""

QUIET = """
ready(6)
t.pause(3000)
t.shell("xdotool search --onlyvisible --name . getwindowname %@ | sort -u > " .. t.out .. "/windows")
"""


def test_names_confirmed_in_darktable_are_in_sidecars_and_survive_a_rating(desk: Desk, darktable: Host) -> None:
    with running(desk) as kith:
        kith.name("Anna Freud", 0, "0.jpg")
        kith.name("Otto Dix", 1, "0.jpg")
        darktable(CONFIRM)
        for photo in ("0.jpg", "1.jpg", "2.jpg"):
            assert sorted(kith.names(photo)) == ["Anna Freud", "Otto Dix"]
            meta = exif(desk, photo)
            assert meta["Rating"] == 3
            assert sorted(meta["PersonInImage"]) == ["Anna Freud", "Otto Dix"]
            assert sorted(meta["HierarchicalSubject"]) == ["People|Anna Freud", "People|Otto Dix"]
            assert {"Anna Freud", "Otto Dix"} <= set(meta["Subject"])
            assert len(meta["RegionInfo"]["RegionList"]) == 2
        darktable(QUIET, "run_crawler_on_start=TRUE", fresh=False)
        assert (darktable.out / "windows").read_text().split() == ["darktable"]  # and no question about sidecars


TAKEN_BACK = """
ready(6)
for i = 0, 2 do wait_for_tags(i .. ".jpg", "Anna Freud,Otto Dix") end
assert(kith.client:post("/v1/undo"))              -- somebody takes back the last answer, elsewhere
wait_for_tags("2.jpg", "Anna Freud")
wait_for_tags("1.jpg", "Anna Freud,Otto Dix")
select_photos("0.jpg")
settled(1)
click(kith.panel.rows[2].no)                      -- Otto isn't there, though somebody had said so before he was seen
wait_for_tags("0.jpg", "Anna Freud")
"""


def test_names_taken_back_vanish_from_the_tags(desk: Desk, darktable: Host) -> None:
    with running(desk) as kith:
        kith.post(f"/v1/photos/{kith.photo('0.jpg')['id']}/tag", name="Otto Dix")
        kith.name("Anna Freud", 0, "0.jpg", "1.jpg", "2.jpg")
        kith.name("Otto Dix", 1, "0.jpg", "1.jpg")
        kith.name("Otto Dix", 1, "2.jpg")
        darktable(TAKEN_BACK)
        assert kith.names("0.jpg") == ["Anna Freud"]
        assert not kith.photo("0.jpg")["present"]
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
t.await("the answers", 60, function()
  local photo = kith.client:post("/v1/photos/lookup", { paths = { t.photos .. "/3.jpg" } }).photos[1]
  local shown, present = {}, {}
  for _, face in ipairs(photo.faces) do if face.person then shown[face.person.name] = true end end
  for _, there in ipairs(photo.present) do present[there.name] = true end
  return shown["Anna Freud"] and present["Marie Curie"] and not present["Anna Freud"] and not present["Paris"]
end)
t.pause(3000)
assert(people(image) == "Anna Freud,Marie Curie", people(image))
"""


def test_a_tag_attached_by_hand_is_an_answer(desk: Desk, darktable: Host) -> None:
    with running(desk) as kith:
        kith.name("Anna Freud", 0, "0.jpg")
        until(lambda: any(face["suggestion"] for face in kith.photo("3.jpg")["faces"]))
        darktable(BY_HAND)
        assert kith.names("3.jpg") == ["Anna Freud"]
        words = [act["words"] for act in kith.get("/v1/history")["acts"]]
        assert any(said.startswith("tag ") and said.endswith("Marie Curie") for said in words)


NAMING = """
ready(6)
select_photos("4.jpg", "5.jpg")
settled(2)
local function type_name(typed)
  local x, y = place(kith.panel.give)             -- the entry is right above
  t.shell(("xdotool mousemove %s %d sleep 0.3 click 1 sleep 0.5"):format(x, y - 26))
  t.shell(("xdotool type --delay 150 '%s'"):format(typed))
  t.await("what was typed", 20, function() return kith.panel.who.text == typed end)
  t.pause(800)
end
type_name("Clara Haskil")
click(kith.panel.give)
wait_for_tags("4.jpg", "Clara Haskil")
select_photos("0.jpg")
settled(1)
type_name("hask")
t.picture("typing.png")
click(kith.panel.matches[1])
wait_for_tags("0.jpg", "Clara Haskil")
"""


def test_an_unknown_face_gets_a_name_in_the_panel(desk: Desk, darktable: Host) -> None:
    with running(desk) as kith:
        darktable(NAMING)
        assert kith.names("4.jpg") == kith.names("0.jpg") == ["Clara Haskil"]


ACTIONS = """
ready(6)
for i = 0, 3 do wait_for_tags(i .. ".jpg", "Anna Freud") end
dt.database.import(t.out .. "/../others")         -- where Kith doesn't look
t.await("the others", 30, function() return #dt.database == 12 end)
local others = {}
for _, image in ipairs(dt.database) do
  if image.path:find("others", 1, true) then others[#others + 1] = image end
end
local rule = dt.gui.libs.collect.new_rule()
rule.mode, rule.item, rule.data = "DT_LIB_COLLECT_MODE_AND", "DT_COLLECTION_PROP_FILMROLL", others[1].path
dt.gui.libs.collect.filter({ rule })
t.await("the collection", 30, function() return #dt.collection == 6 end)
dt.gui.selection(others)
settled(6)
assert(kith.panel.missing.label == "6 photos aren't in folders that Kith watches", kith.panel.missing.label)
assert(kith.panel.missing.visible)
kith.actions:filter("Anna Freud")
t.await("the collection", 20, function() return #dt.collection == 4 end)
local list = select_photos("2.jpg")
kith.actions:review({ list[1] })
t.await("the browser", 20, function() return read(t.out .. "/opened"):find("#/photo/") end)
kith.actions:find({ list[1] })
dt.control.dispatch(function()                    -- and darktable is closed in the middle of everything
  while not dt.control.ending do
    kith.selection:changed()
    kith.panel.values = {}                        -- so that everything is shown anew all the time
    dt.control.sleep(7)
  end
end)
t.pause(1500)
"""


def test_review_filter_and_find_work_and_quitting_at_work_leaves_no_program_and_no_file(
    desk: Desk, darktable: Host
) -> None:
    shutil.copytree(desk.home / "photos", desk.home / "others")
    with running(desk) as kith:
        kith.name("Anna Freud", 0, *(f"{i}.jpg" for i in range(4)))
        darktable(ACTIONS)
        link = (darktable.out / "opened").read_text()
        page = (desk.home / "state" / "kith" / "page").read_text()
        assert link.startswith(f"{page}/login?once=")
        assert link.strip().endswith(f"#/photo/{kith.photo('2.jpg')['id']}")
        assert kith.get("/v1/jobs/1")["job"]["state"] == "done"


GERMAN = """
t.await("the panel", 60, function() return kith.panel.status end)
local wanted = "Kith läuft nicht"
local fine = pcall(t.await, "status", 40, function() return kith.panel.status.label:find(wanted, 1, true) end)
assert(fine, kith.panel.status.label)
assert(kith.panel.find.label == "Gesichter suchen", kith.panel.find.label)
assert(kith.words.count("%d photo", "%d photos", 12345) == "12.345 Bilder")
t.picture("german.png")
"""


def test_the_panel_speaks_the_language_of_darktable(darktable: Host) -> None:
    darktable(GERMAN, "ui_last/gui_language=de")


WITHOUT = """
t.await("photos", 60, function() return #dt.database >= 6 end)
t.await("the panel", 60, function() return kith.panel.status end)
local function status(wanted)
  local fine = pcall(t.await, "status", 40, function() return kith.panel.status.label:find(wanted, 1, true) end)
  assert(fine, kith.panel.status.label)
end
status("Kith isn't running")
select_photos("0.jpg", "1.jpg")
t.pause(1500)
key("ctrl+alt+k")                                 -- nothing to confirm, and nothing breaks
assert(#kith.selection.images == 2)
dt.preferences.write("kith", "address", "string", "somewhere:80")
status("neither a path nor a port")
dt.preferences.write("kith", "address", "string", "@OTHER@")
status("it isn't Kith")
"""


def test_without_kith_the_panel_says_so_and_nothing_hangs(desk: Desk, darktable: Host) -> None:
    with another_server() as port:
        log = darktable(WITHOUT.replace("@OTHER@", f"127.0.0.1:{port}"))
    assert "kith: Kith isn't running" in log


@contextmanager
def another_server() -> Iterator[int]:
    """Some other program's port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
