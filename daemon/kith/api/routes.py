"""Every call there is, in the order of daemon/API.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from kith.api import answers, asked, events, imports, jobs, pictures, reading, site, wire
from kith.api.auth import Doorkeeper
from kith.api.events import Bus
from kith.api.lanes import Kept, Lane
from kith.service.app import App
from kith.service.control import Control

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the API bears. Sizes in bytes, times in seconds."""

    body: int = 8 * 2**20
    body_seconds: float = 20.0
    header_seconds: float = 20.0  # to send the head of a request, and to stay connected between two
    unread_seconds: float = 20.0  # for which somebody may not take what they asked for
    connections: int = 128  # at each door
    heartbeat: float = 15.0  # between two signs of life on a stream of events
    breath: float = 0.2  # between two looks for news for a stream
    threads: int = 4
    waiting: int = 256  # calls that may wait for a thread
    rendering_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Api:
    """What a call works with."""

    control: Control
    limits: Limits
    door: Doorkeeper
    bus: Bus
    quick: Lane
    slow: Lane
    saying: Lane
    renderer: Executor
    questions: Kept[list[Values]]
    doubts: Kept[list[Values]]
    merges: Kept[list[Values]]

    @property
    def app(self) -> App:
        return self.control.app


Handler = Callable[[Api, web.Request], Awaitable[web.StreamResponse]]
Reader = Callable[..., Values]


@dataclass(frozen=True, slots=True)
class Route:
    """A call. `act` is what it does with a request of this `shape`, without HTTP; None for those that are only HTTP."""

    method: str
    path: str
    handle: Handler
    act: Reader | None = None
    shape: type[asked.Shape] = asked.Shape


def _ids(request: web.Request) -> list[str]:
    return list(request.match_info.values())


def get(path: str, read: Reader, shape: type[asked.Shape] = asked.Shape, *, slow: bool = False) -> Route:
    """A call that looks at something."""

    async def handle(api: Api, request: web.Request) -> web.StreamResponse:
        wanted = wire.query(request, shape)
        lane = api.slow if slow else api.quick
        return wire.reply(request, await lane(read, api, wanted, *_ids(request)))

    return Route("GET", path, handle, read, shape)


def post(path: str, act: Reader, shape: type[asked.Shape] = asked.Shape, status: HTTPStatus = HTTPStatus.OK) -> Route:
    """A call with a body that writes nothing to the catalogue."""

    async def handle(api: Api, request: web.Request) -> web.StreamResponse:
        given = await wire.body(request, shape, api.limits.body_seconds)
        return wire.reply(request, await api.quick(act, api, given, *_ids(request)), status)

    return Route("POST", path, handle, act, shape)


def say(path: str, act: Reader, shape: type[asked.Shape] = asked.Shape) -> Route:
    """A call that says something: one after the other, so that none of them keeps others from looking."""

    async def handle(api: Api, request: web.Request) -> web.StreamResponse:
        given = await wire.body(request, shape, api.limits.body_seconds)
        return wire.reply(request, await api.saying(act, api, given, *_ids(request)))

    return Route("POST", path, handle, act, shape)


def job(path: str, start: Reader, shape: type[asked.Shape] = asked.Shape) -> Route:
    """A call that starts something that takes long."""
    return post(path, start, shape, HTTPStatus.ACCEPTED)


async def _log_in(api: Api, request: web.Request) -> web.StreamResponse:
    return api.door.log_in(request)


async def _link(api: Api, request: web.Request) -> web.StreamResponse:
    await wire.body(request, asked.Shape, api.limits.body_seconds)
    return wire.reply(request, {"path": api.door.link()})


