"""Kith in digiKam's menus: put there, said to be there, taken away; which of digiKam's settings are to be changed."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest

from kith_digikam import desktop, errors, metadata, telling

PROGRAM = Path('/opt/my kith/100%/$HOME/`a"b`/kith')
GOOD = {
    "Use XMP Sidecar For Reading": "true",
    "Rescan File If Modified": "true",
    "Save FaceTags": "true",
    "Metadata Writing Mode": "1",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": "/nonexistent"}


def entries(folder: Path) -> list[dict[str, str]]:
    found = []
    for path in sorted((folder / ".local" / "share" / "applications").iterdir()):
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read(path)
        found.append(dict(parser["Desktop Entry"]))
    return found


def test_three_entries_are_put_for_pictures_and_raws_that_no_double_click_starts(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    desktop.install(PROGRAM, tmp_path / "data", environment)
    found = entries(tmp_path)
    assert [entry["Name"] for entry in found] == [
        "Confirm the people Kith suggests",
        "Find people (Kith)",
        "Open in Kith's review page",
    ]
    for entry in found:
        assert entry["NoDisplay"] == "true"
        assert entry["InitialPreference"] == "0"
        assert {"image/jpeg", "image/x-canon-cr2", "image/x-adobe-dng"} <= set(entry["MimeType"].split(";"))
        assert entry["Exec"].endswith(" %F")


def test_the_command_of_an_entry_is_the_program_whatever_its_name(tmp_path: Path, environment: dict[str, str]) -> None:
    desktop.install(PROGRAM, tmp_path / "data", environment)
    for entry in entries(tmp_path):
        word = entry["Exec"].rpartition(" digikam ")[0].replace("\\\\", "\\")  # as any string of the file
        assert word[0] == word[-1] == '"'
        said = subprocess.run(
            ["/bin/sh", "-c", f"printf %s {word.replace('%%', '%')}"], capture_output=True, check=True
        )
        assert said.stdout.decode() == str(PROGRAM)


def test_status_tells_what_is_there_and_uninstall_leaves_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    data = tmp_path / "data"
    assert "not in" in desktop.status(PROGRAM, data, environment)[0]
    desktop.install(PROGRAM, data, environment)
    desktop.install(PROGRAM, data, environment)
    assert "under Open With" in desktop.status(PROGRAM, data, environment)[0]
    assert "renews" in desktop.status(Path("/usr/bin/kith"), data, environment)[0]
    desktop.uninstall(data, environment)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "Nothing of Kith's" in desktop.uninstall(data, environment)[0]


def test_a_folder_that_cant_be_written_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / ".local").write_text("in the way")
    with pytest.raises(errors.NotWritten, match="applications"):
        desktop.install(PROGRAM, tmp_path / "data", environment)


def test_the_script_gives_the_batch_queue_its_photo_unchanged_and_asks_kith(tmp_path: Path) -> None:
    program = tmp_path / "a kith"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\nexit 1\n')
    program.chmod(0o755)
    desktop.install(program, tmp_path / "my data", {"HOME": str(tmp_path), "PATH": "/nonexistent"})
    photo, result = tmp_path / "a photo.jpg", tmp_path / "out put.jpg"
    photo.write_bytes(b"pixels")
    # as digiKam does it: both in double quotes, run by /bin/sh
    line = desktop.queue_line(tmp_path / "my data").replace("$INPUT", f'"{photo}"').replace("$OUTPUT", f'"{result}"')
    assert subprocess.run(["/bin/sh", "-c", line], check=False, timeout=30).returncode == 0
    assert result.read_bytes() == b"pixels"
    assert (tmp_path / "asked").read_text().split("\n")[:4] == ["digikam", "find", "--queue", "--"]


def test_settings_that_keep_names_apart_are_named_in_digikams_words() -> None:
    assert metadata.advice({"Metadata Settings": GOOD}) == []
    told = " ".join(map(str, metadata.advice({})))
    for label in ("Read from sidecar files", "Rescan file when files are modified", "Face Tags (including face areas)"):
        assert label in told
    for change, label in (
        ({"Use Compatible File Name": "true"}, "compatible with commercial programs"),
        ({"Clear Metadata If Rescan": "true"}, "Clean up the metadata from the database"),
        ({"Use Lazy Synchronization": "true"}, "Use lazy synchronization"),
        ({"Metadata Writing Mode": "0"}, "Write to sidecar files"),
    ):
        (only,) = metadata.advice({"Metadata Settings": GOOD | change})
        assert label in str(only)


def test_settings_are_only_read(tmp_path: Path) -> None:
    file = tmp_path / ".config" / "digikamrc"
    file.parent.mkdir()
    file.write_text("[Metadata Settings]\nUse XMP Sidecar For Reading=false\n")
    before = file.stat().st_mtime_ns, file.read_bytes()
    assert any("Read from sidecar files" in sentence for sentence in metadata.advised(tmp_path, {}))
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
    assert "no digiKam" in metadata.advised(tmp_path / "nobody", {})[0]


def test_without_a_desktop_nobody_is_notified_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert not telling.notify("Anna's & <b>Otto's</b>")
