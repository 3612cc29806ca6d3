"""A Kith that answers over real sockets: a real catalogue of made photos behind the real API, in this process."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from PIL import Image

import drawn
from kith import config
from kith.api.app import make
from kith.api.routes import Limits
from kith.api.serve import serve
from kith.catalogue import faces, open_catalogue, photos, settings
from kith.client import Client
from kith.errors import BadRequest, KithError, NotFound
from kith.paths import Paths
from kith.service import packs, recognition
from kith.service.app import App
from kith.service.reports import Silent
from kith.types import Analysis, Box, Crop, FoundFace
from kith.vision.render import PLACES
from made import PACK, SAME, vector

TOKEN = "a token for tests, and for nothing else"
SIZE = (480, 320)
PLACE = (Box(0.25, 0.45, 0.2, 0.3), Box(0.75, 0.45, 0.2, 0.3))
MANIFEST = Path(__file__).parent / "data" / "test-pack.toml"


class Running:
    """A running Kith (`service.control.Control`) that does what it is asked at once, and nothing of its own accord."""

    def __init__(self, app: App, roots: Sequence[Path]) -> None:
        self.app, self.report = app, Silent()
        self.woken = 0
        self.roots = dict.fromkeys(roots, True)
        self.paused = False
        self.jobs: dict[int, dict[str, Any]] = {}
        self.followers: list[Callable[[], None]] = []
        self.beliefs = recognition.Beliefs(app)
        app.catalogue.on_commit = self.tell

    def tell(self) -> None:
        for listener in tuple(self.followers):
            listener()

    def believe(self) -> None:
        """What the daemon does of itself after answers."""
        self.beliefs.update(packs.manifest(self.app))

    def configure(self, changed: config.Config) -> None:
        self.app = replace(self.app, config=changed)

    def wake(self) -> None:
        self.woken += 1

    def status(self) -> dict[str, Any]:
        return {
            "state": "paused" if self.paused else "idle",
            "paused_by": ["you"] if self.paused else [],
            "roots": [{"path": str(root), "online": online} for root, online in self.roots.items()],
            "stage": None,
            "problem": None,
            "recognised": 0,
        }

    def pause(self) -> None:
        self.paused = True
        self.tell()

    def resume(self) -> None:
        self.paused = False
        self.tell()

    def start(self, kind: str, work: Callable[[], Any]) -> int:
        number = len(self.jobs) + 1
        job = {"id": number, "kind": kind, "state": "done", "result": None, "error": None}
        try:
            job["result"] = work()
        except KithError as error:
            job |= {"state": "failed", "error": {"code": error.code, "message": error.message}}
        self.jobs[number] = job
        return number

    def job(self, number: int) -> dict[str, Any]:
        if number not in self.jobs:
            raise NotFound(f"There is no job {number}.")
        return self.jobs[number]

    def add_roots(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if not path.is_dir():
                raise BadRequest(f"{path} is not a folder.")
        self.roots |= dict.fromkeys(paths, True)

    def drop_roots(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if path not in self.roots:
                raise NotFound(f"{path} is not watched.")
            del self.roots[path]

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.followers.append(listener)
        return lambda: self.followers.remove(listener)


@contextmanager
def running(home: Path, family: Sequence[Sequence[int]] = (), *, pixels: bool = True) -> Iterator[Running]:
    """A Kith with a photo for each of `family`, on which those people are (numbers; at most two)."""
    home = home.resolve()
    paths = Paths.below(home)
    paths.make()
    pack = paths.packs / PACK
    pack.mkdir()
    (pack / "pack.toml").write_text(MANIFEST.read_text().replace('id = "test"', f'id = "{PACK}"'))
    catalogue = open_catalogue(paths.catalogue)
    settings_ = patient(config.load())
    control = Running(App(paths, settings_, catalogue), [home / "photos"])
    (home / "photos").mkdir()
    try:
        catalogue.write(settings.put, packs.IN_USE, PACK)
        for number, people in enumerate(family):
            add_photo(control, number, people, pixels=pixels)
        if family:
            control.believe()
        yield control
    finally:
        catalogue.close()


def patient(loaded: config.Config) -> config.Config:
    """Settings with no waiting for other programs."""
    return msgspec.structs.replace(loaded, sidecars=msgspec.structs.replace(loaded.sidecars, quiet_seconds=0.0))


def add_photo(control: Running, number: int, people: Sequence[int], *, pixels: bool = True, name: str = "") -> Path:
    """A photo of some people, in one of the eight orientations, that was analysed."""
    path = control.app.paths.data.parent / "photos" / (name or f"{number:05}.jpg")
    orientation = number % 8 + 1
    if pixels:
        drawn.save(picture(number), path, orientation=orientation)
    catalogue, raw = control.app.catalogue, os.fsencode(path)
    catalogue.write(photos.record, [photos.FileState(raw, 1, number, b"content %d" % number)], lambda _: True)
    photo = catalogue.read(photos.by_path, raw)
    assert photo is not None
    found = tuple(found_face(place, number, who) for place, who in zip(PLACE, people, strict=False))
    width, height = SIZE if orientation < 5 else SIZE[::-1]
    analysis = Analysis(PACK, width, height, orientation, 1e9 + 86400.0 * number, found)
    catalogue.write(faces.store, photo, analysis, SAME)
    return path


def picture(number: int) -> Image.Image:
    """Red in its upper left quarter, so that it tells which way is up."""
    whole = Image.new("RGB", SIZE, (0, number % 200, 120))
    whole.paste((230, 20, 20), (0, 0, SIZE[0] // 2, SIZE[1] // 2))
    return whole


def found_face(box: Box, photo: int, who: int) -> FoundFace:
    marks = np.array([[box.x, box.y]] * 5, np.float32)
    embedding = vector(1000 * photo + who, near=vector(who, length=128), length=128)
    return FoundFace(box, marks, 0.9, 0.5 + 0.4 * ((photo * 7 + who) % 10) / 10, embedding, crop(who))


def crop(who: int) -> Crop:
    """A crop whose eyes are white dots on grey."""
    pixels = np.full((200, 200, 3), 90 + who % 100, np.uint8)
    marks = (PLACES * 200 * 0.7 + 25).astype(np.float32)
    for x, y in marks[:2]:
        cv2.circle(pixels, (round(float(x)), round(float(y))), 5, (255, 255, 255), -1)
    return Crop(cv2.imencode(".jpg", pixels)[1].tobytes(), marks)


@dataclass
class Served:
    """Where a Kith answers, and ways to ask it."""

    control: Running
    socket: Path
    port: int
    clients: list[Client] = field(default_factory=list)

    @property
    def client(self) -> Client:
        """A connection over the socket, for this test alone."""
        if not self.clients:
            self.clients.append(Client(self.socket, timeout=20))
        return self.clients[0]

    def http(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, **options: Any
    ) -> Reply:
        """One request over TCP with the token; `token=False` without it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {} if options.get("token") is False else {"Authorization": f"Bearer {TOKEN}"}
        connection.request(method, path, body, sent | {"Accept": "application/json"} | (headers or {}))
        answer = connection.getresponse()
        reply = Reply(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return reply

    def raw(self, data: bytes, *, unix: bool = False, seconds: float = 10) -> bytes:
        """What comes back for some bytes, until the connection ends."""
        with self.connection(unix=unix) as connection:
            connection.settimeout(seconds)
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def connection(self, *, unix: bool = False) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        connection.settimeout(10)
        connection.connect(str(self.socket) if unix else ("127.0.0.1", self.port))  # type: ignore[arg-type]
        return connection


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def served(control: Running, *, limits: Limits | None = None, **options: Any) -> Iterator[Served]:
    """The API of a Kith at a socket and at a port, in a thread of its own until the block ends."""
    path = control.app.paths.socket
    started: threading.Event = threading.Event()
    found: dict[str, Any] = {}

    async def answer() -> None:
        stop = asyncio.Event()
        app = make(control, token=TOKEN, limits=limits, **options)
        async with serve(app, path, port=0, limits=limits) as doors:
            found.update(stop=stop, loop=asyncio.get_running_loop(), port=doors.port)
            started.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(answer())
        except BaseException as error:
            found["error"] = error
            started.set()

    thread = threading.Thread(target=run, name="served")
    thread.start()
    assert started.wait(20)
    if "error" in found:
        thread.join()
        raise found["error"]
    here = Served(control, path, found["port"])
    try:
        yield here
    finally:
        for client in here.clients:
            client.close()
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(20)
        assert not thread.is_alive(), "the server doesn't end"
    if "error" in found:
        raise found["error"]
