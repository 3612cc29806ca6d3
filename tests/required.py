"""What tests need and not every machine has: without it they are skipped, unless everything is required."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

REQUIRED = os.environ.get("KITH_REQUIRE_SHARED") == "1"


def missing(what: str) -> NoReturn:
    """Skip the test, or let it fail where KITH_REQUIRE_SHARED=1 says that everything has to be there."""
    if REQUIRED:
        pytest.fail(f"needs {what}, and KITH_REQUIRE_SHARED=1")
    pytest.skip(f"needs {what}")


def need(*programs: str) -> None:
    """Programs that the test runs."""
    for program in programs:
        if shutil.which(program) is None:
            missing(program)
