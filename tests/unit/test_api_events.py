"""Whoever follows Kith hears of everything once, in order, also after it was away; and can leave at once."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kith.api.routes import Limits
from kith.catalogue import events
from kith.client import Client
from kith.errors import EventsGone
from served import TOKEN, Served, add_photo, running, served

LIMITS = Limits(heartbeat=0.3, breath=0.02)


@pytest.fixture
def kith(tmp_path: Path) -> Iterator[Served]:
    with running(tmp_path, [(0, 1), (0,)], pixels=False) as control, served(control, limits=LIMITS) as here:
        yield here


class Stream:
    """Server-sent events as a browser takes them."""

    def __init__(self, kith: Served, last: int | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", kith.port, timeout=10)
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"}
        self.connection.request(
            "GET", "/v1/events", headers=headers | ({} if last is None else {"Last-Event-ID": str(last)})
        )
        self.answer = self.connection.getresponse()
        self.comments = 0

    def next(self, kind: str = "") -> dict[str, Any]:
        """The next event, of a kind if one is given."""
        while True:
            frame = self._frame()
            if kind in ("", frame["event"]):
                return frame

    def _frame(self) -> dict[str, Any]:
        frame: dict[str, Any] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                frame[name] = json.loads(value) if name in ("data", "id") else value
            elif frame:
                return frame

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def test_a_poll_gives_what_came_since_and_waits_for_what_comes(kith: Served) -> None:
    last = kith.client.get("/v1/events")["last"]
    assert kith.client.get("/v1/events", since=last) == {"events": [], "last": last}
    found: list[dict[str, Any]] = []
    poll = threading.Thread(target=lambda: found.append(Client(kith.socket).get("/v1/events", since=last, wait=60)))
    poll.start()
    time.sleep(0.2)
    settled = kith.client.post("/v1/faces/f1/name", name="Anna")
    poll.join(60)
    assert not poll.is_alive()
    (told,) = found
    assert {event["kind"] for event in told["events"]} == {"answer", "person", "names"}
    assert [event["id"] for event in told["events"]] == list(range(last + 1, told["last"] + 1))
    (answer,) = (event for event in told["events"] if event["kind"] == "answer")
    assert answer["act"] == settled["act"]
    (names,) = (event for event in told["events"] if event["kind"] == "names")
    assert (names["photo"], names["path"]) == (1, kith.client.get("/v1/photos/1")["photo"]["path"])
    assert kith.client.get("/v1/events", since=last, limit=1)["last"] == last + 1


def test_a_poll_ends_by_itself_without_anything(kith: Served) -> None:
    last = kith.client.get("/v1/events")["last"]
    assert kith.client.get("/v1/events", since=last, wait=0.2)["events"] == []


def test_a_program_that_leaves_takes_its_poll_along_and_nobody_elses(kith: Served) -> None:
    last = kith.client.get("/v1/events")["last"]
    ended: list[str] = []

    def follow(name: str) -> None:
        Client(kith.socket).get("/v1/events", since=last, wait=60, client=name)
        ended.append(name)

    polls = [threading.Thread(target=follow, args=(name,)) for name in ("darktable", "other")]
    for poll in polls:
        poll.start()
    assert ended_by(kith, "darktable") == {"ended": 1}
    polls[0].join(60)
    assert ended == ["darktable"]
    assert kith.client.post("/v1/events/end", client="darktable") == {"ended": 0}
    assert ended_by(kith, "other") == {"ended": 1}
    polls[1].join(60)
    assert ended == ["darktable", "other"]


def ended_by(kith: Served, client: str) -> dict[str, Any]:
    """What came of ending a client's poll, as soon as it has one."""
    while (told := kith.client.post("/v1/events/end", client=client)) == {"ended": 0}:
        time.sleep(0.02)
    return told


def test_whoever_was_away_too_long_is_told_where_to_begin_anew(kith: Served) -> None:
    kith.control.app.catalogue.write(events.prune, 0)
    with pytest.raises(EventsGone):
        kith.client.get("/v1/events", since=0)
    reply = kith.http("GET", "/v1/events?since=0")
    assert (reply.status, reply.json["error"]["code"]) == (410, "events-gone")
    last = reply.json["error"]["detail"]["last"]
    assert kith.client.get("/v1/events", since=last)["events"] == []


def test_a_stream_tells_what_happens_and_goes_on_where_it_was(kith: Served) -> None:
    stream = Stream(kith)
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    assert stream.next()["event"] == "status"
    kith.client.post("/v1/faces/f1/name", name="Anna")
    first = stream.next("answer")
    assert first["data"]["act"] == 1
    stream.close()
    kith.client.post("/v1/faces/f2/name", name="Ben")
    again = Stream(kith, last=first["id"])
    seen = [again.next() for _ in range(4)]
    ids = [frame["id"] for frame in seen if "id" in frame]
    assert ids == list(range(first["id"] + 1, first["id"] + 1 + len(ids)))
    again.close()


def test_a_stream_tells_how_it_goes_and_that_it_lives(kith: Served) -> None:
    stream = Stream(kith)
    assert stream.next("status")["data"]["state"] == "idle"
    kith.client.post("/v1/pause")
    assert stream.next("status")["data"]["state"] == "paused"
    for state in ("resume", "pause") * 20:
        time.sleep(2 * LIMITS.heartbeat)
        kith.client.post(f"/v1/{state}")
        assert stream.next("status")["data"]["state"] == {"resume": "idle", "pause": "paused"}[state]
        if stream.comments:
            break
    assert stream.comments >= 1
    stream.close()


def test_a_stream_says_that_something_was_missed(kith: Served) -> None:
    kith.control.app.catalogue.write(events.prune, 0)
    stream = Stream(kith, last=1)
    gone = stream.next()
    assert (gone["event"], gone["data"]["code"]) == ("gone", "events-gone")
    assert gone["id"] == kith.client.get("/v1/events")["last"]
    stream.close()


def test_followers_do_not_keep_kith_from_ending(tmp_path: Path) -> None:
    with running(tmp_path, [(0,)], pixels=False) as control:
        with served(control, limits=LIMITS) as kith:
            stream = Stream(kith)
            stream.next()
            last = kith.client.get("/v1/events")["last"]
            ended: list[Any] = []
            poll = threading.Thread(
                target=lambda: ended.append(Client(kith.socket).get("/v1/events", since=last, wait=60))
            )
            poll.start()
            time.sleep(0.2)
            began = time.monotonic()
        poll.join(60)
        assert ended == [{"events": [], "last": last}]
        assert time.monotonic() - began < 30, "it was waited for"
        stream.close()


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, [(0,)], pixels=False) as control:
        with served(control) as kith:
            last = kith.client.get("/v1/events")["last"]
        with served(control) as kith:
            add_photo(control, 5, (0,), pixels=False)
            assert kith.client.get("/v1/events", since=last)["events"][0]["id"] == last + 1


def test_nonsense_is_refused(kith: Served) -> None:
    for query in ("since=-1", "wait=61", "wait=nan", "limit=0", "since=x"):
        assert kith.http("GET", f"/v1/events?{query}").status == 400
    assert kith.http("GET", "/v1/events?since=999999").status == 410
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "x"}
    assert kith.http("GET", "/v1/events", headers=headers).status == 400
