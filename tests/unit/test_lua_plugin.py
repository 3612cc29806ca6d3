"""The parts of the darktable plugin that need no darktable, run by the plain Lua interpreter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack
import polib
import pytest
from hypothesis import given
from hypothesis import strategies as st

import served
from kith.service import neighbour
from laws import tried
from required import need

LUA = Path(__file__).resolve().parents[2] / "plugins" / "darktable_lua"
PRELUDE = f"""
package.path = {json.dumps(str(LUA / "?.lua"))}
local msgpack = require "kith/lib/msgpack"
local given = msgpack.decode(io.read("a"))
local http, names, record = require "kith/lib/http", require "kith/lib/names", require "kith/lib/record"
local summary, words = require "kith/lib/summary", require("kith/lib/words").new()
local function give(...) io.write(msgpack.encode(msgpack.array {{ ... }})) end
"""


def lua(script: str, given: Any = None, **environment: str) -> list[Any]:
    """What a script gives that is given a value."""
    need("lua5.4")
    done = subprocess.run(
        ["lua5.4", "-e", PRELUDE + script],
        input=msgpack.packb(given),
        env=os.environ | environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    found: list[Any] = msgpack.unpackb(done.stdout, strict_map_key=False)
    return found


# -- asking -------------------------------------------------------------------------------------------------------

CLIENT = """
local folder = given.folder
local client = http.client { execute = function(line)
    local log = io.open(folder .. ".lines", "a")
    log:write(line, "\\n")
    log:close()
    local _, how, code = os.execute(line)
    return how == "exit" and code << 8 or code
  end,
  folder = folder, address = function() return given.address end, programs = given.programs }
