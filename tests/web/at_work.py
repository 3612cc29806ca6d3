"""A Kith at work, for tests and measurements of the review page: a real daemon, its API, and a link to its page.

at_work.py HOME FOLDER PACK    serves FOLDER with a model pack until it is stopped; prints a link for the browser
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kith import config
from kith.paths import Paths
from kith.service import packs
from kith.service.app import App, opened
from kith.service.daemon import Daemon
from kith.service.reports import Silent
from served import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

SETTINGS = '[sidecars]\nquiet_seconds = 0.5\n[people]\nmin_faces = 2\nauto = "off"\n[analysis]\nworkers = 1\n'


STALE, OFFLINE = "status of 409 (Conflict)", "net::ERR_INTERNET_DISCONNECTED"


@contextmanager
def kith(home: Path) -> Iterator[App]:
    """Kith's parts in a folder of their own."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = Paths.below(home)
    paths.config_file.parent.mkdir(exist_ok=True)
    paths.config_file.write_text(SETTINGS)
    with opened(paths, config.load(paths.config_file)) as app:
        yield app


@contextmanager
def at_work(app: App, *roots: Path, **options: Any) -> Iterator[Served]:
    """A daemon that follows some folders, and its API at a port; `options` as `kith.api.app.make` has them."""
    daemon = Daemon(app, roots)
    daemon.begin()
    daemon.hint([(root, True) for root in roots])
    try:
        with served(daemon, **options) as here:  # type: ignore[arg-type]
            yield here
    finally:
        daemon.end()
    assert daemon.failed() is None


def link(here: Served) -> str:
    """An address that logs a browser in, once."""
    return f"http://127.0.0.1:{here.port}" + here.http("POST", "/v1/login-links").json["path"]


@dataclass
class Opened:
    """The page of a Kith at work, and what its console said."""

    page: Page
    here: Served
    folder: Path
    told: list[str] = field(default_factory=list)

    def ask(self, path: str) -> Any:
        """What the API says."""
        return self.here.http("GET", path).json

    def say(self, path: str, **body: Any) -> Any:
        """What another program tells Kith."""
        return self.here.client.post(path, **body)

    def go(self, place: str) -> None:
        go(self.page, self.here, place)

    def question(self) -> str:
        return str(self.page.locator("h1").inner_text())

    def who_is_this(self) -> int:
        """Wait for a question that asks for a name; gives of how many faces."""
        self.page.get_by_role("heading", name="Who is this?").wait_for()
        self.until(lambda: self.page.evaluate("document.activeElement.matches('input')"))
        found = re.match(r"(\d+)", self.page.locator(".about").inner_text())
        assert found
        return int(found[1])

    def said(self) -> str:
        """What the line at the foot of the page says."""
        return str(self.page.locator("#said").inner_text())

    def first_face(self) -> str | None:
        """The first face in question."""
        face = self.page.evaluate("document.querySelector('.tile')?.dataset.face ?? null")
        return face if face is None else str(face)

    def people(self) -> dict[str, int]:
        """Everybody, and how many faces each has."""
        return {person["name"]: person["faces"] for person in self.ask("/v1/people")["people"]}

    def face(self, face: str) -> Any:
        return self.ask(f"/v1/faces/{face}")["face"]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Write something and press Enter."""
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def named(self, *names: str, most: int = 10_000) -> list[list[str]]:
        """Another program names the first questions' faces; gives the faces of each."""
        groups = [question["faces"][:most] for question in self.ask("/v1/questions")["questions"]]
        for faces, name in zip(groups, names, strict=False):
            self.say("/v1/faces/name", faces=faces, name=name)
        return groups[: len(names)]

    @contextmanager
    def held(self, asked: str) -> Iterator[list[Route]]:
        """What the page asks for doesn't come to Kith before this ends; gives what was asked."""
        waiting: list[Route] = []
        self.page.route(asked, lambda route: waiting.append(route) if holds else route.continue_())
        holds = True
        yield waiting
        holds = False
        for route in waiting:
            route.continue_()
        self.page.unroute(asked)

    def until(self, happened: Callable[[], object], seconds: float = 30.0) -> None:
        for _ in range(int(seconds * 20)):
            if happened():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it never happened")


def go(page: Page, here: Served, place: str) -> None:
    """Show a view, and wait until it is there."""
    page.goto(f"http://127.0.0.1:{here.port}/#/{place}")
    page.locator(f"main[data-view='{place.split('/', maxsplit=1)[0]}']:not([aria-busy])").wait_for()


def logged_in(browser: Browser, here: Served, **options: Any) -> tuple[Page, list[str]]:
    """A new window with the page, and what its console says."""
    context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    page = context.new_page()
    told: list[str] = []

    def tell(message: ConsoleMessage) -> None:
        # what the browser itself tells: an answer was refused as stale, or nothing comes through; the page tries again
        expected = STALE in message.text or OFFLINE in message.text
        if message.type in ("error", "warning") and not expected:
            told.append(message.text)

    page.on("console", tell)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(link(here))
    return page, told


if __name__ == "__main__":
    home, folder, pack = map(Path, sys.argv[1:4])
    with kith(home) as app:
        if packs.in_use(app) is None:
            packs.get(app, "auto", pack, Silent())
        with at_work(app, folder) as here:
            for _ in range(200):
                print(link(here), flush=True)
                sys.stdin.readline()
