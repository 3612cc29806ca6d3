"""Following what happens: server-sent events for the page, a long poll for plugins; both read numbered events."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kith.api import wire
from kith.api.asked import Client, Following, Shape
from kith.catalogue import events
from kith.errors import BadRequest, EventsGone
from kith.types import Event

if TYPE_CHECKING:
    from kith.api.routes import Api

BATCH = 500
STREAM = "text/event-stream"


class Bell:
    """Rings for one follower; `over` when there is nothing to wait for any more."""

    def __init__(self, client: str) -> None:
        self.client, self.over = client, False
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    def end(self) -> None:
        self.over = True
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()


class Bus:
    """Tells followers that something happened, and knows how often something did. Belongs to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.version = 0
        self._loop = loop
        self._bells: set[Bell] = set()

    def tell(self) -> None:
        """Something happened; from any thread."""
        self.version += 1
        self._loop.call_soon_threadsafe(self._ring)

    def end(self, client: str | None = None) -> int:
        """Nobody, or this client, has anything to wait for any more; gives how many followers that were."""
        ended = [bell for bell in self._bells if client in (None, bell.client)]
        for bell in ended:
            bell.end()
        return len(ended)

    @contextmanager
    def follower(self, client: str = "") -> Iterator[Bell]:
        bell = Bell(client)
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    def _ring(self) -> None:
        for bell in self._bells:
            bell.ring()


async def follow(api: Api, request: web.Request) -> web.StreamResponse:
    """GET /v1/events, the way its Accept header wants it."""
    if STREAM in request.headers.get("Accept", ""):
        return await _stream(api, request)
    asked = wire.query(request, Following)
    try:
        return wire.reply(request, await _poll(api, asked))
    except EventsGone as error:
        return wire.refusal(request, error, {"last": await api.quick(_last, api)})


async def end(api: Api, request: web.Request) -> web.StreamResponse:
    """POST /v1/events/end: a client goes away, and its poll with it."""
    asked = await wire.body(request, Client, api.limits.body_seconds)
    return wire.reply(request, {"ended": api.bus.end(asked.client)})


async def _poll(api: Api, asked: Following) -> dict[str, Any]:
    clock = asyncio.get_running_loop().time
    until = clock() + asked.wait
    with api.bus.follower(asked.client) as bell:
        since = await api.quick(_last, api) if asked.since is None else asked.since
        while True:
            found = await api.quick(api.app.catalogue.read, events.since, since, asked.limit)
            if found or bell.over or clock() >= until:
                return {"events": [told(event) for event in found], "last": found[-1].id if found else since}
            await bell.wait(until - clock())


async def _stream(api: Api, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": STREAM, "X-Accel-Buffering": "no"})
    since = await _begin(api, request)
    await response.prepare(request)
    with api.bus.follower() as bell, suppress(ConnectionError):  # whoever closes the page doesn't say so
        status = b""
        while not bell.over:
            since, news = await _news(api, since)
            before, status = status, _told_status(api)
            if news or status != before:
                await response.write(news + (status if status != before else b""))
            elif request.transport is None or request.transport.is_closing():
                break
            if not news:
                await _pause(api, bell, response)
    return response


async def _begin(api: Api, request: web.Request) -> int:
    """Where a stream begins: behind what the browser saw last, or now."""
    seen = request.headers.get("Last-Event-ID", "")
    wire.query(request, Shape)
    if not seen:
        return await api.quick(_last, api)
    if not (seen.isascii() and seen.isdigit() and len(seen) < 16):
        raise BadRequest("Last-Event-ID is no number of an event.")
    return int(seen)


async def _news(api: Api, since: int) -> tuple[int, bytes]:
    try:
        found = await api.quick(api.app.catalogue.read, events.since, since, BATCH)
    except EventsGone as error:
        last = await api.quick(_last, api)
        return last, _frame("gone", {"code": error.code, "message": error.message}, last)
    frames = [_frame(event.kind, told(event), event.id) for event in found]
    return (found[-1].id if found else since), b"".join(frames)


async def _pause(api: Api, bell: Bell, response: web.StreamResponse) -> None:
    """Until there may be news; a comment now and then finds out that nobody listens any more."""
    await asyncio.sleep(api.limits.breath)
    clock = asyncio.get_running_loop().time
    until = clock() + api.limits.heartbeat
    await bell.wait(api.limits.heartbeat)
    if clock() >= until:
        await response.write(b":\n\n")


def _told_status(api: Api) -> bytes:
    return _frame("status", api.control.status())


def _frame(kind: str, value: Any, number: int | None = None) -> bytes:
    head = f"event: {kind}\n" + (f"id: {number}\n" if number is not None else "")
    return head.encode() + b"data: " + wire.as_json(value) + b"\n\n"


def _last(api: Api) -> int:
    return api.app.catalogue.read(events.last)


def told(event: Event) -> dict[str, Any]:
    """An event as it travels."""
    return {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "photo": event.photo,
        "path": None if event.path is None else os.fsdecode(event.path),
        "person": None if event.person is None else f"p{event.person}",
        "act": event.act,
    }
