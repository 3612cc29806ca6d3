"""What the bridge asks of Kith: calls of daemon/API.md, over a socket or inside the `kith` command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Asking(Protocol):
    """A Kith that answers, as `kith.client.Client` and `kith.api.inside.Inside` do."""

    def get(self, path: str, **query: Any) -> dict[str, Any]: ...
    def post(self, path: str, **body: Any) -> dict[str, Any]: ...


class Working(Asking, Protocol):
    """A Kith that also does what takes long; `shown` is called now and then until that is done."""

    def job(self, path: str, shown: Callable[[], None], **body: Any) -> dict[str, Any]: ...


class Report(Protocol):
    """Somebody who is interested in progress."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """Open a stage of `total` steps; gives the function to call after each step."""
