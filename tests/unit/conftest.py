"""Model packs as fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from kith.errors import ModelMissing
from kith.vision.packs import Pack, load_pack
from packs import make_base_pack, make_test_pack
from required import missing


@pytest.fixture(scope="session")
def test_pack_folder(shared: Path, once: Path) -> Path:
    return make_test_pack(shared, once / "pack")


@pytest.fixture(scope="session")
def test_pack(test_pack_folder: Path) -> Pack:
    return load_pack(test_pack_folder)


@pytest.fixture(scope="session")
def base_pack() -> Pack:
    """Needs pip's index once; after that the pack lies in build/."""
    try:
        return load_pack(make_base_pack())
    except ModelMissing as error:
        missing(f"a pack that pip downloads ({error.message})")
