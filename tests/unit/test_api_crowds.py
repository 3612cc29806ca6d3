"""Slow, greedy and many visitors don't keep Kith from answering others."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kith.api.lanes import Kept
from kith.api.routes import Limits
from kith.errors import Busy
from served import Served, running, served

CROWD = 1000
LIMITS = Limits(connections=64, header_seconds=1.0, unread_seconds=1.0, threads=1, waiting=2)


@pytest.fixture
def kith(tmp_path: Path) -> Iterator[Served]:
    with running(tmp_path, [(0, 1)] * 4) as control, served(control, limits=LIMITS) as here:
        yield here


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * CROWD:
        pytest.skip("too few open files are allowed for a crowd")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * CROWD, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("unix", [False, True])
def test_a_thousand_connections_that_say_nothing_stop_nobody(kith: Served, unix: bool) -> None:
    crowd = []
    for number in range(CROWD):
        crowd.append(kith.connection(unix=unix))
        crowd[-1].sendall(b"GET /v1/hello HT"[: number % 16])
        if number % 100 == 99:
            assert kith.http("GET", "/v1/hello").status == 200
            assert kith.client.get("/v1/hello")["name"] == "Kith"
    kith.client.post("/v1/faces/f1/ignore")
    for connection in crowd:
        connection.close()


def test_a_head_that_never_ends_is_not_waited_for(kith: Served) -> None:
    with kith.connection() as slow:
        slow.sendall(b"GET /v1/hello HTTP/1.1\r\n")
        for _ in range(40):
            try:
                slow.sendall(b"X: y\r\n")
            except OSError:
                return
            time.sleep(0.1)
    pytest.fail("the connection stayed open")


def test_an_answer_that_nobody_takes_is_given_up(kith: Served) -> None:
    asked, taken = 400, b""
    with kith.connection(unix=True) as greedy:
        greedy.sendall(b"GET /v1/faces HTTP/1.1\r\nHost: kith\r\n\r\n" * asked)
        time.sleep(2 * LIMITS.unread_seconds)
        with suppress(ConnectionResetError):
            while part := greedy.recv(1 << 20):
                taken += part
    assert 0 < taken.count(b"HTTP/1.1 200") < asked
    assert kith.http("GET", "/v1/hello").status == 200


def test_who_is_being_served_is_not_sent_away_for_the_crowd(kith: Served) -> None:
    waiting: list[int] = []
    last = kith.client.get("/v1/status")["last_event"]
    poll = threading.Thread(target=lambda: waiting.append(kith.http("GET", f"/v1/events?since={last}&wait=3").status))
    poll.start()
    time.sleep(0.3)
    crowd = [kith.connection() for _ in range(2 * LIMITS.connections)]
    poll.join()
    assert waiting == [200]
    for connection in crowd:
        connection.close()


def test_more_calls_than_can_wait_are_told_to_come_again(kith: Served) -> None:
    catalogue = kith.control.app.catalogue
    answered: list[str] = []

    def ask(number: int) -> None:
        reply = kith.http("POST", f"/v1/faces/f{number}/ignore", b"{}", {"Content-Type": "application/json"})
        answered.append("ok" if reply.status == 200 else f"{reply.status} {reply.json['error']['code']}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 7)]
    with catalogue._lock:  # a write that takes long
        for thread in threads:
            thread.start()
        until = time.monotonic() + 10
        while len(answered) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        assert answered == [f"503 {Busy.code}"] * 3
    for thread in threads:
        thread.join()
    assert sorted(answered) == [f"503 {Busy.code}"] * 3 + ["ok"] * 3


def test_a_result_that_takes_long_is_not_made_again_while_it_is_fresh() -> None:
    now, made = [0.0], []

    def make() -> int:
        now[0] += 1.0
        made.append(now[0])
        return len(made)

    kept = Kept(make, rest=2.0, patience=10.0, clock=lambda: now[0])
    assert [kept.get(1), kept.get(1), kept.get(2)] == [1, 1, 1]
    assert [kept.is_fresh(1), kept.is_fresh(2)] == [True, False]
    now[0] += 2.0
    assert [kept.get(1), kept.get(2), kept.get(3)] == [1, 2, 2]
    assert [kept.is_fresh(2), kept.is_fresh(3)] == [True, False]
    kept.close()


def test_nobody_waits_for_a_new_result_while_there_is_an_old_one() -> None:
    go, made = threading.Event(), []

    def make() -> int:
        if made:
            go.wait(10)
        made.append(len(made))
        return len(made)

    kept = Kept(make, rest=0.0, patience=0.01)
    assert [kept.get(1), kept.get(2), kept.get(3)] == [1, 1, 1]
    go.set()
    until = time.monotonic() + 10
    while kept.get(3) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert (kept.get(3), made) == (3, [0, 1, 2])
    kept.close()


def test_looking_goes_on_while_answers_wait_for_the_catalogue(kith: Served) -> None:
    done: list[int] = []

    def answer(number: int) -> None:
        headers = {"Content-Type": "application/json"}
        done.append(kith.http("POST", f"/v1/faces/f{number}/ignore", b"{}", headers).status)

    threads = [threading.Thread(target=answer, args=(number,)) for number in (1, 2)]
    with kith.control.app.catalogue._lock:  # a write that takes long
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert kith.client.get("/v1/photos/1")["photo"]["id"] == 1
        assert done == []
    for thread in threads:
        thread.join()
    assert done == [200, 200]


def test_a_defect_in_thinking_is_told_and_thought_of_again() -> None:
    tried = []

    def make() -> int:
        tried.append(1)
        if len(tried) == 1:
            raise ValueError("a defect")
        return 7

    kept = Kept(make, rest=0.0, patience=10.0)
    with pytest.raises(ValueError, match="a defect"):
        kept.get(1)
    assert kept.get(2) == 7
    kept.close()
