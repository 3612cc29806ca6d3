"""`kith darktable install` puts the plugin in place, and `uninstall` leaves everything else as it was."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest

from kith.errors import NotFound, PermissionDenied
from kith.service import darktable

PROGRAM = Path("/usr/bin/kith")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".config" / "darktable").mkdir(parents=True)
    return {"HOME": str(tmp_path)}


def config(home: dict[str, str]) -> Path:
    return Path(home["HOME"]) / ".config" / "darktable"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("before", [None, b"", b'require "tools/script_manager"\n', b"-- no end of line", b"\xff\r\n"])
def test_what_stood_in_luarc_stands_there_again(home: dict[str, str], before: bytes | None) -> None:
    luarc = config(home) / "luarc"
    if before is not None:
        luarc.write_bytes(before)
    darktable.install(PROGRAM, home)
    darktable.install(PROGRAM, home)
    text = luarc.read_bytes()
    assert text.startswith(before or b"")
    assert text.count(b'require "kith/kith"') == 1
    darktable.uninstall(home)
    left = luarc.read_bytes() if luarc.exists() else b""
    assert left == (before or b"")
    assert not (config(home) / "lua" / "kith").exists()


def test_a_line_of_the_user_is_not_taken_for_ours(home: dict[str, str]) -> None:
    luarc = config(home) / "luarc"
    luarc.write_text('require "kith/kith"\n-- my line\n')
    darktable.uninstall(home)
    assert luarc.read_text() == 'require "kith/kith"\n-- my line\n'


def test_luarc_that_is_a_link_stays_one(home: dict[str, str], tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles-luarc"
    dotfiles.write_text("-- mine\n")
    (config(home) / "luarc").symlink_to(dotfiles)
    darktable.install(PROGRAM, home)
    assert (config(home) / "luarc").is_symlink()
    assert darktable.LINE in dotfiles.read_text()


def test_status_says_what_is_there(home: dict[str, str]) -> None:
    assert "not in" in darktable.status(home)[0]
    told = " ".join(darktable.install(PROGRAM, home))
    assert str(config(home) / "lua" / "kith") in told
    assert darktable.status(home)[0] == f"The plugin is in {config(home)}."
    (config(home) / "lua" / "kith" / "lib" / "http.lua").write_text("-- older\n")
    assert "renews" in darktable.status(home)[0]
    darktable.install(PROGRAM, home)
    (config(home) / "luarc").write_text("")
    assert "luarc" in darktable.status(home)[0]
    darktable.uninstall(home)
    assert "not in" in darktable.status(home)[0]
    assert darktable.uninstall(home) == ["The plugin is in no darktable of yours."]


def test_a_file_of_an_older_plugin_goes(home: dict[str, str]) -> None:
    darktable.install(PROGRAM, home)
    old = config(home) / "lua" / "kith" / "lib" / "old.lua"
    old.write_text("")
    darktable.install(PROGRAM, home)
    assert not old.exists()
    assert (config(home) / "lua" / "kith" / "kith-command").read_text() == f"{PROGRAM}\n"


def test_the_plugin_speaks_the_languages_it_was_translated_to(home: dict[str, str]) -> None:
    darktable.install(PROGRAM, home)
    spoken = gettext.translation("kith", config(home) / "lua" / "kith" / "locale", ["de"])
    assert spoken.gettext("find faces") == "Gesichter suchen"
    assert spoken.ngettext("%d photo", "%d photos", 2) == "%d Bilder"
    (config(home) / "lua" / "kith" / "locale" / "de" / "LC_MESSAGES" / "kith.mo").unlink()
    assert "renews" in darktable.status(home)[0]


def test_flatpaks_darktable_is_found_and_asks_at_the_port(tmp_path: Path) -> None:
    place = tmp_path / ".var" / "app" / "org.darktable.Darktable" / "config" / "darktable"
    place.mkdir(parents=True)
    told = " ".join(darktable.install(PROGRAM, {"HOME": str(tmp_path)}))
    assert (place / "lua" / "kith" / "kith.lua").is_file()
    assert "port instead" in told


def test_without_darktable_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="start darktable once"):
        darktable.install(PROGRAM, {"HOME": str(tmp_path)})
    assert not everything(tmp_path)


def test_a_folder_that_cant_be_written_is_named(home: dict[str, str]) -> None:
    (config(home) / "lua").write_text("in the way")
    with pytest.raises(PermissionDenied, match="lua"):
        darktable.install(PROGRAM, home)
    assert not (config(home) / "luarc").exists()
