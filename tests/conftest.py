"""What more than one test file needs: the measurement data, marks by folder, and a word about tests tried again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from hypothesis import Phase

os.environ["KITH_NICE"] = "0"  # Kith's own processes would starve beside the tests that wait for them

from digikam_made import SCHEMAS
from required import missing

if TYPE_CHECKING:
    from libraries import Libraries

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)  # make quick
hypothesis.settings.register_profile("long", max_examples=2000, deadline=None)  # pytest --hypothesis-profile long
hypothesis.settings.register_profile(  # for bench/mutants.py: a failure is enough, and is the same each time
    "mutants", max_examples=40, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
if hypothesis.settings.get_current_profile_name() == "default":
    hypothesis.settings.load_profile("untimed")

SHARED = Path(__file__).resolve().parents[2] / "shared"
BY_FOLDER = ("crash", "hosts", "web")
# the files that take longest, one of which begun last would be waited for
LONGEST = (
    "test_darktable_plugin", "test_killed_scan", "test_killed_push", "test_digikam_import", "test_people_commands",
    "test_digikam_push", "test_review", "test_doubts", "test_other_programs", "test_digikam_writes",
    "test_running_kith", "test_main_job", "test_daemon", "test_bad_input", "test_unit", "test_digikam_actions",
    "test_care", "test_rebuild", "test_answers", "test_photo", "test_sidecar_trouble", "test_darktable",
    "test_activity", "test_people_incremental", "test_trust", "test_people", "test_everyone", "test_corpus",
)  # fmt: skip
WINDOWS = {"test_darktable", "test_darktable_plugin"}
WINDOWS |= {f"test_digikam_{what}" for what in ("actions", "import", "push", "writes")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks by folder and fixture, and the longest files first. What clicks in another program's window is tried once
    more: such programs now and then hang or miss a click."""
    places = {file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
    for item in items:
        folder = item.path.parent.name
        if folder in BY_FOLDER:
            item.add_marker(folder)
        fixtures = getattr(item, "fixturenames", ())
        if "shared" in fixtures:
            item.add_marker("shared")
        if "base_pack" in fixtures:
            item.add_marker("slow")
        if folder == "web" or item.path.stem in WINDOWS:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests passed only when they were tried again: each hides something."""
    again = [report.nodeid for report in terminalreporter.getreports("rerun")]
    if again or terminalreporter.getreports("passed"):
        terminalreporter.line(f"{len(again)} tried again{':' if again else '.'}")
    for node in again:
        terminalreporter.line(f"  {node}")


@pytest.fixture
def schema() -> int:
    """Of digiKam's database; tests for which it matters run `every_schema`."""
    return SCHEMAS[0]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The measurement data beside the project."""
    if not SHARED.is_dir():
        missing(f"the measurement data, in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made once a run, by whichever process of the tests comes first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def pack(once: Path, shared: Path) -> Path:
    """A model pack that finds drawn people and tells them apart; the one that pip downloads does neither."""
    from packs import make_test_pack

    return make_test_pack(shared, once / "pack")


@pytest.fixture(scope="session")
def libraries(once: Path, pack: Path) -> Libraries:
    """Scanned photos, to be copied."""
    from libraries import Libraries

    return Libraries(once, pack)
