"""Programs that whole files of tests ask."""

from __future__ import annotations

import pytest

from required import need


@pytest.fixture(scope="session")
def exiftool() -> None:
    need("exiftool")


@pytest.fixture(scope="session")
def curl() -> None:
    need("curl")
