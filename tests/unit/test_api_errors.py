"""Whatever goes wrong has one shape: {ok: false, error: {code, message, detail}}, with the status that fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest

from kith.api.routes import ROUTES, Limits
from kith.catalogue import faces
from served import TOKEN, Reply, Served, running, served

SMALL = Limits(body=1000, body_seconds=0.5, threads=1, waiting=1)
MSGPACK = {"Content-Type": "application/vnd.msgpack"}


@pytest.fixture(scope="module")
def kith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        running(tmp_path_factory.mktemp("kith"), [(0, 1)], pixels=False) as control,
        served(control, limits=SMALL) as here,
    ):
        yield here


def error(body: Any) -> dict[str, Any]:
    """The error in a body, which has the one shape."""
    assert set(body) == {"ok", "error"}
    assert body["ok"] is False
    found: dict[str, Any] = body["error"]
    assert set(found) == {"code", "message", "detail"}
    assert isinstance(found["code"], str) and isinstance(found["message"], str)
    return found


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, error(reply.json)["code"]


def test_no_such_call(kith: Served) -> None:
    for path in ("/v1", "/v2/hello", "/v1/hello/", "/v1/../etc/passwd", "/v1/faces/f1/nothing", "/%00", "/é"):
        assert code(kith.http("GET", path.replace("é", "%C3%A9"))) == (404, "not-found")


def test_every_call_refuses_a_method_that_it_does_not_have(kith: Served) -> None:
    for path in {route.path for route in ROUTES}:
        allowed = {route.method for route in ROUTES if route.path == path}
        reply = kith.http("DELETE", re.sub(r"{\w+}", "1", path))
        assert code(reply) == (405, "method-not-allowed")
        assert allowed <= set(reply.json["error"]["detail"]["allowed"]) == set(reply.headers["Allow"].split(", "))


def test_a_body_that_is_too_large(kith: Served) -> None:
    assert code(kith.http("POST", "/v1/undo", b"x" * 2000, MSGPACK)) == (413, "too-large")


def test_a_body_that_is_neither_msgpack_nor_json(kith: Served) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert code(kith.http("POST", "/v1/undo", b"a=1", {"Content-Type": kind})) == (415, "unknown-format")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        ("application/json", b'{"act": NaN}'),
        ("application/json", b"[" * 900),
        ("application/json", b"null"),
        ("application/json", b"[1]"),
        ("application/json", b'{"act": 1, "more": 2}'),
        ("application/json", b'{"act": -1}'),
        ("application/json", b'{"act": 1e300}'),
        ("application/json", b'{"act": 99999999999999999999999999}'),
        ("application/json", b'{"act": "1"}'),
        ("application/vnd.msgpack", b"\xc1"),
        ("application/vnd.msgpack", b"\x81"),
        ("application/vnd.msgpack", b"\x91" * 900),
        ("application/vnd.msgpack", b"\x80\x80"),
        ("application/vnd.msgpack", b"\xd4\x01\x00"),
        ("application/vnd.msgpack", msgpack.packb({1: 2})),
        ("application/vnd.msgpack", msgpack.packb({"act": b"1"})),
    ],
)
def test_a_body_that_can_not_be_used(kith: Served, kind: str, body: bytes) -> None:
    assert code(kith.http("POST", "/v1/undo", body, {"Content-Type": kind})) == (400, "bad-request")


def test_deep_nesting_is_refused_whatever_its_depth(tmp_path: Path) -> None:
    with running(tmp_path) as control, served(control) as kith:
        for depth in (500, 2000, 100_000, 4_000_000):
            for kind, body in (("json", b"[" * depth), ("vnd.msgpack", b"\x91" * depth)):
                sent = kith.http("POST", "/v1/undo", body, {"Content-Type": f"application/{kind}"})
                assert code(sent) == (400, "bad-request")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=501", "more=1", "state=gone", "order=", "photo=-1"])
def test_a_query_that_can_not_be_used(kith: Served, query: str) -> None:
    assert code(kith.http("GET", f"/v1/faces?{query}")) == (400, "bad-request")


@pytest.mark.parametrize("path", ["relative.jpg", "", "/a\0b", "/" + "x" * 5000, 1, None, "/\ud800"])
def test_a_path_that_can_be_none(kith: Served, path: Any) -> None:
    body = json.dumps({"paths": [path]}).encode()
    status = (413, "too-large") if len(body) > 1000 else (400, "bad-request")
    assert code(kith.http("POST", "/v1/photos/lookup", body, {"Content-Type": "application/json"})) == status


@pytest.mark.parametrize(
    "junk",
    [b"junk\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nA\r\n\r\n"],
)
def test_what_is_no_http(kith: Served, junk: bytes) -> None:
    for unix in (False, True):
        with kith.connection(unix=unix) as connection:
            connection.sendall(junk)
            answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 400 " in head.split(b"\r\n")[0]
        assert b"Content-Security-Policy" in head
        assert error(json.loads(body))["code"] == "bad-request"


def test_a_head_that_is_too_large(kith: Served) -> None:
    with kith.connection() as connection:
        connection.sendall(b"GET /v1/hello HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")
        assert b" 400 " in connection.recv(65536).split(b"\r\n")[0]


def test_a_body_that_does_not_arrive(kith: Served) -> None:
    head = f"POST /v1/undo HTTP/1.1\r\nHost: 127.0.0.1:{kith.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 10\r\nAccept: application/json\r\n\r\n{"
    with kith.connection() as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert error(json.loads(answer.partition(b"\r\n\r\n")[2]))["code"] == "too-slow"


def test_a_defect_tells_nothing_of_the_inside(kith: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(faces, "get", defect)
    reply = kith.http("GET", "/v1/faces/f1")
    assert code(reply) == (500, "unexpected")
    assert b"secret" not in reply.body and b"Traceback" not in reply.body
    assert kith.http("GET", "/v1/hello").status == 200


def test_an_error_comes_in_the_format_that_was_asked_for(kith: Served) -> None:
    for accept, read in (
        ("application/vnd.msgpack", msgpack.unpackb),
        ("*/*", msgpack.unpackb),
        ("text/html", json.loads),
    ):
        reply = kith.http("GET", "/v1/faces/f9", headers={"Accept": accept})
        assert (reply.status, error(read(reply.body))["code"]) == (404, "not-found")
