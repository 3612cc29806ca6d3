"""Memory that a program has let go of, given back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give back what was freed but is kept for later, several kilobytes a face after a whole library was looked at.

    Only glibc keeps so much, and can be asked (malloc_trim(3)).
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
