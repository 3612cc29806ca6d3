"""What Kith wrote can be taken back to the byte, and sick sidecars are found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import drawn
from desk import Desk
from libraries import Libraries

FOREIGN = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture
def desk(tmp_path: Path, libraries: Libraries) -> Desk:
    desk = libraries.empty(tmp_path)
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    return desk


def test_undoing_sidecars_gives_back_every_byte_and_keeps_what_others_wrote_since(desk: Desk) -> None:
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
    assert "1 sidecar restored, 1 removed, 1 without Kith's names" in done.stdout
    assert (folder / "foreign.jpg.xmp").read_text() == FOREIGN
    assert not (folder / "made.jpg.xmp").exists()
    left = (folder / "changed.jpg.xmp").read_text()
    assert "<!-- mine -->" in left
    assert "Anna" not in left
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


def test_a_change_by_another_program_that_kith_merged_outlives_undoing(desk: Desk) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), desk.home / "photos" / "a.jpg")
    sidecar = photo.with_name("a.jpg.xmp")
    sidecar.write_text(FOREIGN)
    desk.kith("scan", photo.parent)
    desk.kith("name", desk.faces(photo)[0]["id"], "Anna")
    sidecar.write_text(sidecar.read_text().replace('Rating="4"', 'Rating="5"'))
    desk.kith("name", desk.faces(photo)[0]["id"], "Bertha")
    assert "Bertha" in sidecar.read_text()
    assert "1 without Kith's names" in desk.kith("undo", "--sidecars")
    left = sidecar.read_text()
    assert 'Rating="5"' in left
    assert "Anna" not in left
    assert "Bertha" not in left


def test_the_doctor_mends_what_is_safe_shows_it_first_and_can_be_undone(desk: Desk) -> None:
    folder = desk.home / "photos"
    derived = (
        "<m:DerivedFrom xmlns:m='http://ns.adobe.com/xap/1.0/mm/' rdf:parseType='Resource'>"
        "<s:documentID xmlns:s='http://ns.adobe.com/xap/1.0/sType/ResourceRef#'>1</s:documentID></m:DerivedFrom>"
    )
    people = (
        "<i:PersonInImage xmlns:i='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'><rdf:Bag><rdf:li>{}</rdf:li></rdf:Bag>"
        "</i:PersonInImage><d:subject xmlns:d='http://purl.org/dc/elements/1.1/'><rdf:Bag><rdf:li>{}</rdf:li>"
        "<rdf:li>sea</rdf:li></rdf:Bag></d:subject>"
    )
    texts = {
        "a.jpg.xmp": people.format("Zo\u00eb", "Zo\u00eb"),
        "b.jpg.xmp": people.format("Zo\u00eb", "Zo\u00eb"),
        "c.jpg.xmp": people.format("ZOE\u0308", "zoe\u0308"),
        "derived.jpg.xmp": derived,
    }
    folder.mkdir(parents=True)
    for name, inner in texts.items():
        whole = FOREIGN.replace("/></rdf:RDF>", f">{inner}</rdf:Description></rdf:RDF>")
        (folder / name).write_text(whole, encoding="utf-8")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert "2 sidecars of these can be mended" in desk.kith("doctor", folder)
    words = desk.command("doctor", "--fix", folder)
    refused = subprocess.run(words, env=desk.environment, input="n\n", stdout=subprocess.PIPE, text=True, check=True)
    assert "Nothing was changed" in refused.stdout
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    told = desk.kith("doctor", "--fix", "--yes", folder)
    assert any(line.startswith("-") and "DerivedFrom" in line for line in told.splitlines())
    assert "DerivedFrom" not in (folder / "derived.jpg.xmp").read_text()
    assert (folder / "c.jpg.xmp").read_text().count("Zo\u00eb") == 2
    assert "sea" in (folder / "c.jpg.xmp").read_text()
    assert desk.kith("doctor", folder) == "All sidecars are well.\n"
    desk.kith("undo", "--sidecars")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_doctor_says_whom_only_the_unused_sidecar_names_and_which_regions_are_stale(desk: Desk) -> None:
    folder = desk.home / "photos"
    drawn.save(drawn.photo(["Anna"]), folder / "two.jpg")
    person = (
        "<i:PersonInImage xmlns:i='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'><rdf:Bag><rdf:li>Otto</rdf:li></rdf:Bag>"
        "</i:PersonInImage>"
    )
    stale = (
        "<r:Regions xmlns:r='http://www.metadataworkinggroup.com/schemas/regions/'"
        " xmlns:a='http://ns.adobe.com/xmp/sType/Area#' xmlns:d='http://ns.adobe.com/xap/1.0/sType/Dimensions#'"
        " rdf:parseType='Resource'><r:AppliedToDimensions d:w='100' d:h='100' d:unit='pixel'/><r:RegionList><rdf:Bag>"
        "<rdf:li rdf:parseType='Resource'><r:Name>Eva</r:Name><r:Type>Face</r:Type>"
        "<r:Area a:x='0.06' a:y='0.9' a:w='0.08' a:h='0.12' a:unit='normalized'/></rdf:li>"
        "</rdf:Bag></r:RegionList></r:Regions>"
    )
    for name, inner in (("two.jpg.xmp", stale), ("two.xmp", person)):
        (folder / name).write_text(FOREIGN.replace("/></rdf:RDF>", f">{inner}</rdf:Description></rdf:RDF>"))
    told = desk.kith("doctor", folder)
    assert "Only two.xmp names Otto." in told
    assert "another crop" in told
    assert "None of this can be mended" in desk.kith("doctor", "--fix", folder)
