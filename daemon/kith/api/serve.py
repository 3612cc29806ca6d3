"""The doors: a unix socket for this user's programs, a loopback port for the page. The slow can't block either."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from kith.api import wire
from kith.api.app import HEADERS
from kith.api.routes import Limits
from kith.errors import AlreadyRunning, BadRequest, PermissionDenied, Unexpected

log = logging.getLogger(__name__)

LINGERING = 1.0  # seconds to take in the rest of a body that was refused


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the API answers."""

    socket: Path | None
    port: int | None


class Room:
    """The connections of one door. When it is full, whoever has been silent longest goes; who is being served stays."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: dict[Visitor, None] = {}

    def enter(self, visitor: Visitor) -> bool:
        if len(self._inside) >= self._most:
            idle = next((other for other in self._inside if not other.is_served), None)
            if idle is None:
                return False
            self.leave(idle)
            idle.abort()
        self._inside[visitor] = None
        return True

    def leave(self, visitor: Visitor) -> None:
        self._inside.pop(visitor, None)


class _Quiet(AbstractAccessLogger):
    """Logs no requests: their addresses may hold one-time links."""

    enabled = False

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        pass


class Visitor(web.RequestHandler):
    """One connection."""

    __slots__ = ("_later", "_room", "_unread", "_unread_seconds", "is_served")

    def __init__(self, server: web.Server, room: Room, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=limits.header_seconds,
            lingering_time=LINGERING,
            auto_decompress=False,
            access_log_class=_Quiet,
        )
        self.is_served = False  # whether a request of this connection has arrived and is being answered
        self._room, self._unread_seconds, self._later = room, limits.unread_seconds, loop.call_later
        self._unread: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._room.enter(self):
            self.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._room.leave(self)
        self._forget_unread()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self._later(self._unread_seconds, self.abort)

    def resume_writing(self) -> None:
        self._forget_unread()
        super().resume_writing()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What isn't HTTP, or went wrong outside of any call, in the one shape; as JSON, whatever was wanted."""
        if status >= 500:
            log.error("A request failed.", exc_info=exc)
            response = wire.refusal(None, Unexpected("Kith stumbled over this request; please report it."))
        else:
            response = wire.refusal(None, BadRequest("This is no HTTP request that Kith understands."))
        response.headers.update(HEADERS)
        response.force_close()
        return response

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


@asynccontextmanager
async def serve(
    app: web.Application,
    socket_path: Path | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    limits: Limits | None = None,
) -> AsyncIterator[Doors]:
    """Answer at a unix socket, a loopback port (0: any that is free), or both, until the block ends.

    Raises AlreadyRunning where somebody answers there already, PermissionDenied where the socket's folder is open to
    other users, and BadRequest for a host that isn't this machine's own.
    """
    limits = limits or Limits()
    runner = web.AppRunner(app, shutdown_timeout=2.0)
    await runner.setup()
    if runner.server is None:
        raise RuntimeError("aiohttp made no server")
    server = _attended(runner.server)
    loop = asyncio.get_running_loop()
    bound: list[socket.socket] = []
    servers: list[asyncio.Server] = []
    try:
        if socket_path is not None:
            bound.append(_unix(socket_path))
        if port is not None:
            bound.append(_tcp(host, port))
        for sock in bound:
            servers.append(await _listen(loop, _visitors(server, limits, loop), sock))
        yield Doors(socket_path, bound[-1].getsockname()[1] if port is not None else None)
    finally:
        if socket_path is not None and bound:
            _remove(socket_path, bound[0])
        for listening in servers:
            listening.close()
        for sock in bound:
            sock.close()
        await runner.cleanup()


def _visitors(server: web.Server, limits: Limits, loop: asyncio.AbstractEventLoop) -> Callable[[], Visitor]:
    """Makes the connections of one door."""
    room = Room(limits.connections)
    return lambda: Visitor(server, room, limits, loop)


def _attended(server: web.Server) -> web.Server:
    """A server each of whose connections knows whether it is being served."""
    answer = server.request_handler

    async def attended(request: web.BaseRequest) -> web.StreamResponse:
        visitor = request.protocol
        if isinstance(visitor, Visitor):
            visitor.is_served = True
        try:
            return await answer(request)
        finally:
            if isinstance(visitor, Visitor):
                visitor.is_served = False

    server.request_handler = attended
    return server


async def _listen(
    loop: asyncio.AbstractEventLoop, visitor: Callable[[], Visitor], sock: socket.socket
) -> asyncio.Server:
    if sock.family == socket.AF_UNIX:
        return await loop.create_unix_server(visitor, sock=sock)
    return await loop.create_server(visitor, sock=sock)


def _unix(path: Path) -> socket.socket:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.parent.stat()
    if folder.st_uid != os.geteuid() or folder.st_mode & 0o077:
        raise PermissionDenied(f"{path.parent} has to be yours alone (chmod 700) for Kith to answer there.")
    _make_way(path)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(os.fspath(path))
        path.chmod(0o600)
    except OSError as error:
        sock.close()
        raise PermissionDenied(f"Kith can't answer at {path}: {error.strerror or error}.") from error
    return sock


def _make_way(path: Path) -> None:
    """Remove a socket that a Kith which was killed left behind."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise PermissionDenied(f"{path} is in the way, and it is no socket.")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fspath(path))
        except OSError:
            path.unlink()
            return
    raise AlreadyRunning(f"Another Kith answers at {path} already.")


def _remove(path: Path, sock: socket.socket) -> None:
    with suppress(OSError):
        if sock.getsockname() == os.fspath(path):
            path.unlink()


def _tcp(host: str, port: int) -> socket.socket:
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise BadRequest(f"{host} is open to other machines; Kith answers at 127.0.0.1 or ::1 only.")
    sock = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((str(address), port))
    except OSError as error:
        sock.close()
        raise AlreadyRunning(f"Port {port} of {address} is taken by another program: {error.strerror}.") from error
    sock.setblocking(False)
    return sock
