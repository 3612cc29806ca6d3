"""What settings promise: defaults that hold, and every mistake told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kith import config
from kith.errors import ConfigInvalid


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert config.load(tmp_path / "kith.toml") == config.load()


def test_a_setting_changes_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "kith.toml"
    path.write_text('[sidecars]\nroot = "Personen"\n')
    changed = config.load(path)
    assert changed.sidecars.root == "Personen"
    assert changed.people == config.load().people


def test_all_mistakes_are_told_at_once_with_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "kith.toml"
    path.write_text(
        '[sidecar]\nroot = "x"\n[people]\nmin_face = 3\nauto = "always"\n'
        '[analysis]\nworkers = -1\n[photos]\nignore = ["!"]\n'
    )
    with pytest.raises(ConfigInvalid) as caught:
        config.load(path)
    told = caught.value.message
    assert "did you mean sidecars?" in told
    assert "did you mean min_faces?" in told
    assert "[people] auto = 'always'" in told
    assert "[analysis] workers = -1" in told
    assert "[photos]: Invalid git pattern: '!'" in told


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kith.toml"
    path.write_text("this is not TOML")
    with pytest.raises(ConfigInvalid, match=r"kith\.toml is not valid TOML"):
        config.load(path)