ROUTES = (
    get("/v1/hello", reading.hello),
    get("/v1/status", reading.status),
    # photos
    get("/v1/photos", reading.all_photos, slow=True),
    post("/v1/photos/lookup", reading.lookup, asked.Lookup),
    get("/v1/photos/{photo}", reading.photo),
    Route("GET", "/v1/photos/{photo}/picture", pictures.photo, shape=asked.Size),
    # faces
    get("/v1/faces", reading.some_faces, asked.FacesWanted),
    get("/v1/faces/outline", reading.outline, asked.Outlined, slow=True),
    get("/v1/faces/{face}", reading.one_face),
    get("/v1/faces/{face}/explain", reading.explain),
    Route("GET", "/v1/faces/{face}/crop", pictures.crop, shape=asked.CropWanted),
    # people and groups
    get("/v1/people", reading.everybody, asked.PeopleWanted),
    get("/v1/people/called", reading.called, asked.Called),
    get("/v1/people/{person}", reading.person),
    get("/v1/groups", reading.groups, asked.Page),
    post("/v1/faces/split", reading.split, asked.Many),
    # what to ask
    get("/v1/questions", reading.questions, asked.FewAtOnce, slow=True),
    get("/v1/doubts", reading.doubts, asked.Doubted, slow=True),
    get("/v1/merges", reading.merges, slow=True),
    get("/v1/disputes", reading.disputes),
    # answers about one face
    say("/v1/faces/{face}/name", answers.name_one, asked.NameOne),
    say("/v1/faces/{face}/confirm", answers.confirm_one, asked.AboutOne),
    say("/v1/faces/{face}/reject", answers.reject_one, asked.AboutOne),
    say("/v1/faces/{face}/ignore", answers.ignore_one, asked.One),
    say("/v1/faces/{face}/not-a-face", answers.not_a_face_one, asked.One),
    say("/v1/faces/{face}/feature", answers.feature, asked.One),
    say("/v1/faces/{face}/move", answers.move, asked.PlaceOne),
    # answers about many faces
    say("/v1/faces/name", answers.name_many, asked.NameMany),
    say("/v1/faces/confirm", answers.confirm_many, asked.AboutMany),
    say("/v1/faces/reject", answers.reject_many, asked.AboutMany),
    say("/v1/faces/ignore", answers.ignore_many, asked.Many),
    say("/v1/faces/not-a-face", answers.not_a_face_many, asked.Many),
    say("/v1/faces/apart", answers.divide, asked.Divide),
    say("/v1/faces/reopen", answers.reopen_many, asked.Many),
    # answers about photos
    say("/v1/photos/tag", answers.tag_many, asked.TagMany),
    say("/v1/photos/untag", answers.untag_many, asked.TagMany),
    say("/v1/photos/absent", answers.absent_many, asked.AbsentMany),
    say("/v1/photos/{photo}/tag", answers.tag_one, asked.NameOne),
    say("/v1/photos/{photo}/untag", answers.untag_one, asked.NameOne),
    say("/v1/photos/{photo}/draw", answers.draw, asked.DrawOne),
    # answers about people
    say("/v1/people/{person}/rename", answers.rename, asked.Rename),
    say("/v1/people/{person}/merge", answers.merge, asked.Into),
    say("/v1/people/{person}/apart", answers.tell_apart, asked.Other),
    say("/v1/people/{person}/born", answers.born, asked.Born),
    say("/v1/people/{person}/hide", answers.hide),
    say("/v1/people/{person}/unhide", answers.unhide),
    # taking back
    say("/v1/undo", answers.undo, asked.Undo),
    get("/v1/history", reading.history, asked.Page),
    # other programs
    say("/v1/import", imports.take, asked.Import),
    get("/v1/import", imports.remembered, asked.Source),
    # work
    job("/v1/rescan", jobs.rescan, asked.Rescan),
    job("/v1/rebuild", jobs.rebuild, asked.Folders),
    job("/v1/relearn", jobs.relearn),
    get("/v1/models", reading.models),
    job("/v1/models/install", jobs.install, asked.Install),
    job("/v1/models/use", jobs.use, asked.Use),
    get("/v1/jobs/{job}", reading.job),
    post("/v1/pause", jobs.pause),
    post("/v1/resume", jobs.resume),
    # what else there is
    get("/v1/trouble", reading.trouble, asked.Page),
    get("/v1/settings", reading.settings),
    post("/v1/settings", jobs.change_settings, asked.Settings),
    get("/v1/folders", reading.folders),
    post("/v1/folders", jobs.add_folders, asked.Folders),
    post("/v1/folders/remove", jobs.remove_folders, asked.Folders),
    # following
    Route("GET", "/v1/events", events.follow, shape=asked.Following),
    Route("POST", "/v1/events/end", events.end, shape=asked.Client),
    # the browser
    Route("POST", "/v1/login-links", _link),
    Route("GET", "/login", _log_in),
    Route("GET", "/", site.page),
    Route("GET", "/web/{file}", site.part),
)
