"""Model packs for tests: one of the measurement models, one made as a user would make it."""

from __future__ import annotations

import shutil
from pathlib import Path

from kith.vision.install import install

DATA = Path(__file__).parent / "data"
BUILD = Path(__file__).parents[1] / "build"


def make_test_pack(shared: Path, folder: Path) -> Path:
    """A pack folder with YuNet and MobileFaceNet from the measurement data."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(DATA / "test-pack.toml", folder / "pack.toml")
    for name in ("face_detection_yunet_2023mar.onnx", "mobilefacenet.onnx"):
        shutil.copyfile(shared / "models" / name, folder / name)
    return folder


def make_base_pack() -> Path:
    """Pack `base`, fetched by pip and made once; after that it is found sound and left alone."""
    return install(BUILD / "packs", "base").folder
