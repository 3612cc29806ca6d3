"""The main job with the real command, real models and real exiftool: photos in, names beside them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

import drawn
from desk import Desk, exiftool, regions
from libraries import Libraries

pytestmark = pytest.mark.usefixtures("exiftool")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Desk:
    """A desk in front of sixteen drawn photos in all orientations that were scanned."""
    home = tmp_path_factory.mktemp("desk")
    desk = libraries.empty(home)
    drawn_on = drawn.holiday(home / "photos", 16)
    assert desk.json("scan", home / "photos")["analysed"] == 16
    assert desk.json("status")["faces"] == sum(map(len, drawn_on.values()))
    return desk


def photos(desk: Desk) -> list[Path]:
    return sorted((desk.home / "photos").rglob("*.jpg"))


def sidecars(desk: Desk) -> dict[Path, tuple[int, bytes]]:
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (desk.home / "photos").rglob("*.xmp")}


def test_before_anybody_is_named_nothing_is_written(desk: Desk) -> None:
    assert sidecars(desk) == {}


def test_names_land_on_the_right_face_in_all_eight_orientations(desk: Desk) -> None:
    before = {photo: hashlib.sha256(photo.read_bytes()).digest() for photo in photos(desk)}
    wanted = {}
    for photo in photos(desk)[:8]:
        found = desk.faces(photo)
        for number, face in enumerate(found):
            desk.kith("name", face["id"], f"Person {number} of {photo.stem}")
            wanted[f"Person {number} of {photo.stem}"] = (photo, face["box"])
    read = exiftool(desk.home / "photos", "xmp")
    turned = {photo: entry["Orientation"] for photo, entry in exiftool(desk.home / "photos", "jpg").items()}
    written = {}
    for sidecar, meta in read.items():
        photo = sidecar.removesuffix(".xmp")
        for name, x, y in regions(meta, turned[photo]):
            written[name] = (Path(photo), x, y)
            assert name in meta["PersonInImage"]
            assert f"People|{name}" in meta["HierarchicalSubject"]
            assert f"People/{name}" in meta["TagsList"]
            assert name in meta["Subject"]
    assert {turned[str(photo)] for photo, *_ in written.values()} == set(range(1, 9))
    for name, (photo, box) in wanted.items():
        at, x, y = written[name]
        assert at == photo
        assert abs(x - box["x"]) < 0.002
        assert abs(y - box["y"]) < 0.002
    assert {photo: hashlib.sha256(photo.read_bytes()).digest() for photo in photos(desk)} == before


def test_a_second_run_analyses_and_writes_nothing(desk: Desk) -> None:
    before = sidecars(desk)
    summary = desk.json("scan", desk.home / "photos")
    assert (summary["analysed"], summary["written"], summary["changed"]) == (0, 0, 0)
    assert sidecars(desk) == before


def test_a_rejected_name_goes_from_the_sidecar_and_does_not_come_back(desk: Desk) -> None:
    photo = photos(desk)[9]
    face = desk.faces(photo)[0]
    desk.kith("name", face["id"], "Mistaken")
    sidecar = photo.with_name(photo.name + ".xmp")
    assert "Mistaken" in sidecar.read_text()
    desk.kith("reject", face["id"])
    assert "Mistaken" not in sidecar.read_text()
    desk.kith("scan", desk.home / "photos")
    again = next(f for f in desk.faces(photo) if f["id"] == face["id"])
    assert again["person"] is None
    assert again["suggestion"] is None or again["suggestion"]["person"]["name"] != "Mistaken"


def test_what_another_program_wrote_into_the_sidecar_stays(desk: Desk) -> None:
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n")
    photo = photos(desk)[10]
    sidecar = photo.with_name(photo.name + ".xmp")
    sidecar.write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" '
        'xmlns:darktable="http://darktable.sf.net/" darktable:history_end="7"/></rdf:RDF></x:xmpmeta>'
    )
    face = desk.faces(photo)[0]
    desk.kith("name", face["id"], "Zoë Müller")
    text = sidecar.read_text()
    assert 'xmp:Rating="4"' in text
    assert 'darktable:history_end="7"' in text
    meta = exiftool(sidecar, "xmp")[str(sidecar)]
    assert "Zoë Müller" in [name for name, *_ in regions(meta, 1)]


def test_a_moved_photo_is_not_analysed_again_and_keeps_its_names(desk: Desk) -> None:
    photo = photos(desk)[0]
    names = [face["person"]["name"] for face in desk.faces(photo)]
    moved = desk.home / "photos" / "sorted" / "renamed.jpg"
    moved.parent.mkdir()
    photo.rename(moved)
    photo.with_name(photo.name + ".xmp").rename(moved.with_name("renamed.jpg.xmp"))
    assert desk.json("scan", desk.home / "photos")["analysed"] == 0
    assert [face["person"]["name"] for face in desk.faces(moved)] == names


def test_deleting_the_cache_is_safe(desk: Desk) -> None:
    before = desk.json("people")
    shutil.rmtree(desk.home / "cache", ignore_errors=True)
    assert desk.json("scan", desk.home / "photos")["analysed"] == 0
    assert desk.json("people") == before


def test_json_has_the_promised_shapes(desk: Desk) -> None:
    photo = photos(desk)[3]
    face = desk.faces(photo)[0]
    assert set(face) == {"id", "box", "score", "quality", "state", "person", "suggestion", "group", "dispute"}
    assert set(face["box"]) == {"x", "y", "w", "h"}
    assert {"id", "name", "faces", "photos", "born", "hidden", "feature"} == set(desk.json("people")[0])
    for group in desk.json("groups"):
        assert {"id", "size", "faces"} <= set(group)
        assert {"id", "photo", "box"} == set(group["faces"][0])
        assert group["size"] == len(group["faces"])
    keys = {"photos", "analysed", "pending", "faces", "people", "groups", "disputes", "trouble", "pack"}
    assert set(desk.json("status")) == keys
    assert json.dumps(desk.json("trouble")) == "[]"


def test_faces_can_be_looked_at(desk: Desk, tmp_path: Path) -> None:
    face = desk.faces(photos(desk)[3])[0]
    desk.kith("show", face["id"], "-o", tmp_path / "face.png")
    assert (tmp_path / "face.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("name", "x1", "Anna"), 2, "neither a face"),
        (("name", "f999999", "Anna"), 1, "no face f999999"),
        (("confirm", "g999999"), 1, "no open group"),
        (("faces", "/nowhere.jpg"), 1, "kith scan"),
        (("scan", "/nowhere"), 2, "not a folder"),
    ],
)
def test_a_wrong_word_is_answered_with_what_to_do(desk: Desk, words: tuple[str, ...], code: int, told: str) -> None:
    done = desk.run(*words)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
