"""Model packs with their models loaded: each file is the one that pack.toml pins by sha256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kith.errors import ModelCorrupt
from kith.types import Calibration, Floats
from kith.vision.detect import Detector
from kith.vision.embed import Embedder
from kith.vision.manifest import MANIFEST, Manifest, PackFile, read_manifest
from kith.vision.session import open_session


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """A verified pack with its models loaded. Not for sending between processes: send the folder instead."""

    folder: Path
    manifest: Manifest
    detector: Detector
    embedder: Embedder
    template: Floats

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def calibration(self) -> Calibration:
        return self.manifest.beliefs


def load_pack(folder: Path, threads: int = 1) -> Pack:
    """Verify a pack's files and load its models from the very bytes that were verified.

    Raises ModelMissing where there is no pack, ModelCorrupt where a file isn't the one its description pins.
    """
    manifest = read_manifest(folder)
    detector = _verified(folder, manifest.files.detector)
    embedder = _verified(folder, manifest.files.embedder)
    try:
        return Pack(
            folder,
            manifest,
            Detector(open_session(detector, (0, 2, 3), threads), manifest.detector),
            Embedder(open_session(embedder, (0,), threads), manifest.embedder),
            np.array(manifest.embedder.template, np.float32),
        )
    except Exception as error:  # onnxruntime's errors have no useful common base
        raise ModelCorrupt(f"The models of pack {manifest.id} in {folder} don't load: {error}.") from error


def _verified(folder: Path, file: PackFile) -> bytes:
    path = folder / file.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelCorrupt(f"{path} can't be read ({error.strerror}); install the pack again.") from error
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise ModelCorrupt(
            f"{path} is not the file that {MANIFEST} pins (sha256 {found[:12]}…, not {file.sha256[:12]}…); "
            "install the pack again."
        )
    return data