"""


def asked(tmp_path: Path, script: str, address: dict[str, Any], **more: Any) -> list[Any]:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700, exist_ok=True)
    programs = {"curl": "curl", "kith": "kith"} | more.pop("programs", {})
    return lua(CLIENT + script, {"folder": str(folder), "address": address, "programs": programs} | more)


@pytest.fixture(scope="module")
def kith(tmp_path_factory: pytest.TempPathFactory) -> Any:
    need("curl")
    with (
        served.running(tmp_path_factory.mktemp("kith"), [[1], [2]], pixels=False) as control,
        served.served(control) as at,
    ):
        yield at


def test_kith_is_asked_over_its_socket_and_nothing_of_the_users_is_on_a_command_line(kith: Any, tmp_path: Path) -> None:
    path = str(kith.control.app.paths.data.parent / "photos" / "00000.jpg")
    script = 'give(client:post("/v1/photos/lookup", { paths = { given.path } }))'
    (answer,) = asked(tmp_path, script, {"socket": str(kith.socket)}, path=path)
    assert answer["photos"][0]["path"] == path
    lines = (tmp_path / "private.lines").read_text()
    assert "photos" not in lines.replace(str(tmp_path), "")
    assert str(kith.socket) not in lines
    assert not list((tmp_path / "private").iterdir())


def test_over_tcp_the_token_stays_off_the_command_line(kith: Any, tmp_path: Path) -> None:
    (answer,) = asked(tmp_path, 'give(client:get("/v1/hello"))', {"port": kith.port, "token": served.TOKEN})
    assert answer["name"] == "Kith"
    assert served.TOKEN not in (tmp_path / "private.lines").read_text()
    _, error = asked(
        tmp_path, 'give(client:get("/v1/hello") or false, select(2, client:get("/v1/hello")))', {"port": kith.port}
    )
    assert error["kind"] == "refused" and error["code"] == "unauthorised"


def test_without_curl_the_kith_command_asks(kith: Any, tmp_path: Path) -> None:
    program = tmp_path / "kith"
    program.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" -m kith.call "$@"\n')
    program.chmod(0o755)
    programs = {"curl": "/nonexistent/curl", "kith": str(program)}
    script = """
    local hello = client:get("/v1/hello")
    local _, err = client:post("/v1/photos/lookup", { paths = { "relative" } })
    give(hello, err, client.by)
    """
    hello, error, by = asked(tmp_path, script, {"socket": str(kith.socket)}, programs=programs)
    assert hello["name"] == "Kith"
    assert (error["kind"], error["code"]) == ("refused", "bad-request")
    assert by == "kith"


def test_every_way_to_fail_is_told_apart(kith: Any, tmp_path: Path) -> None:
    ask = 'local _, err = client:get("/v1/hello", 1) give(err.kind)'
    assert asked(tmp_path, ask, {"socket": str(tmp_path / "nobody.sock")}) == ["absent"]
    assert asked(tmp_path, ask, {"socket": "/x"}, programs={"curl": "/none", "kith": "/none"}) == ["no program"]
    assert asked(tmp_path, ask, {"problem": "neither"}) == ["address"]
    slow = 'local _, err = client:get("/v1/events?wait=30", 1) give(err.kind)'
    assert asked(tmp_path, slow, {"socket": str(kith.socket)}) == ["timeout"]
    other = 'local _, err = client:get("/", 5) give(err.kind)'
    assert asked(tmp_path, other, {"socket": str(kith.socket)}) == ["garbled"]
    closed = 'client:close() local _, err = client:get("/v1/hello") give(err.kind)'
    assert asked(tmp_path, closed, {"socket": str(kith.socket)}) == ["ended"]


def test_closing_ends_what_waits_and_removes_every_file(kith: Any, tmp_path: Path) -> None:
    script = """
    local run, number = client.execute, nil
    client.execute = function(line)
      if line:find("^kill") then return run(line) end
      run("sh -c " .. http.quote(line) .. " & sleep 0.7") -- what darktable's end doesn't wait for
      local file = io.open((next(client.running)))
      number = file:read("n")
      file:close()
      client:close()
      client:remove()
      return 15
    end
    local _, err = client:get("/v1/events?wait=50", 60)
    os.execute("sleep 0.3")
    give(err.kind, (os.execute("grep -q curl /proc/" .. number .. "/cmdline 2>/dev/null")) or false)
    """
    assert asked(tmp_path, script, {"socket": str(kith.socket)}) == ["ended", False]
    assert not (tmp_path / "private").exists()


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=30), min_size=1, max_size=4))
@tried(60)
def test_words_reach_a_program_as_they_are(words: list[str]) -> None:
    script = """
    local quoted = {}
    for i, word in ipairs(given) do quoted[i] = http.quote(word) end
    local pipe = io.popen("printf '%s\\\\0' " .. table.concat(quoted, " "))
    give(pipe:read("a"))
    """
    (out,) = lua(script, words)
    assert (out.encode() if isinstance(out, str) else out).split(b"\0")[:-1] == [word.encode() for word in words]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
@tried(40)
def test_what_stands_in_a_file_for_curl_stays_one_value(text: str) -> None:
    (written,) = lua('give(http.curl_file { { "url", given } })', text)
    raw = written if isinstance(written, str) else written.decode()
    assert raw.count("\n") == 1
    assert raw.startswith('url = "') and raw.endswith('"\n')
    assert raw[7:-2].replace("\\\\", "").replace('\\"', "").count('"') == 0


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", {"socket": "/run/user/7/kith/kith.sock", "usual": True}),
        ("127.0.0.1:8473", {"port": 8473, "token": "secret"}),
        (" 8473 ", {"port": 8473, "token": "secret"}),
        ("/somewhere/kith.sock", {"socket": "/somewhere/kith.sock"}),
        ("~/kith.sock", {"socket": "/home/anna/kith.sock"}),
        ("example.org:80", {"socket": "example.org:80", "problem": "neither a path nor a port"}),
    ],
)
def test_the_address_is_a_socket_or_a_port_of_this_machine(setting: str, expected: dict[str, Any]) -> None:
    script = 'give(http.address(given, os.getenv, function() return "secret" end))'
    assert lua(script, setting, XDG_RUNTIME_DIR="/run/user/7", HOME="/home/anna") == [expected]


@pytest.mark.parametrize(("status", "code"), [(0, 0), (1792, 7), (7168, 28), (32512, 127), (15, 143), (-1, 127)])
def test_the_status_of_system_is_read_as_an_exit_code(status: int, code: int) -> None:
    assert lua("give(http.exit_code(given))", status) == [code]


# -- tags and answers ---------------------------------------------------------------------------------------------

PLAN = """
local plan, now = names.plan(names.set(given.has), given.wanted, given.record)
for _, list in pairs(plan) do msgpack.array(list) end
give(plan.attach, plan.detach, plan.tell, msgpack.map(now))
"""


def plan(has: list[str], wanted: dict[str, str], record: dict[str, str] | None) -> list[Any]:
    return lua(PLAN, {"has": has, "wanted": wanted} | ({} if record is None else {"record": record}))


def test_a_name_of_kith_is_attached_once_and_taken_back() -> None:
    attach, _, _, record = plan([], {"Anna": "face"}, None)
    assert attach == ["Anna"] and record == {"Anna": "kith"}
    assert plan(["Anna"], {"Anna": "face"}, record) == [[], [], [], record]
    assert plan(["Anna"], {}, record) == [[], ["Anna"], [], {}]


def test_a_tag_attached_by_hand_is_told_once_and_never_removed() -> None:
    _, detach, tell, record = plan(["Otto"], {}, {})
    assert (detach, tell, record) == ([], ["Otto"], {"Otto": "hand"})
    assert plan(["Otto"], {"Otto": "present"}, record) == [[], [], [], record]
    assert plan(["Otto"], {}, record) == [[], [], [], record]


def test_what_kith_read_in_the_sidecar_first_is_still_told_as_it_may_be_a_face() -> None:
    assert plan(["Otto"], {"Otto": "present"}, {}) == [[], [], ["Otto"], {"Otto": "hand"}]


def test_tags_from_before_the_first_look_are_left_alone() -> None:
    assert plan(["Otto"], {}, None) == [[], [], [], {"Otto": "hand"}]
    assert plan(["Otto"], {"Otto": "face"}, None) == [[], [], [], {"Otto": "kith"}]


def test_what_a_person_detached_is_not_attached_again() -> None:
    assert plan([], {"Anna": "face"}, {"Anna": "kith"})[0] == []


some = st.sets(st.sampled_from(["Anna", "Otto", "Clara", "李四"]))


@tried(60)
@given(
    some,
    some,
    st.none() | st.dictionaries(st.sampled_from(["Anna", "Otto", "Clara"]), st.sampled_from(["kith", "hand"])),
)
def test_following_twice_does_nothing_more(has: set[str], wanted: set[str], record: dict[str, str] | None) -> None:
    names = dict.fromkeys(wanted, "face")
    attach, detach, tell, now = plan(sorted(has), names, record)
    assert set(attach) <= wanted and set(detach) <= has - wanted and set(tell) <= has
    assert all((record or {}).get(name) == "kith" for name in detach)
    after = has - set(detach) | set(attach)
    assert plan(sorted(after), names, now)[:3] == [[], [], []]


def face(number: int, state: str, who: str | None = None) -> dict[str, Any]:
    person = {"id": f"p{who}", "name": who} if who else None
    confirmed = state == "confirmed"
    guess = {"person": person, "probability_group": 0.875} if person and not confirmed else None
    found = {"id": f"f{number}", "state": state, "person": person if confirmed else None, "suggestion": guess}
    return {key: value for key, value in found.items() if value is not None}


def photo(number: int, *faces: dict[str, Any], present: tuple[str, ...] = ()) -> dict[str, Any]:
    there = [{"id": f"p{name}", "name": name} for name in present]
    return {"id": number, "rev": 3, "path": f"/photos/{number}.jpg", "faces": list(faces), "present": there}


def test_an_answer_by_tag_confirms_a_suggested_face_and_else_says_present() -> None:
    photos = [
        photo(1, face(1, "suggested", "Anna")),
        photo(2, face(2, "unknown")),
        photo(3, face(3, "confirmed", "Anna")),
    ]
    script = "local a = names.answer('Anna', given) give(a.faces, a.person, a.photos)"
    assert lua(script, photos) == [["f1"], "pAnna", [2]]


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("People|Anna", "Anna"),
        ("People|Family|Anna", "Anna"),
        ("People", None),
        ("Peoples|Anna", None),
        ("Places|People|Anna", None),
    ],
)
def test_names_stand_below_the_root_alone(tag: str, name: str | None) -> None:
    assert lua('give(names.of_tag(given, "People") or false)', tag) == [name or False]


@tried(40)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="¦\0"), max_size=20),
    st.sampled_from(["¦", "/", "%", "%1"]),
)
def test_a_name_with_a_pipe_comes_back_from_its_tag(name: str, pipe: str) -> None:
    if pipe in name:
        return
    leaf, back = lua(
        "local leaf = names.in_tag(given[1], given[2]) give(leaf, names.told(leaf, given[2]))", [name, pipe]
    )
    assert "|" not in leaf and back == name


# -- the panel ----------------------------------------------------------------------------------------------------


def test_the_selection_is_summed_up_by_person() -> None:
    photos = [
        photo(1, face(1, "confirmed", "Anna"), face(2, "suggested", "Otto"), face(3, "unknown")),
        photo(2, face(4, "auto", "Anna"), face(5, "ignored"), face(6, "not-a-face"), present=("Otto",)),
        {"asked": "/x.jpg", "reason": "offline"},
    ]
    script = """
    local s = summary.of(given)
    local rows = {}
    for i, row in ipairs(s.people) do rows[i] = words:of_person(row) end
    give(rows, #s.open, #s.unknown, s.known, words:of_reasons(s.reasons))
    """
    assert lua(script, photos) == [
        ["Anna  1 · 1 by Kith", "Otto  1 · 1? 87 %"],
        2,
        1,
        2,
        "1 photo is on a disk that isn't there",
    ]


def test_faces_that_want_a_name_come_by_group_and_then_from_left_to_right() -> None:
    grouped = {"group": "g7"}
    photos = [photo(1, face(1, "unknown"), face(2, "grouped") | grouped), photo(2, face(3, "grouped") | grouped)]
    script = """
    local found = {}
    for i, target in ipairs(summary.nameable(summary.of(given).unknown)) do
      found[i] = words:of_target(target) .. " " .. #target.faces
    end
    give(found)
    """
    assert lua(script, photos) == [["2 similar faces 2", "face 1 of 2 on 1.jpg 1"]]


def test_every_error_has_a_sentence_of_its_own() -> None:
    kinds = ["absent", "timeout", "no program", "garbled", "address", "ended", "version", "stopped"]
    script = "local told = {} for i, kind in ipairs(given) do told[i] = words:of_error { kind = kind } end give(told)"
    (told,) = lua(script, kinds)
    assert len(set(told)) == len(kinds)
    assert lua('give(words:of_error { kind = "refused", code = "busy", message = "Wait." })') == ["Wait."]


@pytest.mark.parametrize(
    ("hello", "kind"),
    [
        ({"name": "Kith", "api": 1}, False),
        ({"name": "Kith", "api": 2}, "version"),
        ({"name": "Other", "api": 1}, "garbled"),
    ],
)
def test_a_kith_of_another_api_is_noticed(hello: dict[str, Any], kind: str | bool) -> None:
    assert lua('local e = require("kith/lib/words").misfit(given) give(e and e.kind or false)', hello) == [kind]


@pytest.mark.parametrize(
    ("doing", "told"),
    [
        ({"state": "idle"}, "all photos are looked at"),
        ({"state": "paused", "paused_by": ["battery"]}, "paused by battery"),
        ({"stage": {"title": "Finding faces", "done": 1200, "total": 4000, "seconds_left": 61}},
         "Finding faces: 1,200 of 4,000, 2 minutes left"),
        ({"roots": [{"path": "/media/disk", "online": False}]}, "not there now: /media/disk"),
        ({"problem": {"code": "model-missing", "message": "No model."}}, "No model."),
    ],
)  # fmt: skip
def test_what_kith_does_is_told_in_a_line(doing: dict[str, Any], told: str) -> None:
    whole = {"state": "busy", "paused_by": [], "roots": []} | doing
    assert lua("give(words:of_status(given))", whole) == [told]


# -- translations -------------------------------------------------------------------------------------------------

STRING = r'"((?:[^"\\]|\\.)*)"'
TRANSLATED = re.compile(rf"(?:\b_|\.say|\.count|\bN_)\(\s*{STRING}(?:,\s*{STRING})?")
LANGUAGES = sorted((LUA / "kith" / "locale").glob("*.po"))


def sentences() -> set[tuple[str, str]]:
    """All sentences in the plugin, each with the one for many, or nothing."""
    sources = "\n".join(path.read_text() for path in (LUA / "kith").rglob("*.lua"))
    return set(TRANSLATED.findall(sources))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda path: path.stem)
def test_every_sentence_is_translated_and_none_that_is_gone(language: Path) -> None:
    entries = polib.pofile(str(language))
    assert {(entry.msgid, entry.msgid_plural) for entry in entries} == sentences()
    for entry in entries:
        assert not entry.fuzzy
        for told in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert told
            assert places(told) in (places(entry.msgid), places(entry.msgid_plural))


def places(sentence: str) -> list[str]:
    """Where numbers and names are put in."""
    return re.findall("%[sd%]", sentence)


def test_what_kith_calls_its_work_is_translated() -> None:
    (of_kith,) = lua('give(require("kith/lib/words").of_kith)')
    sources = Path(neighbour.__file__).parents[1]
    titles = {title for path in sources.rglob("*.py") for title in re.findall(r'\.stage\("([^"]+)"', path.read_text())}
    assert titles | {"you", neighbour.BATTERY, neighbour.LOAD} == set(of_kith)


# -- the record ---------------------------------------------------------------------------------------------------


def test_the_record_outlives_a_write_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "names"
    keep = 'local r = record.open(given) r:put("1:/a", { Anna = "kith" }) r:put("2:/b", { Otto = "hand" }) give(0)'
    lua(keep, str(path))
    path.write_bytes(path.read_bytes()[:-3])
    read = 'local r = record.open(given) give(r:get("1:/a") or false, r:get("2:/b") or false)'
    assert lua(read, str(path)) == [{"Anna": "kith"}, False]
    lua(keep, str(path))
    assert lua(read, str(path)) == [{"Anna": "kith"}, {"Otto": "hand"}]


def test_the_record_doesnt_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "names"
    script = """
    local r = record.open(given)
    for i = 1, 1500 do r:put("1:/a", { ["Anna" .. i] = "kith" }) end
    give(record.open(given):get("1:/a"))
    """
    assert lua(script, str(path)) == [{"Anna1500": "kith"}]
    assert path.stat().st_size < 100
