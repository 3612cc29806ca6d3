"""digiKam's settings and database are found where digiKam puts them, and said clearly where they can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from kith_digikam import places
from kith_digikam.errors import NotFound, NotSqlite

FLATPAK, SNAP = (".var/app/org.kde.digikam/config", "snap/digikam/current/.config")


def settings(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "digikamrc"
    path.write_text("\n".join(("[General Settings]", "Version=8.4.0", "", "[Database Settings]", *lines, "")))
    return path


def sqlite(folder: Path, where: str) -> Path:
    return settings(folder, "Database Type=QSQLITE", f"Database Name={where}", "Internal Database Server=false")


def database(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / places.FILE
    path.touch()
    return path


@pytest.mark.parametrize("where", [".config", FLATPAK, SNAP])
def test_the_database_of_the_only_digikam_is_found(tmp_path: Path, where: str) -> None:
    expected = database(tmp_path / "Pictures")
    sqlite(tmp_path / where, str(expected.parent) + "/")
    assert places.find(tmp_path, {}).database == expected


def test_the_settings_folder_of_the_environment_counts(tmp_path: Path) -> None:
    expected = database(tmp_path / "Pictures")
    sqlite(tmp_path / "elsewhere", str(expected))
    assert places.find(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "elsewhere")}).database == expected
    with pytest.raises(NotFound):
        places.find(tmp_path, {"XDG_CONFIG_HOME": "elsewhere"})


@pytest.mark.parametrize("written", ["$HOME/My Pictures/", "${HOME}/My Pictures", "~/My Pictures"])
def test_kde_s_way_of_writing_paths_is_understood(tmp_path: Path, written: str) -> None:
    expected = database(tmp_path / "My Pictures")
    settings(tmp_path / ".config", "Database Type=QSQLITE", f"Database Name[$e]={written}")
    assert places.find(tmp_path, {}).database == expected


def test_escapes_are_understood_and_a_dollar_that_is_none_is_kept(tmp_path: Path) -> None:
    expected = database(tmp_path / "$HOME\\ ")
    settings(tmp_path / ".config", "Database Type=QSQLITE", f"Database Name={tmp_path}/$HOME\\\\\\s/")
    assert places.find(tmp_path, {}).database == expected


def test_settings_with_what_other_parsers_stumble_over_are_read(tmp_path: Path) -> None:
    expected = database(tmp_path / "Pictures")
    path = sqlite(tmp_path / ".config", str(expected.parent))
    odd = "[Album Settings][$i]\nTooltip 50%=a=b:c\nlonely\n[Album Settings][$i]\nTooltip 50%=again\n"
    path.write_text(odd + path.read_text())
    assert places.find(tmp_path, {}).database == expected


def test_mysql_is_refused_with_what_to_do(tmp_path: Path) -> None:
    settings(tmp_path / ".config", "Database Type=QMYSQL", "Database Name=digikam", "Database Hostname=nas")
    with pytest.raises(NotSqlite, match=r"MySQL server on nas.*Database Migration.*--db"):
        places.find(tmp_path, {})


def test_the_server_that_digikam_runs_itself_is_named(tmp_path: Path) -> None:
    settings(tmp_path / ".config", "Database Type=QMYSQL", "Internal Database Server=true")
    with pytest.raises(NotSqlite, match="its own MySQL server"):
        places.find(tmp_path, {})


def test_several_digikams_are_a_choice_for_the_user(tmp_path: Path) -> None:
    one, two = database(tmp_path / "one"), database(tmp_path / "two")
    sqlite(tmp_path / ".config", str(one))
    sqlite(tmp_path / FLATPAK, str(two))
    with pytest.raises(NotFound, match="--db") as told:
        places.find(tmp_path, {})
    assert str(one) in str(told.value)
    assert str(two) in str(told.value)
    two.unlink()
    assert places.find(tmp_path, {}).database == one


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    sqlite(tmp_path / ".config", str(tmp_path / "gone"))
    with pytest.raises(NotFound, match=r"gone/digikam4\.db, but there is no such file"):
        places.find(tmp_path, {})


def test_no_digikam_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No digiKam was found"):
        places.find(tmp_path, {})
    settings(tmp_path / ".config")
    with pytest.raises(NotFound, match="No digiKam was found"):
        places.find(tmp_path, {})
