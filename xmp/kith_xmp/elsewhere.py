"""Names of faces that a file other than the sidecar gives and that is only read: Picasa's .picasa.ini."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kith_xmp import names
from kith_xmp.files import RAW
from kith_xmp.merge import Decision, Face, Kind, pairs
from kith_xmp.read import Sidecar
from kith_xmp.regions import SAME_FACE, Frame, Region, overlap, read_picasa
from kith_xmp.settings import Settings

PICASA: Final = (".picasa.ini", "Picasa.ini")
_LIMIT = 32 * 1024 * 1024  # bytes


def picasa(photo: Path, frame: Frame, settings: Settings) -> tuple[Region, ...]:
    """The faces that the folder's .picasa.ini gives for a photo; () where there is none that can be read."""
    for name in PICASA:
        try:
            with (photo.parent / name).open("rb") as file:
                text = file.read(_LIMIT).decode("utf-8", "replace")
        except OSError:
            continue
        raw = photo.suffix[1:].casefold() in RAW
        return read_picasa(text, photo.name, frame, settings, raw=raw).regions
    return ()


def news(before: Sequence[Region], now: Sequence[Region], ours: Sequence[Face], theirs: Sidecar) -> list[Decision]:
    """What such a file says that the catalogue doesn't know: faces that are new in it, or have another name.

    `before` is what it said last. Of a face that it names for the first time the sidecar knows better.
    """
    said = [region for region in theirs.regions if region.name]
    at = pairs(now, ours)
    found = []
    for i, region in enumerate(now):
        earlier = [r for r in before if overlap(r.box, region.box) >= SAME_FACE]
        if any(names.same(r.name, region.name) for r in earlier):
            continue
        if not earlier and any(overlap(r.box, region.box) >= SAME_FACE for r in said):
            continue
        face = ours[at[i]] if i in at else None
        if face is None or not names.same(face.name, region.name):
            kind = Kind.RENAMED if face and face.name else Kind.ADDED
            found.append(Decision(kind, region.name, face.name if face else None, face.id if face else None, region))
    return found
