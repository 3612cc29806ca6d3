"""A browser, and a Kith at work on a drawn library."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from at_work import Opened, at_work, kith, logged_in

from kith.pools import SpawnPool
from libraries import Libraries
from required import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        missing("chromium and `pip install playwright`")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def renderer() -> Iterator[Executor]:
    """Who opens photos for all tests; starting anew for each would take longer than the test."""
    pool = SpawnPool(1)
    yield pool
    pool.shutdown(cancel_futures=True)


@pytest.fixture
def opened(browser: Browser, renderer: Executor, libraries: Libraries, tmp_path: Path) -> Iterator[Opened]:
    """The page, on a library of sixteen photos of four people that nobody named."""
    with page_of(browser, renderer, libraries, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(
    browser: Browser, renderer: Executor, libraries: Libraries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """The same for tests that only look, with some names, one of them wrong."""
    with page_of(browser, renderer, libraries, tmp_path_factory.mktemp("shown")) as opened:
        _, bruno = opened.named("Anna", "Bruno", most=4)
        opened.say("/v1/faces/name", faces=bruno[:1], name="Anna")
        yield opened


@contextmanager
def page_of(browser: Browser, renderer: Executor, libraries: Libraries, base: Path) -> Iterator[Opened]:
    """The page of a Kith at work on a folder with drawn photos whose faces it has found."""
    photos = base / "photos"
    libraries.within(base / "home", scanned=True, photos=photos)
    with kith(base / "home") as app, at_work(app, photos, renderer=renderer) as here:
        page, told = logged_in(browser, here)
        yield Opened(page, here, photos, told)
        page.context.close()
        assert not told, "the console has to stay silent"
