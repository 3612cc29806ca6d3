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


def test_folders_are_added_and_removed_and_everything_else_stays_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "kith.toml"
    before = '# mine\n[service]\nport = 9000   # as at work\nfolders = [\n    "/a", # the first\n    "/b",\n]\n'
    path.write_text(before)
    config.add_folders(path, [Path("/c"), Path("/a")])
    assert config.load(path).service.folders == ("/a", "/b", "/c")
    config.remove_folders(path, [Path("/c"), Path("/nowhere")])
    assert path.read_text().split() == before.split()


def test_a_folder_in_the_home_is_the_same_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "kith.toml"
    path.write_text('[service]\nfolders = ["~/Pictures"]\n')
    config.add_folders(path, [tmp_path / "Pictures"])
    assert config.load(path).service.folders == ("~/Pictures",)
    config.remove_folders(path, [tmp_path / "Pictures"])
    assert config.load(path).service.folders == ()


def test_a_setting_is_changed_in_its_file_and_a_wrong_value_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kith.toml"
    path.write_text('[people] # mine\nauto = "off"  # for now\n')
    config.change(path, {"people": {"auto": "wide"}, "sidecars": {"write": False}})
    assert config.load(path).people.auto == "wide"
    assert not config.load(path).sidecars.write
    assert "# mine" in path.read_text()
    before = path.read_text()
    with pytest.raises(ConfigInvalid, match="auto"):
        config.change(path, {"people": {"auto": "always"}})
    assert path.read_text() == before


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kith.toml"
    path.write_text("this is not TOML")
    with pytest.raises(ConfigInvalid, match=r"kith\.toml is not valid TOML"):
        config.load(path)
