"""How the stages tell what they are doing; the command line and the daemon each show it their way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Report(Protocol):
    """Somebody who is interested in progress."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """Open a stage of `total` steps; gives the function to call after each step."""

    def say(self, line: str) -> None:
        """A sentence for the user."""


class Silent:
    """Nobody is."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        return nullcontext(lambda: None)

    def say(self, line: str) -> None:
        pass
