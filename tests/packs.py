"""Model packs for tests: one of the measurement models, one built as a user would build it."""

from __future__ import annotations

import shutil
from pathlib import Path

DATA = Path(__file__).parent / "data"


def make_test_pack(shared: Path, folder: Path) -> Path:
    """A pack folder with YuNet and MobileFaceNet from the measurement data."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(DATA / "test-pack.toml", folder / "pack.toml")
    for name in ("face_detection_yunet_2023mar.onnx", "mobilefacenet.onnx"):
        shutil.copyfile(shared / "models" / name, folder / name)
    return folder
