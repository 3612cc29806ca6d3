"""Model packs for tests: one of the measurement models, one made as a user would make it."""

from __future__ import annotations

import shutil
from pathlib import Path

from filelock import FileLock

from kith.vision.install import install

DATA = Path(__file__).parent / "data"
BUILD = Path(__file__).parents[1] / "build"


def make_test_pack(shared: Path, folder: Path) -> Path:
    """A pack folder with YuNet and MobileFaceNet from the measurement data, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        for name in ("face_detection_yunet_2023mar.onnx", "mobilefacenet.onnx"):
            if not (folder / name).exists():
                shutil.copyfile(shared / "models" / name, folder / name)
        shutil.copyfile(DATA / "test-pack.toml", folder / "pack.toml")
    return folder


def make_base_pack() -> Path:
    """Pack `base`, fetched by pip and made once; after that it is found sound and left alone."""
    BUILD.mkdir(exist_ok=True)
    with FileLock(BUILD / "packs.lock"):
        return install(BUILD / "packs", "base").folder
