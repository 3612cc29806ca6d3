"""What Kith does, on the page: pausing, the history, settings, and folders from the first run on."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from at_work import Opened

import drawn
from desk import Desk
from kith import config
from kith.client import Client
from kith.errors import KithError
from libraries import Libraries

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def test_pausing_and_the_history_are_on_the_activity_page(opened: Opened) -> None:
    (question, *_) = opened.ask("/v1/questions")["questions"]
    opened.say("/v1/faces/name", faces=question["faces"], name="Bruno")
    opened.go("activity")
    opened.page.get_by_role("button", name=re.compile("^Undo: ")).first.click()
    opened.until(lambda: not opened.people())
    opened.page.keyboard.press("p")
    opened.until(lambda: opened.ask("/v1/status")["doing"]["paused_by"] == ["you"])
    opened.page.keyboard.press("p")
    opened.until(lambda: opened.ask("/v1/status")["doing"]["paused_by"] == [])


def test_settings_are_changed_and_kept(opened: Opened) -> None:
    opened.go("activity")
    opened.page.get_by_label("Names that Kith gives by itself").select_option("wide")
    opened.page.get_by_label("Write names into sidecars").uncheck()
    opened.until(lambda: not opened.ask("/v1/settings")["settings"]["sidecars"]["write"])
    kept = config.load(Path(opened.ask("/v1/settings")["file"]))
    assert (kept.people.auto, kept.sidecars.write, kept.people.min_faces) == ("wide", False, 2)


@contextmanager
def running(desk: Desk) -> Iterator[Client]:
    """`kith run`, without any folder said."""
    socket = desk.home / "runtime" / "kith" / "kith.sock"
    with (desk.home / "run.log").open("ab") as log:
        process = subprocess.Popen(desk.command("run", "--port", "0"), env=desk.environment, stdout=log, stderr=log)
    try:
        while True:
            assert process.poll() is None, (desk.home / "run.log").read_text()
            try:
                client = Client(socket, timeout=60)
                client.get("/v1/hello")
                break
            except KithError:
                time.sleep(0.1)
        with client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def page_of(desk: Desk, browser: Browser) -> Page:
    page = browser.new_context().new_page()
    page.goto(desk.kith("review", "--print").strip())
    return page


def test_the_first_run_asks_for_folders_shows_faces_and_remembers(
    browser: Browser, libraries: Libraries, tmp_path: Path
) -> None:
    photos, desk = tmp_path / "photos", libraries.empty(tmp_path)
    drawn.holiday(photos, 6)
    desk.configure("[analysis]\nworkers = 1\n[people]\nmin_faces = 2\n")
    with running(desk) as kith:
        page = page_of(desk, browser)
        page.get_by_role("heading", name="Where are your photos?").wait_for()
        page.get_by_label("Folder with photos").fill(str(tmp_path / "nowhere"))
        page.keyboard.press("Enter")
        page.get_by_text("is not a folder").wait_for()
        page.get_by_label("Folder with photos").fill(str(photos))
        page.keyboard.press("Enter")
        page.locator(".tile").first.wait_for(timeout=60_000)
        page.get_by_role("heading", name="Who is this?").wait_for(timeout=60_000)
        page.context.close()
    with running(desk) as kith:
        assert [folder["path"] for folder in kith.get("/v1/folders")["folders"]] == [str(photos)]
        known = kith.get("/v1/status")["counts"]["faces"]
        page = page_of(desk, browser)
        page.goto(page.url.split("#")[0] + "#/activity")
        page.get_by_role("button", name=re.compile("^Remove: ")).click()
        page.get_by_text("Nothing of it is forgotten").wait_for()
        assert kith.get("/v1/folders")["folders"] == []
        assert kith.get("/v1/status")["counts"]["faces"] == known > 0
        page.context.close()
    assert config.load(desk.home / "config" / "kith" / "kith.toml").service.folders == ()
