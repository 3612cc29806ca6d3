"""Small file systems of their own, for what happens on full and read-only disks. They need the right to mount."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[Path]:
    """What mount's options say, at a place that is made for it."""
    place.mkdir()
    done = subprocess.run(["mount", *options, place], check=False, capture_output=True, timeout=60)
    if done.returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=False, timeout=60)


def disk(place: Path, size: str) -> AbstractContextManager[Path]:
    """A disk of this size ("48k", "1m") in memory."""
    return mounted(place, "-t", "tmpfs", "-o", f"size={size}", "none")
