"""`kith call` and the client that the command uses reach a running Kith, and tell apart why they can't."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest

from kith import call, paths
from kith.client import Client
from kith.errors import NotFound, NotRunning, TooSlow
from served import Served, running, served


@pytest.fixture(scope="module")
def kith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("kith")
    with running(home, [(0, 1)], pixels=False) as control, served(control) as here:
        yield here


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kith.call", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_call_prints_json(kith: Served) -> None:
    done = run("--socket", kith.socket, "GET", "/v1/hello")
    assert (done.returncode, json.loads(done.stdout)["name"]) == (0, "Kith")
    done = run("--socket", kith.socket, "post", "/v1/faces/f1/name", '{"name": "Zoë"}')
    assert json.loads(done.stdout)["person"]["name"] == "Zoë"


def test_a_plugin_calls_with_files_of_msgpack(kith: Served, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(msgpack.packb({"paths": [b"/nowhere/caf\xe9.jpg"]}))
    done = run(
        "--socket", kith.socket, "--body", tmp_path / "in", "--output", tmp_path / "out", "POST", "/v1/photos/lookup"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    answer = msgpack.unpackb((tmp_path / "out").read_bytes())
    assert answer["photos"] == [{"asked": b"/nowhere/caf\xe9.jpg", "id": None, "reason": "not-watched"}]


def test_a_refusal_is_written_too_and_told_by_the_exit_code(kith: Served, tmp_path: Path) -> None:
    done = run("--socket", kith.socket, "--output", tmp_path / "out", "GET", "/v1/faces/f99")
    assert done.returncode == call.REFUSED
    assert msgpack.unpackb((tmp_path / "out").read_bytes())["error"]["code"] == "not-found"


def test_no_daemon_a_slow_one_and_wrong_words_are_told_apart(kith: Served, tmp_path: Path) -> None:
    assert run("--socket", tmp_path / "none", "GET", "/v1/hello").returncode == call.NO_DAEMON
    for words in ((), ("GET",), ("--nothing", "GET", "/"), ("--timeout", "x", "GET", "/v1/hello")):
        done = run(*words)
        assert (done.returncode, "Usage" in done.stderr) == (call.USAGE_WRONG, True)
    last = kith.client.get("/v1/events")["last"]
    waiting = run("--socket", kith.socket, "--timeout", "0.3", "GET", f"/v1/events?since={last}&wait=20")
    assert waiting.returncode == call.TIMEOUT


def test_a_call_needs_nothing_but_python() -> None:
    code = "import sys, kith.call; print([name for name in sys.modules if name.split('.')[0] not in OWN])"
    own = "OWN = {*sys.stdlib_module_names, 'kith', '__main__', 'sitecustomize'}"
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(Path(call.__file__).parents[1])!r}); {own}; {code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("runtime", [True, False])
def test_a_call_looks_where_kith_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runtime: bool) -> None:
    if runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    else:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    for state in (str(tmp_path / "state"), None):
        if state:
            monkeypatch.setenv("XDG_STATE_HOME", state)
        else:
            monkeypatch.delenv("XDG_STATE_HOME")
        assert call.default_socket() == os.fspath(paths.of_user().socket)


def test_the_client_raises_what_kith_answered(kith: Served) -> None:
    with Client(kith.socket) as client, pytest.raises(NotFound, match="f99"):
        client.get("/v1/faces/f99")


def test_the_client_tells_that_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="kith run"):
        Client(tmp_path / "none").get("/v1/hello")
    with pytest.raises(NotRunning):
        Client(tmp_path / ("x" * 200)).get("/v1/hello")


def test_the_client_tells_kith_from_others_and_the_slow(tmp_path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "other"))
    listening.listen()

    def answer() -> None:
        connection, _ = listening.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(NotRunning, match="not Kith"):
        Client(tmp_path / "other").get("/v1/hello")
    thread.join()
    with pytest.raises(TooSlow):
        Client(tmp_path / "other", timeout=0.2).get("/v1/hello")
    listening.close()


def test_a_client_outlives_a_connection_that_was_let_go(tmp_path: Path) -> None:
    with running(tmp_path) as control:
        with served(control) as kith:
            client = Client(kith.socket)
            assert client.get("/v1/hello")["name"] == "Kith"
        with served(control):
            assert client.post("/v1/pause")["doing"]["state"] == "paused"
        client.close()
