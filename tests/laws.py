"""How many made-up cases a law is tried on: as many as it says, and in proportion in the profiles quick and long."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

USUAL, FEWEST = 100, 3


def tried(examples: int, **options: Any) -> settings:
    """Settings for a law that is tried on `examples` cases where the profile tries others on a hundred."""
    return settings(max_examples=max(FEWEST, examples * settings().max_examples // USUAL), **options)
