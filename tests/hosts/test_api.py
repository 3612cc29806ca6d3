"""The API as plugins meet it: the real curl, told in a file, over the socket; and a browser's stream over the port."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
from PIL import Image

from served import Served, running, served

pytestmark = pytest.mark.usefixtures("curl")
MSGPACK = "application/vnd.msgpack"


@pytest.fixture
def kith(tmp_path: Path) -> Iterator[Served]:
    with running(tmp_path / "home", [(0, 1), (0,), (1,)]) as control, served(control) as here:
        yield here


@pytest.fixture(autouse=True)
def _home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()


def begin(kith: Served, folder: Path, path: str, body: Any = None) -> subprocess.Popen[bytes]:
    """A call as the darktable plugin makes it: nothing of the user's stands on the command line."""
    config = [
        f'unix-socket = "{kith.socket}"',
        f'url = "http://kith{path}"',
        f'header = "Accept: {MSGPACK}"',
        f'output = "{folder / "answer"}"',
        'write-out = "%{http_code}"',
        "silent",
    ]
    if body is not None:
        (folder / "body").write_bytes(msgpack.packb(body))
        config += [f'header = "Content-Type: {MSGPACK}"', f'data-binary = "@{folder / "body"}"']
    (folder / "call").write_text("\n".join(config))
    return subprocess.Popen(["curl", "-q", "-K", str(folder / "call")], stdout=subprocess.PIPE)


def curl(kith: Served, folder: Path, path: str, body: Any = None) -> tuple[int, Any]:
    """The status and the values of an answer."""
    told, _ = begin(kith, folder, path, body).communicate(timeout=20)
    return int(told), msgpack.unpackb((folder / "answer").read_bytes())


def test_a_plugin_looks_up_a_photo_names_a_face_and_hears_of_it(kith: Served, tmp_path: Path) -> None:
    path = kith.client.get("/v1/photos/1")["photo"]["path"]
    status, found = curl(kith, tmp_path, "/v1/photos/lookup", {"paths": [path]})
    assert (status, found["ok"], found["photos"][0]["id"]) == (200, True, 1)
    _, start = curl(kith, tmp_path, "/v1/events")
    face = found["photos"][0]["faces"][0]["id"]
    said = {"name": "Zoë Müller", "rev": found["photos"][0]["rev"]}
    status, settled = curl(kith, tmp_path, f"/v1/faces/{face}/name", said)
    assert (status, settled["person"]["name"]) == (200, "Zoë Müller")
    _, news = curl(kith, tmp_path, f"/v1/events?since={start['last']}&wait=20")
    assert path in [event["path"] for event in news["events"] if event["kind"] == "names"]
    status, refused = curl(kith, tmp_path, f"/v1/faces/{face}/name", said)
    assert (status, refused["error"]["code"]) == (409, "stale")


def test_a_waiting_plugin_is_let_go_when_its_program_ends(kith: Served, tmp_path: Path) -> None:
    (tmp_path / "poll").mkdir()
    last = kith.client.get("/v1/events")["last"]
    waiting = begin(kith, tmp_path / "poll", f"/v1/events?since={last}&wait=55&client=darktable-1")
    until = time.monotonic() + 10
    while curl(kith, tmp_path, "/v1/events/end", {"client": "darktable-1"})[1]["ended"] == 0:
        assert time.monotonic() < until
    told, _ = waiting.communicate(timeout=2)
    assert told == b"200"
    assert msgpack.unpackb((tmp_path / "poll" / "answer").read_bytes())["events"] == []


def test_curl_tells_a_kith_that_is_not_there_by_its_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        ["curl", "-qs", "--unix-socket", str(tmp_path / "none"), "http://kith/v1/hello"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 7


def test_a_browser_is_logged_in_and_streams(kith: Served, tmp_path: Path) -> None:
    jar, page = tmp_path / "jar", f"http://127.0.0.1:{kith.port}"
    link = kith.client.post("/v1/login-links")["path"]
    browser = ["curl", "-qs", "-c", str(jar), "-b", str(jar), "-H", "Sec-Fetch-Site: same-origin"]
    subprocess.run([*browser, "-o", "/dev/null", page + link], check=True)
    stream = subprocess.Popen(
        [*browser, "-N", "-H", "Accept: text/event-stream", f"{page}/v1/events"], stdout=subprocess.PIPE, text=True
    )
    assert stream.stdout is not None
    assert stream.stdout.readline() == "event: status\n"
    body = ["-H", "Content-Type: application/json", "-H", "Accept: application/json", "-d", '{"name": "Anna"}']
    answer = subprocess.run([*browser, *body, f"{page}/v1/faces/f1/name"], capture_output=True, check=True).stdout
    act = json.loads(answer)["act"]
    lines = iter(stream.stdout.readline, "")
    while next(lines) != "event: answer\n":
        pass
    next(lines)
    assert json.loads(next(lines).removeprefix("data: "))["act"] == act
    stream.terminate()
    stream.wait(5)


def test_the_picture_of_a_face_and_of_its_photo_are_pictures(kith: Served, tmp_path: Path) -> None:
    for path, form in (("/v1/faces/f1/crop?form=webp", "WEBP"), ("/v1/photos/1/picture?size=200", "JPEG")):
        begin(kith, tmp_path, path).communicate(timeout=30)
        with Image.open(tmp_path / "answer") as picture:
            assert picture.format == form
