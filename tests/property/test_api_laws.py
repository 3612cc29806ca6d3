"""Laws of the API: no bytes bring it down; a list read page by page misses nothing that stays and repeats nothing."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import msgpack
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kith.api.routes import ROUTES, Limits
from laws import tried
from served import Reply, Running, Served, add_photo, running, served

POSTS = sorted(route.path for route in ROUTES if route.method == "POST" and "folders" not in route.path)
GETS = sorted(route.path for route in ROUTES if route.method == "GET")
MSGPACK, JSON = {"Content-Type": "application/vnd.msgpack"}, {"Content-Type": "application/json"}
QUICK = Limits(heartbeat=0.2)
MANY = tried(150, suppress_health_check=[HealthCheck.function_scoped_fixture])

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from(["f1", "f2", "g1", "p1", "p99", "", "/", "/a", "Anna", "2000-01-01", "again", 1, 0.5])
)
FIELDS = ["faces", "photos", "name", "rev", "person", "box", "x", "y", "w", "h", "id", "into", "other", "day", "act"]
names = st.sampled_from([*FIELDS, "paths", "mode", "pack", "source", "client"]) | st.text(max_size=5)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5))
bodies = st.dictionaries(names, values, max_size=5) | values
ids = st.sampled_from(["1", "f1", "f2", "p1", "g1", "0", "f0", "x", "f99999999999999", "-1", "%00", "%F0%9F%92%A9"])


@pytest.fixture(scope="module")
def kith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("kith")
    with running(home, [(0, 1), (0,), (1,)], pixels=False) as control, served(control, limits=QUICK) as here:
        control.start = lambda kind, work: 1  # type: ignore[method-assign]  nobody wants all of / rescanned
        yield here


def filled(path: str, number: str) -> str:
    return re.sub(r"\{\w+\}", number, path)


def is_sound(reply: Reply) -> bool:
    """Whether an answer is one that Kith means to give."""
    if reply.status == 500 or not 200 <= reply.status < 600:
        return False
    if reply.headers.get("Content-Type") != "application/json":
        return reply.status in (200, 303, 304)
    body = reply.json
    return bool(
        body["ok"] is (reply.status < 400) and (body["ok"] or set(body["error"]) == {"code", "message", "detail"})
    )


@MANY
@given(path=st.sampled_from(POSTS), number=ids, body=st.binary(max_size=300), headers=st.sampled_from([MSGPACK, JSON]))
def test_no_bytes_bring_kith_down(kith: Served, path: str, number: str, body: bytes, headers: dict[str, str]) -> None:
    assert is_sound(kith.http("POST", filled(path, number), body, headers))


@MANY
@given(path=st.sampled_from(POSTS), number=ids, body=bodies)
def test_no_values_bring_kith_down(kith: Served, path: str, number: str, body: Any) -> None:
    assert is_sound(
        kith.http("POST", filled(path, number), msgpack.packb(body, unicode_errors="surrogatepass"), MSGPACK)
    )
    if not has_bytes(body):
        assert is_sound(kith.http("POST", filled(path, number), json.dumps(body).encode(), JSON))
    assert kith.client.get("/v1/hello")["name"] == "Kith"


def has_bytes(value: Any) -> bool:
    match value:
        case bytes():
            return True
        case dict():
            return any(map(has_bytes, value.values()))
        case list():
            return any(map(has_bytes, value))
    return False


@MANY
@given(
    path=st.sampled_from(GETS),
    number=ids,
    query=st.dictionaries(
        st.sampled_from(["limit", "cursor", "order", "person", "state", "group", "photo", "ids", "size", "since", "x"]),
        st.text(st.characters(codec="utf-8"), max_size=12) | ids | st.sampled_from(["1", "newest", "suggested"]),
        max_size=3,
    ),
)
def test_no_address_brings_kith_down(kith: Served, path: str, number: str, query: dict[str, str]) -> None:
    assert is_sound(kith.http("GET", f"{filled(path, number)}?{urlencode(query)}"))


@MANY
@given(head=st.binary(max_size=200))
def test_no_junk_on_the_line_brings_kith_down(kith: Served, head: bytes) -> None:
    with kith.connection() as connection:
        connection.settimeout(0.05)
        with suppress(OSError):
            connection.sendall(head + b"\r\n\r\n")
            connection.recv(1000)
    assert kith.client.get("/v1/hello")["name"] == "Kith"


@contextmanager
def family() -> Iterator[tuple[Running, Served]]:
    with ExitStack() as stack:
        home = stack.enter_context(TemporaryDirectory())
        control = stack.enter_context(running(Path(home), [(0, 1)] * 6, pixels=False))
        yield control, stack.enter_context(served(control))


@tried(15)
@given(
    order=st.sampled_from(["id", "oldest", "newest", "surest"]),
    limit=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_pages_miss_nothing_that_stays_and_repeat_nothing(order: str, limit: int, seed: int) -> None:
    """Photos come and go while somebody reads on; nothing is answered, which would rightly change the order."""
    chance = random.Random(seed)
    with family() as (control, kith):
        before = {face["id"] for face in kith.client.pages("/v1/faces", "faces", order=order)}
        seen: list[str] = []
        gone: set[str] = set()
        cursor: str | None = ""
        number = 100
        while cursor is not None:
            page = kith.client.get("/v1/faces", order=order, limit=limit, cursor=cursor)
            seen += [face["id"] for face in page["faces"]]
            cursor = page["cursor"]
            if number < 104:
                number += 1
                add_photo(control, chance.randrange(8, 2000) * 8 + number % 8, (0, 1), pixels=False)
                lost = chance.choice(sorted(before - gone))
                control.app.catalogue.write(lambda db, f=lost: db.execute("DELETE FROM faces WHERE id = ?", [f[1:]]))
                gone.add(lost)
        assert len(seen) == len(set(seen))
        assert before - gone <= set(seen)
