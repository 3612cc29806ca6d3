"""Asking a running Kith over its socket; for the `kith` command and other programs of this user. See API.md."""

from __future__ import annotations

import http.client
import os
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import msgpack

from kith import errors
from kith.errors import KithError, NotRunning

MSGPACK = "application/vnd.msgpack"
JOB_SECONDS = 0.5  # between two looks at a job
CLASSES = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KithError)}


class Client:
    """A connection to the Kith that answers at a socket. Not for several threads at once.

    `get` and `post` give the answer's values and raise the KithError that Kith answered with; NotRunning where nobody
    answers. Paths may be bytes; they come back as text, those that are no UTF-8 as bytes.
    """

    def __init__(self, socket_path: Path, timeout: float = 60.0) -> None:
        self._connection = _UnixConnection(socket_path, timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What a call answers that looks at something; a `query` of None is left out."""
        wanted = urlencode({name: value for name, value in query.items() if value is not None})
        return self._ask("GET", f"{path}?{wanted}" if wanted else path, None)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """What a call answers that says or starts something."""
        return self._ask("POST", path, msgpack.packb(body))

    def job(self, path: str, shown: Callable[[], None], **body: Any) -> dict[str, Any]:
        """The result of something that takes long; `shown` is called now and then until it is done.

        Raises the KithError that it failed with.
        """
        number = self.post(path, **body)["job"]
        while True:
            job = self.get(f"/v1/jobs/{number}")["job"]
            if job["state"] == "done":
                return dict(job["result"])
            if job["state"] == "failed":
                raise _raised(job["error"])
            shown()
            time.sleep(JOB_SECONDS)

    def pages(self, path: str, name: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The entries called `name` of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page[name]
            cursor = page["cursor"]
            if cursor is None:
                return

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        answer = self._sent(method, path, body)
        try:
            values: Any = msgpack.unpackb(answer)
        except (ValueError, msgpack.UnpackException) as error:
            raise NotRunning("What answers at Kith's socket is not Kith.") from error
        if not isinstance(values, Mapping) or "ok" not in values:
            raise NotRunning("What answers at Kith's socket is not Kith.")
        if not values["ok"]:
            raise _raised(values["error"])
        return {name: value for name, value in values.items() if name != "ok"}

    def _sent(self, method: str, path: str, body: bytes | None) -> bytes:
        self._connection.close_if_let_go()
        fresh = self._connection.sock is None
        headers = {"Accept": MSGPACK} | ({} if body is None else {"Content-Type": MSGPACK})
        try:
            self._connection.request(method, path, body, headers)
            return self._connection.getresponse().read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            if fresh or method != "GET":
                raise NotRunning("Kith ended while it was asked. Start it with `kith run`.") from error
        except TimeoutError as error:
            self.close()
            raise errors.TooSlow("Kith did not answer in time.") from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NotRunning("Kith is not running. Start it with `kith run`.") from error
        return self._sent(method, path, body)  # a connection that was let go between two requests


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("kith", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))

    def close_if_let_go(self) -> None:
        """Between two requests there is nothing to read but the end that the other side has made."""
        if self.sock is not None and select.select([self.sock], [], [], 0)[0]:
            self.close()


def _raised(error: Mapping[str, Any]) -> KithError:
    """An error as Kith told it; one that this version doesn't know keeps its sentence."""
    return CLASSES.get(error["code"], KithError)(str(error["message"]))
