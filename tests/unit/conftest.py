"""Model packs as fixtures; loaded only where a test asks for one, since single files are to start quickly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kith.errors import ModelMissing
from required import missing

if TYPE_CHECKING:
    from kith.vision.packs import Pack


@pytest.fixture(scope="session")
def test_pack(pack: Path) -> Pack:
    from kith.vision.packs import load_pack

    return load_pack(pack)


@pytest.fixture(scope="session")
def base_pack() -> Pack:
    """Needs pip's index once; after that the pack lies in build/."""
    from kith.vision.packs import load_pack
    from packs import make_base_pack

    try:
        return load_pack(make_base_pack())
    except ModelMissing as error:
        missing(f"a pack that pip downloads ({error.message})")
