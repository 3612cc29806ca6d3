"""The entry point of worker processes. It also runs inline, in the calling process.

The one place with module-level state: an executor hands its workers nothing but functions and picklable values, so
the loaded pack has to live somewhere. `kith.pools` sees to signals and to the parent's death.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2

from kith.types import Analysis, Box, Crop, Floats
from kith.vision.analysis import VisionSettings, analyse, embed_crops
from kith.vision.packs import Pack, load_pack

NICENESS = 10


@dataclass(slots=True)
class _Loaded:
    pack: Pack
    settings: VisionSettings


_loaded: list[_Loaded] = []


def initialise(pack_folder: Path, settings: VisionSettings, niceness: int = NICENESS) -> None:
    """Make this process a worker for one pack: one thread, low priority, models verified and loaded.

    Raises ModelMissing and ModelCorrupt. `niceness` 0 leaves the priority alone, for use inline.
    """
    os.nice(niceness)
    cv2.setNumThreads(1)
    _loaded[:] = [_Loaded(load_pack(pack_folder), settings)]


@dataclass(frozen=True, slots=True)
class Request:
    """A photo to analyse, and boxes that are known to hold faces."""

    path: bytes
    given: tuple[Box, ...] = ()


def analyse_file(request: Request) -> Analysis:
    """`analyse` with the pack and settings this worker was initialised with; raises what `analyse` raises."""
    (worker,) = _loaded
    return analyse(request.path, worker.pack, worker.settings, request.given)


def embed_stored(crops: list[Crop]) -> Floats:
    """`embed_crops` with the pack this worker was initialised with."""
    (worker,) = _loaded
    return embed_crops(crops, worker.pack)
