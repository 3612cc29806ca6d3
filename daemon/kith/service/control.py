"""What the API may ask of a running Kith besides answers: the running daemon implements it, tests may too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from kith.config import Config
from kith.service.app import App
from kith.service.reports import Report


class Control(Protocol):
    """A running Kith. All methods may be called from any thread and return at once."""

    app: App
    report: Report  # told by what was started how far it is

    def configure(self, config: Config) -> None:
        """Go on with other settings."""

    def wake(self) -> None:
        """An answer was given: beliefs and sidecars follow as soon as they can."""

    def status(self) -> dict[str, Any]:
        """What is going on.

        {"state": "idle" | "busy" | "paused", "paused_by": [reason], "roots": [{"path", "online"}],
        "stage": {"title", "done", "total", "per_second", "seconds_left"} | null, "problem": {"code", "message"} | null}
        """

    def pause(self) -> None:
        """Do nothing of one's own accord until `resume`; answers are still taken."""

    def resume(self) -> None:
        """Go on."""

    def start(self, kind: str, work: Callable[[], Any]) -> int:
        """Do something that takes long (a rescan, a rebuild, installing a pack) when its turn comes; gives its number.

        Raises BadRequest where the same kind is waiting or running already.
        """

    def job(self, number: int) -> dict[str, Any]:
        """How something that was started goes: {"id", "kind", "state", "result", "error"}.

        States: "waiting", "running", "done", "failed". `error` is {"code", "message"}. Raises NotFound.
        """

    def add_roots(self, paths: Sequence[Path]) -> None:
        """Watch some more folders from now on. Raises BadRequest for what is no folder."""

    def drop_roots(self, paths: Sequence[Path]) -> None:
        """Watch some folders no longer; what is known of their photos stays.

        Raises NotFound for one that isn't watched.
        """

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` (from any thread) after each commit and change of `status`; gives what ends that."""
