"""Progress on a terminal as a bar with rate and time left, elsewhere as a plain line now and then."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from tqdm import tqdm

CLEAR = "\r\x1b[K"
LINE_EVERY = 5.0  # seconds between plain lines


class Terminal:
    """Reports to the user on stderr, so that stdout holds nothing but results."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        from tqdm import tqdm

        with tqdm(
            desc=title,
            total=total or None,
            unit="",
            disable=not self._live,
            leave=False,
            dynamic_ncols=True,
            bar_format=None
            if not total
            else "{desc}  {percentage:3.0f} % {bar} {n} of {total}, {rate_noinv_fmt}, {remaining} left",
        ) as bar:
            plain = _Plain(title, total)
            yield partial(_advance, bar) if self._live else plain.step
            if not self._live:
                plain.end()

    def say(self, line: str) -> None:
        tqdm.write(line, file=sys.stderr) if self._live else click.echo(line, err=True)


class Standing:
    """One line on stderr that always tells what is going on; sentences go above it. Elsewhere only sentences."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._line = ""

    def say(self, line: str) -> None:
        click.echo(f"{CLEAR if self._live else ''}{line}", err=True)
        self._line = ""

    def doing(self, line: str) -> None:
        if self._live and line != self._line:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"{CLEAR}{line[:width]}", err=True, nl=False)
            self._line = line


def _advance(bar: tqdm[NoReturn]) -> None:
    bar.update()


class _Plain:
    """A line every few seconds, and one at the end."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total = title, total
        self._done, self._start = 0, time.monotonic()
        self._told = self._start

    def step(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._told >= LINE_EVERY:
            self._told = now
            self._say(now)

    def end(self) -> None:
        self._say(time.monotonic())

    def _say(self, now: float) -> None:
        rate = self._done / max(now - self._start, 1e-9)
        line = f"{self._title}: {self._done}"
        if self._total:
            left = (self._total - self._done) / max(rate, 1e-9)
            line += f" of {self._total}, {rate:.1f} a second" + (f", {left:.0f} s left" if left else "")
        click.echo(line, err=True)
