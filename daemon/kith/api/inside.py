"""The API's calls without a server, for a command that finds no Kith running: the same words, answers and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from kith.api import wire
from kith.api.routes import ROUTES, Api, Route
from kith.errors import NotRunning
from kith.service.app import App
from kith.service.control import Control
from kith.service.reports import Report, Silent


class Inside:
    """Stands in for `kith.client.Client`. What has to be followed up is left to whoever made it.

    Jobs are done at once and tell the `report` how far they are.
    """

    def __init__(self, app: App, report: Report | None = None) -> None:
        self._nobody = _Nobody(app, report or Silent())
        self._api = cast(Api, _Alone(cast(Control, self._nobody), app))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What a call answers that looks at something; a `query` of None is left out."""
        return self._call("GET", path, {name: str(value) for name, value in query.items() if value is not None})

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """What a call answers that says something. Raises NotRunning for one that only a running Kith can do."""
        return self._call("POST", path, body)

    def job(self, path: str, shown: Callable[[], None], **body: Any) -> dict[str, Any]:
        """The result of something that takes long."""
        return self._nobody.results.pop(self.post(path, **body)["job"])

    def _call(self, method: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
        for route in ROUTES:
            match = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", route.path), path)
            if match and route.method == method and route.act:
                return _answer(route, self._api, given, match.groups())
        raise NotRunning("That takes a Kith that runs: start it with `kith run`.")


def _answer(route: Route, api: Api, given: dict[str, Any], ids: tuple[str, ...]) -> dict[str, Any]:
    if route.act is None:
        raise ValueError(f"{route.path} is only HTTP")
    return route.act(api, wire.convert(given, route.shape, strict=route.method == "POST"), *ids)


@dataclass(frozen=True, slots=True)
class _Alone:
    """As much of `Api` as calls need that look or say something."""

    control: Control
    app: App


@dataclass(frozen=True, slots=True)
class _Nobody:
    """As much of `Control` as these need: nothing watches, nobody waits to be woken."""

    app: App
    report: Report
    results: dict[int, dict[str, Any]] = field(default_factory=dict)

    def start(self, kind: str, work: Callable[[], dict[str, Any]]) -> int:
        self.results[0] = work()
        return 0

    def wake(self) -> None:
        pass

    def status(self) -> dict[str, Any]:
        return {"state": "idle", "paused_by": [], "roots": [], "stage": None, "problem": None}
