"""One bad file never stops the rest: each ends as trouble with a code and a sentence, and nothing is written."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

import drawn
from desk import Desk
from kith import config
from kith.catalogue import trouble
from kith.service import packs, stages
from kith.service.app import opened
from kith.service.reports import Silent
from libraries import Libraries

AS_ORDINARY_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


def png_bomb(side: int) -> bytes:
    """A small PNG that unfolds to `side` by `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(b"\0" * (1 + side // 8)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.fixture
def desk(tmp_path: Path, libraries: Libraries) -> Desk:
    return libraries.empty(tmp_path)


def test_every_kind_of_bad_file_is_told_and_the_good_ones_are_analysed(desk: Desk) -> None:
    folder = desk.home / "photos"
    good = drawn.save(drawn.photo(["Anna", "Otto"]), folder / "good.jpg").read_bytes()
    bad = {
        "empty.jpg": b"",
        "cut short.jpg": good[: len(good) // 2],
        "no picture.jpg": b"Dear diary, " * 1000,
        "noise.heic": os.urandom(5000),
        "noise.cr2": os.urandom(5000),
        "broken head.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        "bomb.png": png_bomb(60_000),
        "half a tiff.tif": b"II*\0" + os.urandom(100),
    }
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    (folder / "self.jpg").symlink_to(folder / "self.jpg")
    (folder / "up").symlink_to(folder)
    (folder / "nowhere.jpg").symlink_to(folder / "nothing")
    odd = {"line\nbreak.jpg", "smile 😀.jpg", os.fsdecode(b"not utf-8 \xff\xfe.jpg"), " blank .jpg", "-rf.jpg"}
    for i, name in enumerate(odd):
        drawn.save(drawn.photo(["Clara"], seed=i), folder / name)
    drawn.photo(["Bruno"]).save(folder / "really a png.jpg", "PNG")

    summary = desk.json("scan", folder)
    codes = {Path(entry["path"]).name: entry["code"] for entry in desk.json("trouble")}
    assert summary["analysed"] == 2 + len(odd)
    assert codes == dict.fromkeys(bad, "photo-unreadable") | {
        "bomb.png": "photo-too-large",
        "self.jpg": "symlink-loop",
        "up": "symlink-loop",
        "nowhere.jpg": "file-vanished",
    }
    assert list(folder.rglob("*.xmp")) == []
    for entry in desk.json("trouble"):
        assert Path(entry["path"]).name in entry["message"]
        assert entry["message"].isprintable()
    for name in odd:
        assert len(desk.faces(folder / name)) == 1
    again = desk.json("scan", folder)
    assert (again["analysed"], again["troubled"]) == (0, len(codes))
    (folder / "empty.jpg").write_bytes(good)
    (folder / "up").unlink()
    assert desk.json("scan", folder)["analysed"] == 1
    assert {Path(entry["path"]).name for entry in desk.json("trouble")} == set(codes) - {"empty.jpg", "up"}


def test_a_name_can_be_written_beside_a_file_of_any_name(desk: Desk) -> None:
    folder = desk.home / "photos"
    odd = ["line\nbreak.jpg", "smile 😀.jpg", os.fsdecode(b"not utf-8 \xff\xfe.jpg")]
    for i, name in enumerate(odd):
        drawn.save(drawn.photo(["Clara"], seed=i), folder / name)
    desk.kith("scan", folder)
    for name in odd:
        desk.kith("name", desk.faces(folder / name)[0]["id"], "Clara")
        assert "Clara" in (folder / f"{name}.xmp").read_text()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_what_may_not_be_read_or_written_is_told_and_tried_later(desk: Desk) -> None:
    folder = desk.home / "photos"
    drawn.save(drawn.photo(["Anna"]), folder / "open.jpg")
    drawn.save(drawn.photo(["Otto"]), folder / "closed.jpg").chmod(0)
    shut = drawn.save(drawn.photo(["Clara"]), folder / "shut" / "in.jpg").parent
    shut.chmod(0)

    def run(*words: str | Path) -> None:
        command = [*(AS_ORDINARY_USER if os.getuid() == 0 else ()), *desk.command(*words)]
        subprocess.run(command, env=desk.environment, check=True, capture_output=True, timeout=300)

    run("scan", folder)
    codes = {Path(entry["path"]).name: entry["code"] for entry in desk.json("trouble")}
    assert codes == {"closed.jpg": "permission-denied", "shut": "permission-denied"}
    folder.chmod(0o555)
    run("name", desk.faces(folder / "open.jpg")[0]["id"], "Anna")
    assert {entry["stage"] for entry in desk.json("trouble")} == {"look", "sidecar"}
    assert not (folder / "open.jpg.xmp").exists()
    folder.chmod(0o755)
    (folder / "closed.jpg").chmod(0o644)
    shut.chmod(0o755)
    assert desk.json("scan", folder)["analysed"] == 2


def test_a_photo_that_vanishes_before_its_turn_is_told_and_the_rest_goes_on(
    tmp_path: Path, libraries: Libraries
) -> None:
    places = libraries.within(tmp_path)
    for i in range(3):
        drawn.save(drawn.photo(["Anna"], seed=i), tmp_path / "photos" / f"{i}.jpg")
    with opened(places, config.load()) as app:
        stages.look(app, [tmp_path / "photos"], Silent())
        (tmp_path / "photos" / "1.jpg").unlink()
        _, analysed = stages.analyse(app, packs.load(app), Silent())
        assert analysed == 2
        assert [t.code for t in app.catalogue.read(trouble.all_of)] == ["file-vanished"]
        stages.look(app, [tmp_path / "photos"], Silent())
        assert app.catalogue.read(trouble.all_of) == []
