"""`kith call`: one request to a running Kith, for plugins on machines without curl, and for trying the API out.

Only what comes with Python, and little of it: a plugin may start this for every photo.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence

USAGE = """\
Usage: kith call [OPTIONS] METHOD PATH [JSON]

  Ask a running Kith something: kith call GET /v1/status

  --body FILE       send this file, which holds msgpack, instead of JSON
  --output FILE     write the answer here, as msgpack; without it, print it as JSON
  --socket SOCKET   where Kith answers
  --timeout SECONDS
"""

DONE, USAGE_WRONG, NO_DAEMON, REFUSED, TIMEOUT = 0, 2, 7, 22, 28  # as curl has them
OPTIONS = ("--body", "--output", "--socket", "--timeout")
MSGPACK, JSON = "application/vnd.msgpack", "application/json"


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code."""
    try:
        options, rest = _read(list(sys.argv[1:] if words is None else words))
        method, path, *json = rest
        timeout = float(options.get("--timeout", "70"))
    except ValueError:
        sys.stderr.write(USAGE)
        return USAGE_WRONG
    body, kind = ("".join(json).encode("utf-8", "surrogateescape"), JSON)
    if "--body" in options:
        with open(options["--body"], "rb") as file:  # noqa: PTH123  pathlib takes longer than all the rest
            body, kind = file.read(), MSGPACK
    accept = MSGPACK if "--output" in options else JSON
    try:
        status, answer = ask(options.get("--socket") or default_socket(), method, path, body, kind, accept, timeout)
    except TimeoutError:
        sys.stderr.write("kith: Kith did not answer in time.\n")
        return TIMEOUT
    except (OSError, ValueError):
        sys.stderr.write("kith: Kith is not running. Start it with `kith run`.\n")
        return NO_DAEMON
    if "--output" in options:
        with open(options["--output"], "wb") as file:  # noqa: PTH123
            file.write(answer)
    else:
        sys.stdout.buffer.write(answer + b"\n")
    return DONE if status < 400 else REFUSED


def ask(
    socket_path: str, method: str, path: str, body: bytes, kind: str, accept: str, timeout: float
) -> tuple[int, bytes]:
    """The status and the body of one answer. Raises OSError, and ValueError for what is no answer."""
    if not (method.isalpha() and path.isascii() and path.isprintable() and " " not in path):
        raise ValueError("no request")
    head = f"{method.upper()} {path} HTTP/1.0\r\nHost: kith\r\nAccept: {accept}\r\nContent-Length: {len(body)}\r\n"
    if body:
        head += f"Content-Type: {kind}\r\n"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(socket_path)
        connection.sendall(head.encode() + b"\r\n" + body)
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
    top, found, answer = b"".join(parts).partition(b"\r\n\r\n")
    if not found:
        raise ValueError("no answer")
    return int(top.split(b" ", 2)[1]), answer


def default_socket() -> str:
    """Where Kith answers; the same place as `kith.paths` has."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = runtime or os.environ.get("XDG_STATE_HOME") or f"{os.environ.get('HOME', '')}/.local/state"
    return f"{folder}/kith/kith.sock"


def _read(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Options with their values, and METHOD PATH [JSON]. Raises ValueError."""
    options, rest = {}, []
    while words:
        word = words.pop(0)
        if word in OPTIONS and words:
            options[word] = words.pop(0)
        elif word.startswith("--"):
            raise ValueError(word)
        else:
            rest.append(word)
    if len(rest) not in (2, 3):
        raise ValueError("wrong number of words")
    return options, rest


if __name__ == "__main__":
    sys.exit(main())
