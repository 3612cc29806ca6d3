"""Looking after sidecars: putting back what was there before Kith, and finding what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kith import sidecars
from kith.catalogue import sidecars as written
from kith.errors import KithError
from kith.scan import FileSeen, walk
from kith.service.app import App
from kith.vision import is_photo


@dataclass(frozen=True, slots=True)
class PutBack:
    """How many sidecars are as before Kith again, and why others aren't."""

    restored: int
    removed: int
    left: tuple[str, ...]


def put_back(app: App) -> PutBack:
    """Give every sidecar the bytes it had before Kith first wrote it, and remove those that Kith made.

    What another program changed since is left alone.
    """
    ours = app.catalogue.read(written.own_digests)
    restored = removed = 0
    left = []
    for path, original in app.catalogue.read(written.kept):
        try:
            sidecars.restore(path, original, ours)
        except KithError as error:
            left.append(error.message)
            continue
        app.catalogue.write(written.put_back, path)
        restored, removed = restored + (original is not None), removed + (original is None)
    return PutBack(restored, removed, tuple(left))


def examine(folders: Sequence[Path]) -> Iterator[str]:
    """What is wrong with the sidecars in some folders, one sentence each. Nothing is changed."""
    for folder in folders:
        found = [entry.path for entry in walk(folder, _is_of_interest) if isinstance(entry, FileSeen)]
        for family in sidecars.families(found):
            for path in sorted(family):
                if sidecars.is_sidecar(path):
                    yield from sidecars.ailments(path)
                else:
                    yield from sidecars.rivals(path, family)


def _is_of_interest(name: bytes) -> bool:
    return is_photo(name) or sidecars.is_sidecar(name)
