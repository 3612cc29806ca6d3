"""How the stages tell what they are doing; the command line and the daemon each show it their way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol


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


def in_words(now: Mapping[str, Any]) -> str:
    """What a running Kith is doing (`control.Control.status`), as a sentence."""
    stage = now["stage"]
    if now["paused_by"]:
        return f"Paused by {' and '.join(now['paused_by'])}."
    if stage is None:
        if now["problem"]:
            return str(now["problem"]["message"])
        if not now["roots"]:
            return "Kith watches no folder yet: say on the review page where your photos are."
        return "Kith waits for new photos and your answers." if now["state"] == "idle" else "Kith is at work."
    of = f" of {stage['total']:,}, {stage['per_second']:.1f} a second" if stage["total"] else ""
    left = f", {stage['seconds_left']:,} s left" if stage["seconds_left"] else ""
    return f"{stage['title']}: {stage['done']:,}{of}{left}."
