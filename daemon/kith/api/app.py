"""The API as an aiohttp application: routes, who may come in, and one shape for everything that goes wrong."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor

from aiohttp import web
from aiohttp.typedefs import Handler

from kith.api import reading, wire
from kith.api.auth import Doorkeeper
from kith.api.events import Bus
from kith.api.lanes import Kept, Lane
from kith.api.routes import ROUTES, Api, Limits, Route
from kith.errors import BadRequest, KithError, MethodNotAllowed, NotFound, TooLarge, Unexpected
from kith.pools import SpawnPool
from kith.service import views
from kith.service.control import Control

log = logging.getLogger(__name__)

API = web.AppKey("api", Api)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make(
    control: Control,
    *,
    token: str,
    owner: int | None = None,
    now: Callable[[], float] = time.time,
    limits: Limits | None = None,
    renderer: Executor | None = None,
) -> web.Application:
    """The application that answers for a running Kith.

    `token` opens the TCP door, `owner` (a user id; this process's) the unix socket; `now` gives seconds since 1970.
    `renderer` opens photos, in processes of its own where none is given.
    """
    limits = limits or Limits()
    door = Doorkeeper(token, owner=owner, now=now)
    app = web.Application(middlewares=[_answered, _let_in], client_max_size=limits.body)
    app.cleanup_ctx.append(lambda app: _living(app, control, limits, door, renderer))
    app.on_response_prepare.append(_dressed)
    app.on_shutdown.append(_end_following)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _handler(route))
    return app


async def _living(
    app: web.Application, control: Control, limits: Limits, door: Doorkeeper, renderer: Executor | None
) -> AsyncIterator[None]:
    """The parts that live as long as the application is served."""
    api = Api(
        control=control,
        limits=limits,
        door=door,
        bus=Bus(asyncio.get_running_loop()),
        quick=Lane("quick", limits.threads, limits.waiting),
        slow=Lane("slow", 2, limits.waiting),
        saying=Lane("saying", 1, limits.waiting),
        renderer=renderer or SpawnPool(1, patience=limits.rendering_seconds),
        questions=Kept(lambda: reading.thought_of_questions(api)),
        doubts=Kept(lambda: views.doubts(control.app)),
        merges=Kept(lambda: views.twins(control.app)),
    )
    app[API] = api
    unfollow = control.follow(api.bus.tell)
    yield
    unfollow()
    if renderer is None:
        await asyncio.to_thread(api.renderer.shutdown, cancel_futures=True)
    for part in (api.quick, api.slow, api.saying, api.questions, api.doubts, api.merges):
        await asyncio.to_thread(part.close)


async def _end_following(app: web.Application) -> None:
    app[API].bus.end()


def _handler(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await route.handle(request.app[API], request)

    return handle


# -- around every call --------------------------------------------------------------------------------------------


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong becomes an answer in the one shape; what nobody expected is logged and not told."""
    try:
        return await handler(request)
    except KithError as error:
        return wire.refusal(request, error)
    except web.HTTPException as error:
        return _refused(request, error)
    except Exception:
        log.exception("%s %s failed.", request.method, request.path)
        return wire.refusal(request, Unexpected("Kith stumbled over this request; please report it."))


def _refused(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """What aiohttp refuses by itself."""
    match error:
        case web.HTTPNotFound():
            return wire.refusal(request, NotFound(f"There is no {request.path[:200]!a} here."))
        case web.HTTPMethodNotAllowed():
            allowed = sorted(error.allowed_methods)
            told = MethodNotAllowed(f"{request.path} doesn't take {request.method[:20]}, but {', '.join(allowed)}.")
            response = wire.refusal(request, told, {"allowed": allowed})
            response.headers["Allow"] = ", ".join(allowed)
            return response
        case web.HTTPRequestEntityTooLarge():
            return wire.refusal(request, TooLarge("The body of the request is larger than Kith takes."))
    return wire.refusal(request, BadRequest(f"The request can't be used: {error.reason}."))


@web.middleware
async def _let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    request.app[API].door.admit(request)
    return await handler(request)


async def _dressed(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "Kith"
