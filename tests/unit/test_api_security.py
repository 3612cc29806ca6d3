"""Nobody but this user, and no page but Kith's own, gets anything out of Kith or into it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kith.api.auth import COOKIE_SECONDS, LINK_SECONDS, kept_token
from kith.api.routes import ROUTES
from kith.api.serve import serve
from kith.errors import AlreadyRunning, BadRequest, Forbidden, PermissionDenied
from served import TOKEN, Reply, Served, running, served


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1.7e9

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def kith(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("kith")
    with running(home, [(0, 1)], pixels=False) as control, served(control, now=clock) as here:
        yield here


def cookie(kith: Served) -> dict[str, str]:
    """The cookie of a browser that was logged in."""
    reply = kith.http("GET", kith.client.post("/v1/login-links")["path"], token=False)
    assert (reply.status, reply.headers["Location"]) == (303, "/")
    return {"Cookie": reply.headers["Set-Cookie"].split(";")[0]}


def code(reply: Reply) -> str:
    return str(reply.json["error"]["code"])


# -- the socket ---------------------------------------------------------------------------------------------------


def test_the_socket_is_this_users_alone(kith: Served) -> None:
    assert stat.S_IMODE(kith.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(kith.socket.parent.stat().st_mode) == 0o700


def test_another_user_is_refused_even_where_the_socket_lets_them_in(tmp_path: Path) -> None:
    with running(tmp_path) as control, served(control, owner=os.geteuid() + 1) as kith, pytest.raises(Forbidden):
        kith.client.get("/v1/hello")


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("curl") is None, reason="only root can become another user")
def test_a_real_other_user_gets_nothing(kith: Served) -> None:
    def asked() -> subprocess.CompletedProcess[str]:
        words = [
            "curl",
            "-qsi",
            "-HAccept: application/json",
            "--unix-socket",
            str(kith.socket),
            "http://kith/v1/hello",
        ]
        return subprocess.run(
            words, user=65534, group=65534, extra_groups=[], cwd="/", capture_output=True, text=True, check=False
        )

    assert (asked().returncode, asked().stdout) == (7, "")
    ways = [kith.socket, *kith.socket.parents][:-1]
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in ways}
    try:
        for path in ways:
            path.chmod(before[path] | (0o666 if path == kith.socket else 0o001))
        assert asked().stdout.startswith("HTTP/1.1 403 ")
        assert "forbidden" in asked().stdout
    finally:
        for path, mode in before.items():
            path.chmod(mode)


def test_a_folder_that_others_may_enter_is_no_place_for_the_socket(tmp_path: Path) -> None:
    with running(tmp_path) as control:
        control.app.paths.socket.parent.chmod(0o755)
        with pytest.raises(PermissionDenied, match="700"), served(control):
            pass


def test_a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    with running(tmp_path) as control:
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(control.app.paths.socket))
        left.close()
        with served(control) as kith:
            assert kith.client.get("/v1/hello")["name"] == "Kith"
            with pytest.raises(AlreadyRunning), served(control):
                pass
            assert kith.client.get("/v1/hello")["name"] == "Kith"
        assert not control.app.paths.socket.exists()
        control.app.paths.socket.write_text("a file")
        with pytest.raises(PermissionDenied, match="no socket"), served(control):
            pass


# -- the port -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4"])
def test_kith_answers_at_no_address_that_other_machines_reach(kith: Served, host: str) -> None:
    async def open_up() -> None:
        from kith.api.app import make

        async with serve(make(kith.control, token=TOKEN), host=host, port=0):
            pass

    # in a thread, since this one may have a browser's event loop that runs
    with ThreadPoolExecutor(1) as thread, pytest.raises(BadRequest, match="other machines"):
        thread.submit(asyncio.run, open_up()).result()


def test_every_call_takes_the_token(kith: Served) -> None:
    for route in ROUTES:
        path = route.path.replace("{", "").replace("}", "")
        if path != "/login":
            assert code(kith.http(route.method, path, token=False)) == "unauthorised", path
    assert kith.http("GET", "/v1/hello").status == 200


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN]
)
def test_nothing_else_will_do(kith: Served, shown: str) -> None:
    reply = kith.http("GET", "/v1/hello", headers={"Authorization": shown}, token=False)
    assert (reply.status, code(reply)) == (401, "unauthorised")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_login_link_works_once_and_for_a_minute(kith: Served, clock: Clock) -> None:
    path = kith.client.post("/v1/login-links")["path"]
    assert kith.http("GET", path, token=False).status == 303
    assert code(kith.http("GET", path, token=False)) == "unauthorised"
    late = kith.client.post("/v1/login-links")["path"]
    clock.seconds += LINK_SECONDS + 1
    assert code(kith.http("GET", late, token=False)) == "unauthorised"
    for once in ("", "?once=", "?once=guess"):
        assert code(kith.http("GET", f"/login{once}", token=False)) == "unauthorised"


def test_of_links_that_nobody_uses_only_the_newest_sixteen_work(kith: Served) -> None:
    paths = [kith.client.post("/v1/login-links")["path"] for _ in range(17)]
    assert [kith.http("GET", path, token=False).status for path in paths] == [401, *[303] * 16]


def test_the_cookie_is_for_kiths_page_only_and_ends(kith: Served, clock: Clock) -> None:
    path = kith.client.post("/v1/login-links")["path"]
    given = kith.http("GET", path, token=False).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(given.split("; "))
    sent = {"Cookie": given.split(";")[0]}
    assert kith.http("GET", "/v1/hello", headers=sent, token=False).status == 200
    clock.seconds += COOKIE_SECONDS + 1
    assert code(kith.http("GET", "/v1/hello", headers=sent, token=False)) == "unauthorised"


def test_a_made_up_cookie_is_none(kith: Served) -> None:
    name, _, value = cookie(kith)["Cookie"].partition("=")
    ends, _, signature = value.partition(".")
    for forged in (f"{int(ends) + 9}.{signature}", f"{ends}.{'0' * 64}", f"{ends}.", f"9{value}", "", "x", f"{value}0"):
        assert (
            code(kith.http("GET", "/v1/hello", headers={"Cookie": f"{name}={forged}"}, token=False)) == "unauthorised"
        )


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:{port}", "", "localhost"])
def test_a_name_that_leads_here_from_elsewhere_is_refused(kith: Served, host: str) -> None:
    head = f"GET /v1/hello HTTP/1.1\r\nHost: {host.format(port=kith.port)}\r\nAuthorization: Bearer {TOKEN}\r\n"
    with kith.connection() as connection:
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n")
        assert b" 403 " in connection.recv(9999).split(b"\r\n")[0]


def test_kiths_own_names_are_heard(kith: Served) -> None:
    for name in ("127.0.0.1", "localhost", "LOCALHOST"):
        assert kith.http("GET", "/v1/hello", headers={"Host": f"{name}:{kith.port}"}).status == 200


@pytest.mark.parametrize(
    "told",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_another_page_can_not_answer_for_the_user(kith: Served, told: dict[str, str]) -> None:
    told = {name: value.format(port=kith.port) for name, value in told.items()}
    body = {"Content-Type": "application/json"}
    for shown in (cookie(kith), {"Authorization": f"Bearer {TOKEN}"}):
        for path in ("/v1/faces/f1/ignore", "/v1/pause", "/v1/undo"):
            reply = kith.http("POST", path, b"{}", told | body | shown, token=False)
            assert (reply.status, code(reply)) == (403, "forbidden")
    reply = kith.http("GET", "/v1/people", headers=told | cookie(kith), token=False)
    assert (reply.status, code(reply)) == (403, "forbidden")


def test_a_browser_that_does_not_say_which_page_asks_can_look_but_not_answer(kith: Served) -> None:
    sent = cookie(kith) | {"Content-Type": "application/json"}
    assert kith.http("GET", "/v1/hello", headers=sent, token=False).status == 200
    assert code(kith.http("POST", "/v1/pause", b"{}", sent, token=False)) == "forbidden"


def test_kiths_own_page_can_answer(kith: Served) -> None:
    sent = cookie(kith) | {"Content-Type": "application/json"}
    for told in ({"Origin": f"http://127.0.0.1:{kith.port}"}, {"Sec-Fetch-Site": "same-origin"}):
        assert kith.http("POST", "/v1/resume", b"{}", sent | told, token=False).status == 200


def test_every_answer_is_closed_to_other_pages(kith: Served) -> None:
    for reply in (kith.http("GET", "/v1/hello"), kith.http("GET", "/nowhere"), kith.http("GET", "/v1/faces/f1/crop")):
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in reply.headers
        assert reply.headers["Server"] == "Kith"


# -- paths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v1/photos/../../etc/passwd",
        "/v1/photos/%2e%2e%2f%2e%2e%2fetc%2fpasswd/picture",
        "/v1/photos/%2fetc%2fpasswd/picture",
        "/v1/photos/1%00/picture",
        "/v1/photos/0001x/picture",
        "/v1/photos/9999999999999999999/picture",
        "//etc/passwd",
    ],
)
def test_no_path_leads_to_any_other_file(kith: Served, path: str) -> None:
    assert kith.http("GET", path).status == 404


def test_a_path_outside_of_the_catalogue_is_looked_up_and_never_opened(kith: Served, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")  # whoever opened it would wait for ever
    (found,) = kith.client.post("/v1/photos/lookup", paths=[str(tmp_path / "pipe.jpg")])["photos"]
    assert found["reason"] == "not-watched"


# -- the token ----------------------------------------------------------------------------------------------------


def test_the_token_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    made = kept_token(tmp_path / "token")
    assert len(made) >= 43
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    (tmp_path / "token").chmod(0o644)
    assert kept_token(tmp_path / "token") == made
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert kept_token(tmp_path / "other") != made
