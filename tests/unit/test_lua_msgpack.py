"""The darktable plugin's MessagePack against Python's, on made-up values and on damaged bytes."""

from __future__ import annotations

import math
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laws import tried
from required import need

LUA = Path(__file__).resolve().parents[2] / "plugins" / "darktable_lua"
# Decodes and encodes again what comes in, each with its length before it.
ECHO = """
local msgpack = require "kith/lib/msgpack"
while true do
  local head = io.read(4)
  if not head then return end
  local length = string.unpack(">I4", head)
  local given = length > 0 and io.read(length) or ""
  local fine, out = pcall(function()
    local value, behind = msgpack.decode(given)
    if behind ~= #given + 1 then error("something follows", 0) end
    return msgpack.encode(value)
  end)
  if not fine then out = "!" .. tostring(out) else out = "=" .. out end
  io.write(string.pack(">I4", #out), out)
  io.flush()
end
"""


class Echo:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["lua5.4", "-e", f"package.path = {str(LUA / '?.lua')!r}", "-e", ECHO],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __call__(self, data: bytes) -> bytes:
        """The bytes that Lua encoded what it decoded to. Raises ValueError with its sentence."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()
        (length,) = struct.unpack(">I", self.process.stdout.read(4))
        answer = self.process.stdout.read(length)
        if answer[:1] == b"!":
            raise ValueError(answer[1:].decode("utf-8", "replace"))
        return answer[1:]


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    need("lua5.4")
    echo = Echo()
    yield echo
    assert echo.process.stdin
    echo.process.stdin.close()
    assert echo.process.wait(10) == 0


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
binaries = st.binary(max_size=80)
integers = st.integers(-(2**63), 2**63 - 1)
plain = st.none() | st.booleans() | integers | st.floats(allow_nan=False) | texts | binaries
keys = texts | integers
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(keys, inner, max_size=20), max_leaves=40
)


def as_lua_has_it(value: Any) -> Any:
    """Lua has one kind of string: what is UTF-8 comes back as text."""
    match value:
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return value
        case list():
            return [as_lua_has_it(one) for one in value]
        case dict():
            return {as_lua_has_it(key): as_lua_has_it(one) for key, one in value.items()}
    return value


def typed(value: Any) -> Any:
    """A value that equals another's only where the types are the same too: 1, 1.0 and True are three."""
    match value:
        case list():
            return [typed(one) for one in value]
        case dict():
            return {typed(key): typed(one) for key, one in value.items()}
        case float():
            return ("float", struct.pack(">d", value))
    return (type(value).__name__, value)


@tried(250)
@given(values)
@example([])
@example({})
@example([None, None])
@example({"": {1: [], -1: {}}})
@example("\0\x7f\ud7ff\ue000\U0010ffff")
@example([0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1])
@example([-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)])
@example([0.0, -0.0, math.inf, -math.inf, 5e-324])
def test_what_lua_reads_it_writes_the_same(echo: Echo, value: Any) -> None:
    back = msgpack.unpackb(echo(msgpack.packb(value)), strict_map_key=False)
    assert typed(back) == typed(as_lua_has_it(value))


@pytest.mark.parametrize("length", [0, 15, 16, 31, 32, 255, 256, 65535, 65536, 70000])
def test_every_length_has_its_head(echo: Echo, length: int) -> None:
    no_text = [b"\xff" * length] if length else []  # which no bytes are
    for value in ("x" * length, *no_text, [1] * length, dict.fromkeys(range(length), True)):
        packed = msgpack.packb(value)
        assert len(echo(packed)) == len(packed)  # as short as Python's
        assert msgpack.unpackb(echo(packed), strict_map_key=False) == value


def test_single_floats_and_large_numbers_are_read(echo: Echo) -> None:
    assert msgpack.unpackb(echo(b"\xca" + struct.pack(">f", 0.5))) == 0.5
    assert msgpack.unpackb(echo(msgpack.packb(2**64 - 1))) == 2.0**64
    assert math.isnan(msgpack.unpackb(echo(msgpack.packb(math.nan))))


@tried(300)
@given(st.binary(max_size=60) | values.map(lambda value: msgpack.packb(value)[:-1]))
@example(b"\xdf\xff\xff\xff\xff")  # a map of four thousand million entries
@example(b"\x91" * 5000)
@example(b"\xc1")
@example(b"")
def test_damaged_bytes_are_refused_or_read_as_python_reads_them(echo: Echo, data: bytes) -> None:
    try:
        expected = typed(as_lua_has_it(msgpack.unpackb(data, strict_map_key=False, ext_hook=_refuse, raw=True)))
    except Exception:
        expected = None
    try:
        back = echo(data)
    except ValueError as error:
        assert str(error).startswith("msgpack: ") or str(error) == "something follows"
        return
    if expected is not None:
        again = typed(as_lua_has_it(msgpack.unpackb(back, strict_map_key=False)))
        assert again == expected or "nan" in repr(again)


def _refuse(code: int, data: bytes) -> Any:
    raise ValueError("Kith has no extension types")
