"""Fixtures that more than one test file needs."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest
from hypothesis import Phase

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.register_profile("long", max_examples=2000, deadline=None)  # pytest --hypothesis-profile long
hypothesis.settings.register_profile(  # for bench/mutants.py: a failure is enough, and is the same each time
    "mutants", max_examples=40, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
if hypothesis.settings.get_current_profile_name() == "default":
    hypothesis.settings.load_profile("untimed")

WINDOWS = {"test_darktable", "test_darktable_plugin"}
WINDOWS |= {f"test_digikam_{what}" for what in ("actions", "import", "push", "writes")}
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What clicks in another program's window is tried once more: such programs now and then hang or miss a click."""
    for item in items:
        if item.path.parent.name == "web" or item.path.stem in WINDOWS:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The measurement data beside the project; not needed at home, required in CI."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} is missing: CI must run with the measurement data")
        pytest.skip("needs the measurement data beside the project")
    return SHARED
