"""What Kith says of itself, to the journal or to a terminal.

A person's name stands in a log only while debugging. Whoever logs one passes `Private(name)`: it shows as "…" in all
records above DEBUG, whatever level the log is set to. An error of Kith's is logged as it is, never its `message`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import TextIO

# sd-daemon(3)
PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class Private:
    """Something that others must not read in a log."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "…"

    def __format__(self, _: str) -> str:
        return repr(self)

    def revealed(self) -> str:
        return str(self._value)


class Discreet(logging.Formatter):
    """Shows what is private in records of DEBUG alone."""

    def format(self, record: logging.LogRecord) -> str:
        if record.levelno > logging.DEBUG:
            return super().format(record)
        open_record = logging.makeLogRecord(record.__dict__)
        match record.args:
            case tuple() as args:
                open_record.args = tuple(map(_revealed, args))
            case Mapping() as args:
                open_record.args = {key: _revealed(value) for key, value in args.items()}
        return super().format(open_record)


class Journal(Discreet):
    """Every line begins with its priority, as journald wants it; it knows the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        priority = next(number for level, number in PRIORITIES.items() if record.levelno >= level or number == 7)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def set_up(
    level: int = logging.INFO, stream: TextIO | None = None, environment: Mapping[str, str] = os.environ
) -> None:
    """Log to `stream` (stderr if None): Kith from `level` on, what it uses from WARNING on. In every process once."""
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        Journal("%(name)s: %(message)s")
        if is_journal(stream, environment)
        else Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("kith").setLevel(level)


def is_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written there goes straight to journald: systemd says which file that is."""
    try:
        info = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return environment.get("JOURNAL_STREAM") == f"{info.st_dev}:{info.st_ino}"


def _revealed(value: object) -> object:
    return value.revealed() if isinstance(value, Private) else value
