"""Names of people as files spell them: cleaned, compared, and told from nobody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# All that XML 1.0 can't hold, and the C0 controls that it could.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def clean(name: str) -> str:
    """The name without control characters, surrogates and surrounding blanks."""
    return _FORBIDDEN.sub("", name).strip()


def key(name: str | None) -> str:
    """What two spellings of one name have in common: NFC, case folded; digiKam's `\\` is a `/`."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name or "").casefold()).replace("\\", "/")


def same(a: str | None, b: str | None) -> bool:
    """Whether two names are spelled alike; no name equals only no name."""
    return key(a) == key(b)


@lru_cache(maxsize=8)
def _keys(nobody: frozenset[str]) -> frozenset[str]:
    return frozenset(key(n) for n in nobody)


def person(name: str | None, nobody: frozenset[str]) -> str | None:
    """The cleaned name if it is somebody's, None if it is empty or stands for nobody."""
    cleaned = clean(name or "").replace("\\", "/")
    return cleaned if cleaned and key(cleaned) not in _keys(nobody) else None


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names in their order, each spelling once."""
    return tuple({key(n): n for n in reversed(list(names))}.values())[::-1]
