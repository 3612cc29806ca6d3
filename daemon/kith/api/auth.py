"""Who may ask: this user over the socket; over TCP whoever shows the token, or a cookie from a one-time link."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from kith.errors import Forbidden, Unauthorised

SAFE = ("GET", "HEAD")
LINK_SECONDS = 60.0
COOKIE_SECONDS = 7 * 86400
MOST_LINKS = 16
LOCAL = ("127.0.0.1", "localhost", "[::1]")


def kept_token(path: Path) -> str:
    """The token in a file that only its owner can read; made where there is none yet."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return path.read_text("ascii").strip()
    with os.fdopen(handle, "w") as file:
        token = secrets.token_urlsafe(32)
        file.write(token + "\n")
    return token


class Doorkeeper:
    """Lets requests in. `owner` is the user who may use the socket; `now` gives seconds since 1970."""

    def __init__(self, token: str, *, owner: int | None = None, now: Callable[[], float] = time.time) -> None:
        if len(token) < 16:
            raise ValueError("a token needs at least 16 characters")
        self._token = token.encode()
        self._owner = os.geteuid() if owner is None else owner
        self._now = now
        self._links: dict[str, float] = {}

    def admit(self, request: web.Request) -> None:
        """Raises Unauthorised or Forbidden where a request may not be answered."""
        transport = request.transport
        connection = None if transport is None else transport.get_extra_info("socket")
        if connection is None:
            raise Unauthorised("The connection is gone.")
        if connection.family == socket.AF_UNIX:
            if peer(connection) != self._owner:
                raise Forbidden("This socket is another user's.")
            return
        host = _host(request, connection.getsockname()[1])
        if request.path != "/login":
            self._identify(request, host)

    # -- the cookie -----------------------------------------------------------------------------------------------

    def link(self) -> str:
        """A path that logs a browser in, once, within LINK_SECONDS."""
        now = self._now()
        alive = [(once, until) for once, until in self._links.items() if until > now]
        once = secrets.token_urlsafe(32)
        self._links = dict(alive[1 - MOST_LINKS :]) | {once: now + LINK_SECONDS}
        return f"/login?once={once}"

    def log_in(self, request: web.Request) -> web.Response:
        """Trade a one-time link for a cookie, and go to the page. Raises Unauthorised."""
        until = self._links.pop(request.query.get("once", ""), 0.0)
        if until <= self._now():
            raise Unauthorised("This link was used already, or is too old. `kith review` makes a new one.")
        response = web.Response(status=303, headers={"Location": "/"})
        ends = int(self._now()) + COOKIE_SECONDS
        response.set_cookie(
            _cookie_name(request),
            f"{ends}.{self._signed(ends)}",
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Strict",
            path="/",
        )
        return response

    def _identify(self, request: web.Request, host: str) -> None:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if not hmac.compare_digest(shown.strip().encode("utf-8", "surrogateescape"), self._token):
                raise Unauthorised("This is not Kith's token.")
            if request.method not in SAFE:
                _same_site(request, host, told=False)
            return
        if not self._is_signed(request.cookies.get(_cookie_name(request), "")):
            raise Unauthorised("Over TCP Kith answers to its token, or to a browser that `kith review` opened.")
        _same_site(request, host, told=request.method not in SAFE)

    def _signed(self, ends: int) -> str:
        return hmac.digest(self._token, f"cookie until {ends}".encode(), "sha256").hex()

    def _is_signed(self, value: str) -> bool:
        match = re.fullmatch(r"([0-9]{1,12})\.([0-9a-f]{64})", value)
        if match is None or int(match[1]) <= self._now():
            return False
        return hmac.compare_digest(match[2], self._signed(int(match[1])))


def peer(connection: socket.socket) -> int:
    """The user at the other end of a unix socket."""
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


def _host(request: web.Request, port: int) -> str:
    """The Host that a request names, if it is this machine's: a page elsewhere could have its name lead here."""
    host = request.headers.get("Host", "").lower()
    if host not in {f"{name}:{port}" for name in LOCAL}:
        raise Forbidden(f"Kith answers at http://127.0.0.1:{port} and to no other name.")
    return host


def _same_site(request: web.Request, host: str, *, told: bool) -> None:
    """Refuse what a page that isn't Kith's asks for; if `told`, the browser has to say which page asks."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin not in (None, f"http://{host}") or site not in (None, "same-origin", "none"):
        raise Forbidden("Only Kith's own page may ask for this.")
    if told and origin is None and site is None:
        raise Forbidden("A browser says which page asks; this one didn't.")


def _cookie_name(request: web.Request) -> str:
    # cookies don't heed ports: two Kiths on one machine need two names
    return "kith-" + request.headers.get("Host", "").rpartition(":")[2]
