"""What Kith wrote can be taken back to the byte, and sick sidecars are found."""

from __future__ import annotations

from pathlib import Path

import pytest

import drawn
from desk import Desk
from packs import make_test_pack

FOREIGN = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture
def desk(tmp_path: Path, shared: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.kith("models", "install", "--from", make_test_pack(shared, tmp_path / "pack"))
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    return desk


def test_undoing_sidecars_gives_back_every_byte_and_leaves_later_changes_alone(desk: Desk) -> None:
    folder = desk.home / "photos"
    for i, name in enumerate(("made", "foreign", "changed")):
        drawn.save(drawn.photo(["Anna"], seed=i), folder / f"{name}.jpg")
    (folder / "foreign.jpg.xmp").write_text(FOREIGN)
    desk.kith("scan", folder)
    for photo in folder.glob("*.jpg"):
        desk.kith("name", desk.faces(photo)[0]["id"], "Anna")
    assert "Anna" in (folder / "foreign.jpg.xmp").read_text()
    changed = (folder / "changed.jpg.xmp").read_text() + "<!-- mine -->"
    (folder / "changed.jpg.xmp").write_text(changed)
    done = desk.run("undo", "--sidecars")
    assert "1 sidecar restored, 1 removed, 1 left alone" in done.stdout
    assert "changed.jpg.xmp" in done.stderr
    assert (folder / "foreign.jpg.xmp").read_text() == FOREIGN
    assert not (folder / "made.jpg.xmp").exists()
    assert (folder / "changed.jpg.xmp").read_text() == changed
    assert desk.json("people")[0]["faces"] == 3
    assert desk.json("scan", folder)["written"] >= 2
    assert "Anna" in (folder / "made.jpg.xmp").read_text()


def test_where_writing_is_off_other_programs_are_heard_and_nothing_is_written(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), desk.home / "photos" / "a.jpg")
    sidecar = photo.with_name("a.jpg.xmp")
    sidecar.write_text(FOREIGN)
    desk.kith("scan", photo.parent)
    desk.kith("name", desk.faces(photo)[0]["id"], "Anna")
    desk.kith("undo", "--sidecars")
    desk.configure("[sidecars]\nwrite = false\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    assert desk.json("scan", photo.parent)["written"] == 0
    assert sidecar.read_text() == FOREIGN
    region = (
        "<r:Regions xmlns:r='http://www.metadataworkinggroup.com/schemas/regions/'"
        " xmlns:a='http://ns.adobe.com/xmp/sType/Area#' rdf:parseType='Resource'><r:RegionList><rdf:Bag>"
        "<rdf:li rdf:parseType='Resource'><r:Name>Otto</r:Name><r:Type>Face</r:Type>"
        "<r:Area a:x='0.06' a:y='0.9' a:w='0.08' a:h='0.12' a:unit='normalized'/></rdf:li>"
        "</rdf:Bag></r:RegionList></r:Regions>"
    )
    named = FOREIGN.replace("/></rdf:RDF>", f">{region}</rdf:Description></rdf:RDF>")
    sidecar.write_text(named)
    desk.kith("scan", photo.parent)
    assert [face["person"]["name"] for face in desk.faces(photo)] == ["Otto", "Anna"]
    assert sidecar.read_text() == named


def test_the_doctor_finds_what_blocks_darktable_what_is_broken_and_what_contradicts(desk: Desk) -> None:
    folder = desk.home / "photos"
    drawn.save(drawn.photo(["Anna"]), folder / "two.jpg")
    (folder / "two.jpg.xmp").write_text(FOREIGN)
    (folder / "two.xmp").write_text(FOREIGN)
    (folder / "broken.jpg.xmp").write_text(FOREIGN[:100])
    items = "<rdf:li rdf:parseType='Resource'><a:n xmlns:a='urn:a'>1</a:n></rdf:li>" * 10
    regions = f"<b:many xmlns:b='urn:b'><rdf:Bag>{items}</rdf:Bag></b:many>"
    (folder / "ten.jpg.xmp").write_text(FOREIGN.replace("/></rdf:RDF>", f">{regions}</rdf:Description></rdf:RDF>"))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    told = desk.kith("doctor", folder).splitlines()
    assert len(told) == 3
    assert any("ten.jpg.xmp" in line and "darktable" in line for line in told)
    assert any("broken.jpg.xmp" in line and "can't be read" in line for line in told)
    assert any("two.jpg.xmp and two.xmp" in line for line in told)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
