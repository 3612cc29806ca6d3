"""Bodies in and out: msgpack or JSON, the one shape of errors, ids and cursors as they travel."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgpack
import msgspec
from aiohttp import web

from kith import errors
from kith.errors import BadRequest, KithError, NotFound, Retry, TooSlow, UnknownFormat

T = TypeVar("T", bound=msgspec.Struct)

MSGPACK, JSON = "application/vnd.msgpack", "application/json"
MSGPACKS = (MSGPACK, "application/msgpack", "application/x-msgpack")
LONGEST_PATH = 4096  # bytes, as Linux has it
DIGITS = r"[0-9]{1,15}"

STATUS: Mapping[type[KithError], HTTPStatus] = {
    errors.BadRequest: HTTPStatus.BAD_REQUEST,
    errors.Unauthorised: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.Stale: HTTPStatus.CONFLICT,
    errors.EventsGone: HTTPStatus.GONE,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnknownFormat: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.Unexpected: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
}
BY_RETRY: Mapping[Retry, HTTPStatus] = {
    Retry.FATAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    Retry.DEGRADED: HTTPStatus.SERVICE_UNAVAILABLE,
    Retry.ON_CHANGE: HTTPStatus.UNPROCESSABLE_ENTITY,
    Retry.BACKOFF: HTTPStatus.SERVICE_UNAVAILABLE,
    Retry.REQUEST: HTTPStatus.BAD_REQUEST,
}


class WirePath:
    """The absolute path of a file or folder, as a body names it: text, or bytes where they are no UTF-8."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


# -- in -----------------------------------------------------------------------------------------------------------


async def body(request: web.Request, shape: type[T], patience: float) -> T:
    """The body of a request in the shape it must have; no body is an empty one.

    Raises BadRequest, UnknownFormat, TooSlow where it takes more than `patience` seconds, and aiohttp's error for one
    that is too large.
    """
    try:
        async with asyncio.timeout(patience):
            data = await request.read()
    except TimeoutError as error:
        raise TooSlow(f"The body of the request did not arrive within {patience:g} seconds.") from error
    return convert(_decoded(data, request.content_type) if data else {}, shape)


def query(request: web.Request, shape: type[T]) -> T:
    """What stands behind the question mark of an address, in the shape it must have. Raises BadRequest."""
    return convert(dict(request.query), shape, strict=False)


def convert(value: Any, shape: type[T], *, strict: bool = True) -> T:
    """Plain values as a frozen struct; fields it doesn't have are refused. Raises BadRequest."""
    try:
        return msgspec.convert(value, shape, strict=strict, dec_hook=_custom)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise BadRequest(f"The request can't be used: {_printable(str(error))}.") from error


def _decoded(data: bytes, content_type: str) -> Any:
    try:
        if content_type in MSGPACKS:
            return msgpack.unpackb(data)
        if content_type == JSON:
            return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        told = _printable(str(error)) or type(error).__name__
        raise BadRequest(f"The body of the request is no valid {content_type}: {told}.") from error
    raise UnknownFormat(f"The body of a request is {MSGPACK} or {JSON}, and its Content-Type says which.")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")


def _custom(kind: type, value: Any) -> Any:
    if kind is not WirePath or not isinstance(value, str | bytes):
        raise msgspec.ValidationError("Expected a path")
    raw = os.fsencode(value)
    if not raw.startswith(b"/") or b"\0" in raw or len(raw) > LONGEST_PATH:
        raise msgspec.ValidationError("Expected an absolute path")
    return WirePath(raw)


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()[:500]


# -- out ----------------------------------------------------------------------------------------------------------


def reply(request: web.Request | None, value: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """An answer in the format that the request wants."""
    told = {"ok": status < HTTPStatus.BAD_REQUEST} | dict(value)
    if request is None or wants_json(request.headers.get("Accept", "")):
        return web.Response(body=as_json(told), status=status, content_type=JSON)
    return web.Response(body=as_msgpack(told), status=status, content_type=MSGPACK)


def refusal(request: web.Request | None, error: KithError, detail: Any = None) -> web.Response:
    """What went wrong, in the one shape that errors have."""
    told = {"error": {"code": error.code, "message": error.message, "detail": detail}}
    response = reply(request, told, STATUS.get(type(error), BY_RETRY[error.retry]))
    if isinstance(error, errors.Unauthorised):
        response.headers["WWW-Authenticate"] = 'Bearer realm="Kith"'
    return response


def wants_json(accept: str) -> bool:
    """Whether an Accept header asks for JSON rather than msgpack; browsers get JSON."""
    kinds = [part.split(";")[0].strip() for part in accept.split(",")]
    first = next((kind for kind in kinds if kind in (*MSGPACKS, JSON, "text/html")), MSGPACK)
    return first not in MSGPACKS


def as_json(value: Any) -> bytes:
    # file names may hold bytes that are no text, which JSON can only carry escaped
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def as_msgpack(value: Any) -> bytes:
    """Plain values; text that is no Unicode, as file names can be, travels as bin."""
    try:
        return bytes(msgpack.packb(value))
    except UnicodeEncodeError:
        return bytes(msgpack.packb(_with_bytes(value)))


def _with_bytes(value: Any) -> Any:
    match value:
        case str():
            return value if value.isascii() or _is_text(value) else os.fsencode(value)
        case dict():
            return {key: _with_bytes(one) for key, one in value.items()}
        case list() | tuple():
            return [_with_bytes(one) for one in value]
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


# -- ids and cursors ----------------------------------------------------------------------------------------------


def number(kind: str, text: str) -> int:
    """The number in an id: f812 is a face, g12 a group, p3 a person; photos, acts and jobs are plain numbers ("").

    Raises NotFound for what is no such id, as for one that nobody has.
    """
    match = re.fullmatch(f"{kind}({DIGITS})", text)
    if match is None:
        what = {"f": "face (like f812)", "g": "group (like g12)", "p": "person (like p3)"}.get(kind, "number")
        raise NotFound(f"{text[:40]!a} is no {what}.")
    return int(match[1])


def cursor(*key: float | int | str) -> str:
    """A place in a list, for the next page to begin behind."""
    return urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def after(text: str, *kinds: type) -> tuple[Any, ...] | None:
    """The place that a cursor means, as values of these kinds; None for the start. Raises BadRequest."""
    if not text:
        return None
    try:
        key: Sequence[Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)), parse_constant=_no_number)
        if [type(part) for part in key] == list(kinds) and all(_fits(part) for part in key):
            return tuple(key)
    except (ValueError, TypeError, RecursionError):
        pass
    raise BadRequest("This cursor is none that Kith gave; begin without one.")


def _fits(part: Any) -> bool:
    return isinstance(part, str) or (math.isfinite(part) and abs(part) < 2**63)
