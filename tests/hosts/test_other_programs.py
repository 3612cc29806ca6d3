"""What other programs say in sidecars arrives as answers: written by the real exiftool, read by the real `kith`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import drawn
from desk import Desk, exiftool, regions
from libraries import Libraries

pytestmark = pytest.mark.usefixtures("exiftool")


@pytest.fixture
def desk(tmp_path: Path, libraries: Libraries) -> Desk:
    desk = libraries.empty(tmp_path)
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    return desk


def say(sidecar: Path, *named: tuple[str, dict[str, float]]) -> None:
    """Let exiftool write a sidecar with exactly these regions; boxes as fractions of the stored frame."""
    listed = ",".join(
        f"{{Area={{X={b['x']},Y={b['y']},W={b['w']},H={b['h']},Unit=normalized}},Name={name},Type=Face}}"
        for name, b in named
    )
    info = f"{{AppliedToDimensions={{W=1500,H=1000,Unit=pixel}},RegionList=[{listed}]}}"
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", f"-XMP-mwg-rs:RegionInfo={info}", str(sidecar)], check=True
    )


def who(desk: Desk, photo: Path) -> list[str | None]:
    return [face["person"]["name"] if face["person"] else None for face in desk.faces(photo)]


def boxes(desk: Desk, photo: Path) -> list[dict[str, float]]:
    return [face["box"] for face in desk.faces(photo)]


def test_a_name_given_elsewhere_lands_on_the_face_that_kith_found(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna", "Otto"]), desk.home / "photos" / "a.jpg")
    desk.kith("scan", photo.parent)
    left, _ = boxes(desk, photo)
    say(photo.with_name("a.jpg.xmp"), ("Anna Freud", left))
    desk.kith("scan", photo.parent)
    assert who(desk, photo) == ["Anna Freud", None]
    assert [(p["name"], p["faces"]) for p in desk.json("people")] == [("Anna Freud", 1)]


def test_a_sidecar_that_was_there_first_gives_the_same(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna", "Otto"]), desk.home / "photos" / "a.jpg")
    say(photo.with_name("a.jpg.xmp"), ("Anna Freud", {"x": 0.25, "y": 0.45, "w": 0.17, "h": 0.3}))
    before = photo.with_name("a.jpg.xmp").read_bytes()
    desk.kith("scan", photo.parent)
    assert who(desk, photo) == ["Anna Freud", None]
    assert desk.json("scan", photo.parent)["written"] == 0
    kept = exiftool(photo.parent, "xmp")[str(photo.with_name("a.jpg.xmp"))]
    assert [name for name, *_ in regions(kept, 1)] == ["Anna Freud"]
    assert b"Anna Freud" in before


def test_a_face_that_no_detector_sees_is_taken_from_its_box_and_embedded(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), desk.home / "photos" / "a.jpg")
    desk.kith("scan", photo.parent)
    corner = {"x": 0.06, "y": 0.9, "w": 0.08, "h": 0.12}
    say(photo.with_name("a.jpg.xmp"), ("Somebody's Back", corner))
    desk.kith("scan", photo.parent)
    assert who(desk, photo) == ["Somebody's Back", None]
    assert boxes(desk, photo)[0] == pytest.approx(corner, abs=0.001)
    desk.kith("show", desk.faces(photo)[0]["id"], "-o", desk.home / "face.png")
    again = desk.json("scan", photo.parent)
    assert (again["analysed"], again["written"]) == (0, 0)


def test_a_later_rename_or_move_elsewhere_is_followed(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), desk.home / "photos" / "a.jpg")
    desk.kith("scan", photo.parent)
    desk.kith("name", desk.faces(photo)[0]["id"], "Ana")
    box = boxes(desk, photo)[0]
    sidecar = photo.with_name("a.jpg.xmp")
    say(sidecar, ("Anna", box))
    desk.kith("scan", photo.parent)
    assert who(desk, photo) == ["Anna"]
    moved = box | {"x": box["x"] + 0.02, "w": box["w"] * 1.1}
    say(sidecar, ("Anna", moved))
    desk.kith("scan", photo.parent)
    assert boxes(desk, photo) == [pytest.approx(moved, abs=0.001)]
    text = sidecar.read_bytes()
    assert desk.json("scan", photo.parent)["written"] == 0
    assert sidecar.read_bytes() == text


def test_a_name_that_a_person_gave_and_another_program_dropped_is_written_once_more(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), desk.home / "photos" / "a.jpg")
    desk.kith("scan", photo.parent)
    desk.kith("name", desk.faces(photo)[0]["id"], "Anna")
    sidecar = photo.with_name("a.jpg.xmp")
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-mwg-rs:RegionInfo=", str(sidecar)], check=True)
    assert "Anna" in sidecar.read_text()
    desk.kith("scan", photo.parent)
    assert who(desk, photo) == ["Anna"]
    assert [name for name, *_ in regions(exiftool(sidecar, "xmp")[str(sidecar)], 1)] == ["Anna"]


def embedded(shared: Path, name: str) -> Path:
    return shared / "corpus" / "immich" / "metadata" / "faces" / name


@pytest.mark.parametrize("name", ["portrait.jpg", "portrait-orientation-6.jpg"])
def test_names_inside_a_photo_arrive_and_make_no_sidecar(desk: Desk, shared: Path, name: str) -> None:
    folder = desk.home / "photos"
    folder.mkdir()
    shutil.copyfile(embedded(shared, name), folder / name)
    wanted = exiftool(folder, "jpg")[str(folder / name)]
    desk.kith("scan", folder)
    named = {face["person"]["name"]: face["box"] for face in desk.faces(folder / name) if face["person"]}
    turned: list[tuple[str, Any, Any]] = regions(wanted, wanted.get("Orientation", 1))
    assert set(named) == {region for region, *_ in turned} == {"Marie Curie", "Pierre Curie"}
    for region, x, y in turned:
        assert abs(named[region]["x"] - x) < 0.03
        assert abs(named[region]["y"] - y) < 0.03
    assert list(folder.glob("*.xmp")) == []


def present(desk: Desk, photo: Path) -> list[str]:
    return [person["name"] for person in desk.json("faces", photo)["present"]]


def test_people_without_a_box_are_on_the_photo(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), desk.home / "photos" / "a.jpg")
    other = drawn.save(drawn.photo(["Otto"], seed=1), desk.home / "photos" / "b.jpg")
    sidecar = photo.with_name("a.jpg.xmp")
    words = ["-XMP-iptcExt:PersonInImage=Eva", "-XMP-digiKam:TagsList=People/Ida", "-XMP-dc:Subject=sea"]
    subprocess.run(["exiftool", "-q", *words, str(sidecar)], check=True)
    desk.kith("scan", photo.parent)
    assert present(desk, photo) == ["Eva", "Ida"]
    subprocess.run(["exiftool", "-q", "-XMP-dc:Subject=eva", str(other.with_name("b.jpg.xmp"))], check=True)
    desk.kith("scan", photo.parent)
    assert present(desk, other) == ["Eva"]
    assert {person["name"]: person["photos"] for person in desk.json("people")} == {"Eva": 2, "Ida": 1}


def test_picasas_names_arrive_and_its_later_changes_too(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna", "Otto"]), desk.home / "photos" / "a.jpg")
    desk.kith("scan", photo.parent)
    left = boxes(desk, photo)[0]
    corners = (
        left["x"] - left["w"] / 2,
        left["y"] - left["h"] / 2,
        left["x"] + left["w"] / 2,
        left["y"] + left["h"] / 2,
    )
    rect = "".join(f"{round(c * 65535):04x}" for c in corners)

    def picasa(name: str) -> None:
        ini = f"[Contacts2]\n1234567890abcdef={name};;\n[a.jpg]\nfaces=rect64({rect}),1234567890abcdef\n"
        (photo.parent / ".picasa.ini").write_text(ini)

    picasa("Anna Freud")
    assert desk.json("scan", photo.parent)["written"] == 1
    assert who(desk, photo) == ["Anna Freud", None]
    assert [name for name, *_ in regions(exiftool(photo.parent, "xmp")[f"{photo}.xmp"], 1)] == ["Anna Freud"]
    desk.kith("name", desk.faces(photo)[0]["id"], "Anna")
    again = desk.json("scan", photo.parent)
    assert (who(desk, photo), again["written"]) == (["Anna", None], 0)
    picasa("Annie")
    desk.kith("scan", photo.parent)
    assert who(desk, photo) == ["Annie", None]


def test_a_name_taken_away_twice_is_disputed_until_somebody_says_who_is_right(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), desk.home / "photos" / "a.jpg")
    sidecar = photo.with_name("a.jpg.xmp")
    desk.kith("scan", photo.parent)
    face = desk.faces(photo)[0]["id"]
    desk.kith("name", face, "Anna")

    def drop() -> None:
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-mwg-rs:RegionInfo=", str(sidecar)], check=True)
        desk.kith("scan", photo.parent)

    def written() -> list[str]:
        return [name for name, *_ in regions(exiftool(photo.parent, "xmp")[str(sidecar)], 1)]

    drop()
    assert written() == ["Anna"]
    drop()
    assert written() == []
    assert [f["id"] for f in desk.json("disputes")["faces"]] == [face]
    assert "taken away" in desk.kith("faces", photo)
    desk.kith("confirm", face)
    assert written() == ["Anna"]
    assert desk.json("disputes") == {"faces": [], "present": []}
