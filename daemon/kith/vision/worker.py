"""The entry point of worker processes. It also runs inline, in the calling process.

The one place with module-level state: an executor hands its workers nothing but functions and picklable values, so
the loaded pack has to live somewhere. `kith.pools` sees to signals and to the parent's death. The process that asks
workers names these functions only, so OpenCV and onnxruntime are imported when one of them runs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kith.priority import NICE
from kith.types import Analysis, Box, Crop, Floats
from kith.vision.settings import VisionSettings

if TYPE_CHECKING:
    from kith.vision.formats import Limits
    from kith.vision.packs import Pack
    from kith.vision.render import Form


@dataclass(slots=True)
class _Loaded:
    pack: Pack
    settings: VisionSettings


_loaded: list[_Loaded] = []


def initialise(pack_folder: Path, settings: VisionSettings, niceness: int = NICE) -> None:
    """Make this process a worker for one pack: one thread, low priority, models verified and loaded.

    Raises ModelMissing and ModelCorrupt. `niceness` 0 leaves the priority alone, for use inline.
    """
    import cv2

    from kith.vision.packs import load_pack

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
    from kith.vision.analysis import analyse

    (worker,) = _loaded
    return analyse(request.path, worker.pack, worker.settings, request.given)


def embed_stored(crops: list[Crop]) -> Floats:
    """`embed_crops` with the pack this worker was initialised with."""
    from kith.vision.analysis import embed_crops

    (worker,) = _loaded
    return embed_crops(crops, worker.pack)


def face_picture(kept: Crop, size: int, form: Form) -> bytes:
    """`render.face`, of a crop that Kith made itself; needs no pack."""
    from kith.vision import render

    return render.face(kept, size, form)


def photo_picture(path: bytes, size: int, limits: Limits) -> bytes:
    """`render.photo`; needs no pack."""
    from kith.vision import render

    return render.photo(path, size, limits)


def box_picture(path: bytes, box: Box, size: int, limits: Limits, form: Form) -> bytes:
    """`render.cut_out`; needs no pack."""
    from kith.vision import render

    return render.cut_out(path, box, size, limits, form)
