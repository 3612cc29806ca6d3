"""Which files are photos, and which of them are too large to be opened."""

from __future__ import annotations

import os
from dataclasses import dataclass

PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".hif", ".avif")
)
RAW_SUFFIXES = (
    frozenset(
        (".3fr", ".ari", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".k25", ".kdc")
    )
    | frozenset(
        (".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw")
    )
    | frozenset((".x3f",))
)
PHOTO_SUFFIXES = PICTURE_SUFFIXES | RAW_SUFFIXES


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before it is decoded."""

    megapixels: float = 300.0
    megabytes: float = 1000.0


def is_photo(name: bytes) -> bool:
    """Whether a file of this name is one that Kith looks at."""
    return os.path.splitext(name)[1].lower().decode("latin-1") in PHOTO_SUFFIXES  # noqa: PTH122  names are bytes
