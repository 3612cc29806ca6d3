"""Fixtures that more than one test file needs."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("long", max_examples=2000)  # pytest --hypothesis-profile long

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The measurement data beside the project; not needed at home, required in CI."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} is missing: CI must run with the measurement data")
        pytest.skip("needs the measurement data beside the project")
    return SHARED
