"""What Kith did not write comes out as it went in, and what it wrote is read by the programs photographers use."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pyexiv2
import pytest
from lxml import etree
from PIL import Image

from corpus import ALL, NAME, add_one, exiftool, exiv2, graph, packets, without_ours
from kith_xmp.doctor import examine
from kith_xmp.embedded import embedded_packet, frame, legacy
from kith_xmp.merge import Base, Changes, Face, ListChanges, StringChanges, Wanted, merge
from kith_xmp.packet import Unreadable, array, parse
from kith_xmp.read import read
from kith_xmp.regions import Frame, Region, displayed
from kith_xmp.schema import GUESSES, REGION_INFO, tag
from kith_xmp.seed import Legacy, seed
from kith_xmp.settings import Settings
from kith_xmp.write import write

FRAME = Frame(4000, 3000, 6)


def corpus(shared: Path) -> dict[str, tuple[bytes, Frame]]:
    found = packets(shared / "corpus")
    assert len(found) > 50
    return found


def new(*faces: Face, settings: Settings = ALL, photo: Frame = FRAME) -> bytes:
    merged = merge(Base(), Wanted(faces), read(seed(None), photo), settings)
    return write(seed(None), merged.changes, photo) or b""


def test_nothing_to_say_writes_nothing(shared: Path) -> None:
    """Rule 22, over the corpus."""
    for data, photo in corpus(shared).values():
        try:
            found = read(data, photo)
        except Unreadable:
            continue
        merged = merge(Base(), Wanted(), found)
        assert not merged.changes
        assert write(data, merged.changes, photo) is None
        took_over = Wanted(tuple(Face(r.name, *r.box, id=i) for i, r in enumerate(found.regions)), found.people)
        for base in (Base(), merged.base):
            assert write(data, merge(base, took_over, found).changes, photo) is None


def test_one_more_face_leaves_everything_else_as_it_was(shared: Path) -> None:
    """Rules 16, 20: the same RDF graph without ours, and no byte of the old file is lost.

    ACDSee keeps a whole document in one property, which is written anew.
    """
    seen = 0
    for name, (data, photo) in corpus(shared).items():
        try:
            written, merged = add_one(data, photo)
        except Unreadable:
            continue
        assert merged.changes, name
        assert graph(parse(data).rdf) == graph(without_ours(written, data)), name
        if not parse(data).has(tag("acdsee:categories")):
            rest = iter(written)
            assert all(byte in rest for byte in data), name
        assert NAME in read(written, photo).names
        assert not merge(merged.base, Wanted((Face(NAME, 0.97, 0.03, 0.05, 0.05),)), read(written, photo), ALL).changes
        seen += 1
    assert seen > 50


def test_taking_the_face_back_leaves_the_rdf_as_it_was(shared: Path) -> None:
    """Rules 19, 20: only strings and regions that we added are removed."""
    for name, (data, photo) in corpus(shared).items():
        try:
            written, merged = add_one(data, photo, guess=True)
        except Unreadable:
            continue
        back = merge(merged.base, Wanted(), read(written, photo, ALL), ALL)
        after = read(write(written, back.changes, photo) or b"", photo, ALL)
        before = read(data, photo, ALL)
        assert after.regions == before.regions, name
        assert after.names == before.names, name
        assert {k: v for k, v in after.lists.items() if k in before.lists} == dict(before.lists), name
        assert after.guesses == (), name


def test_all_programs_read_a_new_sidecar_alike(tmp_path: Path) -> None:
    """Rules 15, 18, 19, 27: stored fractions, six decimals or more, a point; names in every list."""
    path = tmp_path / "a.jpg.xmp"
    path.write_bytes(
        new(
            Face("Marie Curie", 0.25, 0.5, 0.1, 0.2),
            Face("AC/DC | Co", 0.75, 0.5, 0.1, 0.2, guess=True),
            settings=Settings(microsoft=True),
        )
    )
    entry = exiftool(path)["a.jpg.xmp"]
    info = entry["RegionInfo"]
    assert info["AppliedToDimensions"] == {"W": 4000, "H": 3000, "Unit": "pixel"}  # type: ignore[index]
    marie = info["RegionList"][0]  # type: ignore[index]
    box = tuple(float(marie["Area"][k]) for k in "XYWH")
    assert displayed(box, 6) == pytest.approx((0.25, 0.5, 0.1, 0.2), abs=1e-3)
    assert marie["Area"]["Unit"] == "normalized"
    for side, pixels in ((0, 4000), (1, 3000)):
        edge = (box[side] - box[side + 2] / 2) * pixels
        assert edge == pytest.approx(round(edge), abs=1e-5)
    rectangle = [float(v) for v in entry["RegionInfoMP"]["Regions"][0]["Rectangle"].split(", ")]  # type: ignore[index]
    expected = (box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3])
    assert rectangle == pytest.approx(expected, abs=1e-8)
    assert entry["PersonInImage"] == ["Marie Curie", "AC/DC | Co"]
    assert entry["Subject"] == ["Marie Curie", "AC/DC | Co"]
    assert entry["HierarchicalSubject"] == ["People|Marie Curie", "People|AC\\DC ¦ Co"]
    assert entry["TagsList"] == ["People/Marie Curie", "People/AC\\DC ¦ Co"]
    assert entry["Guesses"] == "AC/DC | Co" or entry["Guesses"] == ["AC/DC | Co"]
    text = path.read_text()
    assert all(len(d) >= 6 for d in re.findall(r'stArea:[xywh]="0\.(\d+)"', text))
    assert "Rotation" not in text
    assert "tiff:Orientation" not in text
    assert "Xmp.digiKam.TagsList" in exiv2(path)


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_face_is_where_the_picture_shows_it(turn: int) -> None:
    """Rule 15: what is written in stored pixels is read back in displayed ones."""
    photo = Frame(4000, 3000, turn)
    data = new(Face("Marie", 0.3, 0.2, 0.1, 0.05), photo=photo)
    assert read(data, photo).regions[0].box == pytest.approx((0.3, 0.2, 0.1, 0.05), abs=5e-4)
    assert read(data, photo).regions[0].box == pytest.approx(
        displayed(read(data, Frame(4000, 3000, 1)).regions[0].box, turn)
    )


def test_a_new_sidecar_starts_from_the_embedded_packet() -> None:
    """Rule 14: but for what holds only inside the file; captions of IPTC and EXIF fill what is absent."""
    embedded = (
        '<?xpacket begin="\ufeff"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        'xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#" '
        'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" '
        'xmpNote:HasExtendedXMP="ABC" tiff:Orientation="6" tiff:Make="Nikon" crs:Exposure="+1" xmp:Rating="4">'
        '<xmpMM:DerivedFrom stRef:documentID="x"/></rdf:Description></rdf:RDF></x:xmpmeta>'
        + " " * 2000
        + '<?xpacket end="w"?>'
    ).encode()
    said = Legacy(("Paris", "Zoë"), "A caption", "A title", ("Ann",), "© Ann", 2)
    seeded = seed(embedded, said)
    packet = parse(seeded)
    assert packet.text(tag("tiff:Make")) == "Nikon"
    assert packet.text("{http://ns.adobe.com/camera-raw-settings/1.0/}Exposure") == "+1"
    for gone in ("tiff:Orientation", "xmpNote:HasExtendedXMP", "xmpMM:DerivedFrom"):
        assert not packet.has(tag(gone))
    assert packet.strings(tag("dc:subject")) == ("Paris", "Zoë")
    assert packet.text(tag("dc:description")) == "A caption"
    assert packet.text(tag("dc:title")) == "A title"
    assert packet.strings(tag("dc:creator")) == ("Ann",)
    assert packet.text(tag("dc:rights")) == "© Ann"
    assert packet.text(tag("xmp:Rating")) == "4"
    assert len(seeded) < len(embedded)
    struct, simple = b'<xmpMM:DerivedFrom stRef:documentID="x"/>', b"<xmpMM:DerivedFrom>a.cr2</xmpMM:DerivedFrom>"
    plain = embedded.replace(struct, simple)
    assert parse(seed(plain)).text(tag("xmpMM:DerivedFrom")) == "a.cr2"
    assert parse(seed(b"no packet", said)).strings(tag("dc:subject")) == ("Paris", "Zoë")


def test_seeds_of_the_corpus_keep_what_they_had(shared: Path) -> None:
    """Rule 14: the same graph but for the three properties."""
    for name, (data, _) in corpus(shared).items():
        try:
            packet = parse(data)
        except Unreadable:
            continue
        for dropped in ("tiff:Orientation", "xmpNote:HasExtendedXMP", "xmpMM:DerivedFrom"):
            element, holder = packet.element(tag(dropped)), packet.holder(tag(dropped))
            if element is not None and (dropped != "xmpMM:DerivedFrom" or len(element) or len(element.attrib)):
                element.getparent().remove(element)
            if holder is not None and dropped != "xmpMM:DerivedFrom":
                del holder.attrib[tag(dropped)]
        assert graph(packet.rdf) == graph(parse(seed(data)).rdf), name


def test_a_sidecar_is_created_only_where_there_is_somebody_to_name() -> None:
    """Rule 14, and somebody of whom it was said that they are there without a face."""
    start = read(seed(None), FRAME)
    for ours in (Wanted(), Wanted((Face(None, 0.5, 0.5, 0.1, 0.1),))):
        assert not merge(Base(), ours, start, ALL, creating=True).changes
    assert merge(Base(), Wanted((Face("Marie", 0.5, 0.5, 0.1, 0.1),)), start, ALL, creating=True).changes
    assert merge(Base(), Wanted((), ("Grandma",)), start, ALL, creating=True).changes


def test_no_sidecar_is_created_for_whom_the_photo_names_itself() -> None:
    said = merge(Base(), Wanted((), ("Grandma",)), read(seed(None), FRAME), ALL)
    photo = read(write(seed(None), said.changes, FRAME) or b"", FRAME)
    assert photo.people == ("Grandma",)
    assert not merge(Base(), Wanted((), ("Grandma",)), photo, ALL, creating=True).changes


def test_an_unnamed_face_is_written_only_by_choice() -> None:
    assert not new(Face(None, 0.5, 0.5, 0.1, 0.1))
    assert new(Face(None, 0.5, 0.5, 0.1, 0.1), settings=Settings(unnamed=True))


def test_at_most_nine_regions_but_all_names() -> None:
    """Rule 17: named and largest first; a list that has ten or more already takes any number."""
    faces = [Face(f"P{i}", 0.05 + 0.09 * i, 0.5, 0.05 + 0.001 * i, 0.05, id=i) for i in range(11)]
    unnamed = Face(None, 0.5, 0.1, 0.2, 0.2)
    data = new(unnamed, *faces, settings=Settings(unnamed=True))
    found = read(data, FRAME)
    assert found.mwg.size == 9
    assert {r.name for r in found.regions} == {f"P{i}" for i in range(2, 11)}
    assert set(found.lists["PersonInImage"]) == {f"P{i}" for i in range(11)}
    assert read(new(*faces), FRAME).mwg.size == 11
    more = merge(Base(), Wanted((Face("Marie", 0.5, 0.9, 0.1, 0.1),)), read(new(*faces), FRAME), Settings())
    assert len(more.changes.mwg.add) == 1
    full = merge(Base(), Wanted((Face("Marie", 0.5, 0.9, 0.1, 0.1),)), found, Settings())
    assert not full.changes.mwg
    assert full.changes.strings


def test_sidecars_that_block_darktable_are_named(shared: Path) -> None:
    """Rule 17: ten entries in any list of structures, or a structure in xmpMM:DerivedFrom."""
    faces = [Face(f"P{i}", 0.05 + 0.09 * i, 0.5, 0.05, 0.05, id=i) for i in range(10)]
    assert list(examine(new(*faces[:9]))) == []
    both = new(*faces, settings=Settings(max_regions=None, microsoft=True))
    assert [a.sentence.split()[0] for a in examine(both)] == ["mwg-rs:RegionList", "MPRI:Regions"]
    lightroom = shared / "corpus/pigallery2/test/backend/assets/sidecar/flatxmp.xmp"
    assert any("DerivedFrom" in a.sentence for a in examine(lightroom.read_bytes()))


def test_mp_regions_stay_in_step() -> None:
    """Rule 18: made only by choice, renamed and removed with ours."""
    face = Face("Marie", 0.5, 0.5, 0.1, 0.1)
    assert not parse(new(face)).has(REGION_INFO)
    with_mp = Settings(microsoft=True)
    first = merge(Base(), Wanted((face,)), read(seed(None), FRAME), with_mp)
    data = write(seed(None), first.changes, FRAME) or b""
    renamed = merge(first.base, Wanted((Face("Irène", 0.5, 0.5, 0.1, 0.1),)), read(data, FRAME))
    data = write(data, renamed.changes, FRAME) or b""
    found = read(data, FRAME)
    assert [r.name for r in found.microsoft.regions] == [r.name for r in found.mwg.regions] == ["Irène"]
    gone = merge(renamed.base, Wanted(), found)
    after = read(write(data, gone.changes, FRAME) or b"", FRAME)
    assert after.microsoft.size == after.mwg.size == 0


def test_creating_a_keyword_list_carries_all_keywords_over(tmp_path: Path) -> None:
    """Rule 19: programs read the first list they find."""
    start = seed(None, Legacy(subject=("Paris", "holiday")))
    data, _ = add_one(start, FRAME, Settings())
    path = tmp_path / "a.xmp"
    path.write_bytes(data)
    entry = exiftool(path)["a.xmp"]
    assert entry["HierarchicalSubject"][:2] == entry["TagsList"][:2] == ["Paris", "holiday"]  # type: ignore[index]
    lists = read(data, FRAME).lists
    assert "LastKeywordXMP" not in lists
    assert "CatalogSets" not in lists
    assert "categories" not in lists


def test_digikams_lists_are_kept_in_step_where_they_are(shared: Path) -> None:
    """Rule 19: LastKeywordXMP, CatalogSets and ACDSee's categories; a switched-off list is left alone."""
    photo = shared / "corpus/immich/metadata/faces/portrait.jpg"
    data = embedded_packet(photo) or b""
    written, merged = add_one(data, frame(photo))
    lists = read(written, frame(photo)).lists
    level = NAME.replace("/", "\\")
    assert lists["LastKeywordXMP"] == ("People/Marie Curie", "People/Pierre Curie", f"People/{level}")
    assert lists["CatalogSets"][-1] == f"People|{level}"
    assert f"People/{level}" in lists["categories"]
    assert "People/Marie Curie" in lists["categories"]
    back = merge(merged.base, Wanted(), read(written, frame(photo), ALL), ALL)
    after = read(write(written, back.changes, frame(photo)) or b"", frame(photo)).lists
    assert after["categories"] == ("People/Pierre Curie", "People/Marie Curie")
    off, _ = add_one(data, frame(photo), Settings(keywords=frozenset()))
    assert read(off, frame(photo)).lists["subject"] == ("Marie Curie", "Pierre Curie")
    assert NAME in read(off, frame(photo)).lists["PersonInImage"]


def test_existing_keywords_are_not_added_twice_nor_removed() -> None:
    """Rule 19: a person's path elsewhere under the root is theirs; it stays when we go."""
    start = Changes(
        strings=(
            StringChanges("hierarchicalSubject", ("People|Family|Marie",)),
            StringChanges("subject", ("marie",)),
        )
    )
    data = write(seed(None), start, FRAME) or b""
    first = merge(Base(), Wanted((Face("Marie", 0.5, 0.5, 0.1, 0.1),)), read(data, FRAME))
    assert {s.list for s in first.changes.strings} == {"PersonInImage", "TagsList"}
    written = write(data, first.changes, FRAME) or b""
    last = merge(first.base, Wanted(), read(written, FRAME))
    lists = read(write(written, last.changes, FRAME) or b"", FRAME).lists
    assert lists["hierarchicalSubject"] == ("People|Family|Marie",)
    assert lists["subject"] == ("marie",)


def test_no_property_is_there_twice(shared: Path) -> None:
    """Rule 21: in attribute or element form."""
    data = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:subject="Paris" dc:format="image/jpeg"/>'
        b'<rdf:Description rdf:about="" xmlns:digiKam="http://www.digikam.org/ns/1.0/"><digiKam:TagsList/>'
        b"</rdf:Description></rdf:RDF>"
    )
    written, _ = add_one(data, FRAME)
    packet = parse(written)
    assert packet.strings(tag("dc:subject")) == ("Paris", NAME)
    assert packet.holder(tag("dc:subject")) is None
    for path, (corpus_data, photo) in corpus(shared).items():
        try:
            before, after = parse(corpus_data), parse(add_one(corpus_data, photo)[0])
        except Unreadable:
            continue
        assert len(properties(after)) - len(set(properties(after))) <= (
            len(properties(before)) - len(set(properties(before)))
        ), path


def properties(packet: object) -> list[str]:
    found: list[str] = []
    for description in packet.descriptions():  # type: ignore[attr-defined]
        found += [str(a) for a in description.attrib if a != tag("rdf:about")]
        found += [str(c.tag) for c in description.iterchildren(etree.Element)]
    return found


def test_new_properties_go_into_the_first_description() -> None:
    """Rule 21; a packet without any gets one."""
    rdf = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{}</rdf:RDF>'
    two = rdf.format('<rdf:Description rdf:about=""/><rdf:Description rdf:about=""/>')
    for text in (two, rdf.format(""), rdf.format("").replace("></rdf:RDF>", "/>")):
        packet = parse(add_one(text.encode(), FRAME)[0])
        first, *others = list(packet.descriptions())
        assert len(first) > 3
        assert all(len(o) == 0 for o in others)


def test_the_encoding_of_a_sidecar_stays() -> None:
    """Rule 21: ours is UTF-8; theirs keeps its own, with its byte order mark and blanks."""
    text = seed(None).decode()
    for codec in ("utf-8-sig", "utf-16", "utf-16-be"):
        data = ("\n" + text + "\n ").encode(codec)
        written, _ = add_one(data, FRAME)
        assert written[:4] == data[:4]
        assert written.decode(codec).endswith("\n ")
        assert read(written, FRAME).regions[0].name == NAME
    assert new(Face("Zoë", 0.5, 0.5, 0.1, 0.1)).decode("utf-8")


def test_names_are_stripped_of_what_xml_cannot_hold() -> None:
    """Rule 21."""
    data = new(Face("A\x00B\x1fC\ud800\n\ufffe ", 0.5, 0.5, 0.1, 0.1))
    assert read(data, FRAME).regions[0].name == "ABC"


def test_fields_are_edited_in_the_notation_they_have(shared: Path) -> None:
    """Rules 16, 20: attributes stay attributes, elements elements, and all else in the entry stays."""
    for name, (data, photo) in corpus(shared).items():
        try:
            found = read(data, photo)
        except Unreadable:
            continue
        faces = [r for r in found.regions if r.source == "mwg-rs" and r.name]
        if not faces:
            continue
        change = Changes(ListChanges(rename=((faces[0].index, NAME),)))
        renamed = write(data, change, photo) or b""
        assert read(renamed, photo).mwg.regions[faces[0].index].name == NAME, name
        unnamed = write(renamed, Changes(ListChanges(rename=((faces[0].index, None),))), photo) or b""
        assert read(unnamed, photo).mwg.regions[faces[0].index].name is None, name
        back = write(unnamed, Changes(ListChanges(rename=((faces[0].index, faces[0].name),))), photo) or b""
        assert graph(parse(back).rdf) == graph(parse(data).rdf), name
        assert graph(parse(renamed).rdf) != graph(parse(data).rdf)


def test_a_name_is_changed_and_taken_away_where_it_stands() -> None:
    """Rule 16: an attribute stays one, and nothing else changes; a face without a name gets one all the same."""
    spaces = (
        "xmlns:r='http://www.metadataworkinggroup.com/schemas/regions/' xmlns:a='http://ns.adobe.com/xmp/sType/Area#'"
    )
    faces = "".join(
        f"<rdf:li><rdf:Description {name}r:Type='Face'><r:Area a:x='{x}' a:y='0.5' a:w='0.1' a:h='0.1'/>"
        "</rdf:Description></rdf:li>"
        for x, name in ((0.2, ""), (0.5, "r:Name='Ann' "), (0.8, "r:Name = 'Ann' "))
    )
    regions = f"<r:Regions rdf:parseType='Resource'><r:RegionList><rdf:Bag>{faces}</rdf:Bag></r:RegionList></r:Regions>"
    rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    data = f"{rdf}<rdf:Description rdf:about='' {spaces}>{regions}</rdf:Description></rdf:RDF>".encode()
    named = write(data, Changes(ListChanges(rename=((1, 'B "&" C'),))), FRAME)
    assert named == data.replace(b"'Ann'", b'"B &quot;&amp;&quot; C"', 1)
    unnamed = write(named, Changes(ListChanges(rename=((1, None),))), FRAME)
    assert unnamed == data.replace(b" r:Name='Ann'", b"", 1)
    again = write(unnamed, Changes(ListChanges(rename=((0, "Dora"), (1, "Emil"), (2, "Ben")))), FRAME) or b""
    assert [region.name for region in read(again, FRAME).regions] == ["Dora", "Emil", "Ben"]


def test_guesses_are_listed_until_somebody_answers(tmp_path: Path) -> None:
    """Rule 27: in a namespace of Kith's own; gone everywhere when corrected."""
    face = Face("Marie", 0.5, 0.5, 0.1, 0.1, guess=True)
    first = merge(Base(), Wanted((face,)), read(seed(None), FRAME))
    data = write(seed(None), first.changes, FRAME) or b""
    assert [r.guess for r in read(data, FRAME).regions] == [True]
    again = merge(Base(), Wanted(), read(data, FRAME))
    assert [(d.name, d.region and d.region.guess) for d in again.decisions] == [("Marie", True)]
    answered = merge(first.base, Wanted((Face("Marie", 0.5, 0.5, 0.1, 0.1),)), read(data, FRAME))
    sure = write(data, answered.changes, FRAME) or b""
    assert not parse(sure).has(GUESSES)
    assert [r.guess for r in read(sure, FRAME).regions] == [False]
    corrected = merge(first.base, Wanted((Face("Irène", 0.5, 0.5, 0.1, 0.1),)), read(data, FRAME))
    right = write(data, corrected.changes, FRAME) or b""
    assert b"Marie" not in right


def test_exiv2_keeps_our_guesses_when_it_writes(tmp_path: Path) -> None:
    """Rule 27: darktable and digiKam write sidecars with exiv2, which keeps namespaces it doesn't know."""
    path = tmp_path / "a.xmp"
    path.write_bytes(new(Face("Marie", 0.5, 0.5, 0.1, 0.1, guess=True)))
    subprocess.run(["exiv2", "-M", "set Xmp.xmp.Rating 3", path], check=True, timeout=60)
    found = read(path.read_bytes(), FRAME)
    assert found.guesses == ("Marie",)
    assert [r.name for r in found.regions] == ["Marie"]


def test_a_face_added_twice_changes_nothing() -> None:
    """Rule 22: changes that change nothing are no write."""
    data = new(Face("Marie", 0.5, 0.5, 0.1, 0.1))
    assert write(data, Changes(), FRAME) is None
    assert write(data, Changes(ListChanges(rename=((0, "Marie"),))), FRAME) is None


@pytest.mark.parametrize("kind", ["jpg", "dng"])
def test_what_iptc_and_exif_say_is_found_in_any_photo(tmp_path: Path, kind: str) -> None:
    """Rule 14: EXIF's word counts where IPTC has none."""
    photo = tmp_path / f"a.{kind}"
    Image.new("RGB", (8, 8)).save(photo, "TIFF" if kind == "dng" else "JPEG")
    exif = {"Exif.Image.ImageDescription": "not this", "Exif.Image.Copyright": "Håkon", "Exif.Image.Rating": "4"}
    of_application = {"Keywords": ["Tromsø", "Sea"], "Caption": "At sea", "ObjectName": "Boat", "Byline": ["Åse", "Bo"]}
    with closing(pyexiv2.Image(str(photo))) as image:
        image.modify_exif(exif)
        image.modify_iptc({f"Iptc.Application2.{name}": value for name, value in of_application.items()})
    assert legacy(photo) == Legacy(("Tromsø", "Sea"), "At sea", "Boat", ("Åse", "Bo"), "Håkon", 4)
    with closing(pyexiv2.Image(str(photo))) as image:
        image.clear_iptc()
        image.modify_iptc({"Iptc.Application2.Copyright": "Nobody"})
        image.modify_exif({"Exif.Image.Artist": "Cæsar"})
    assert legacy(photo) == Legacy((), "not this", None, ("Cæsar",), "Nobody", 4)


def test_captions_of_real_photos_are_found(shared: Path) -> None:
    """Rule 14: IPTC and EXIF, in UTF-8 whether they say so or not."""
    folder = shared / "corpus"
    said = legacy(folder / "pigallery2/test/backend/assets/edge_case_exif_data/before_epoch.jpg")
    assert said == Legacy(
        ("Bambi", "USA", "USA Road trip", "Yosemite"), "Bambi Caption", "Bambi Title", ("Patrik",), "Copyright field"
    )
    digikam = legacy(folder / "digikam/core__tests__metadataengine__data__2008-05_DSC_0294.JPG")
    assert digikam.title == "promenade à la brèche du Diable"


def test_a_raw_files_packet_is_read(tmp_path: Path, shared: Path) -> None:
    """Rule 3: with pyexiv2, as exiftool wrote it."""
    source = shared / "corpus/immich/metadata/faces/portrait.jpg"
    from PIL import Image

    photo = tmp_path / "a.dng"
    Image.open(source).save(tmp_path / "a.tif")
    shutil.move(tmp_path / "a.tif", photo)
    (tmp_path / "a.xmp").write_bytes(embedded_packet(source) or b"")
    copy = ["exiftool", "-q", "-overwrite_original", "-tagsfromfile", tmp_path / "a.xmp", "-xmp:all", photo]
    subprocess.run(copy, check=True, timeout=60)
    packet = embedded_packet(photo)
    assert packet is not None
    assert read(packet, Frame(840, 700)).names == ("Marie Curie", "Pierre Curie")
    assert array(parse(packet).element(tag("dc:subject"))) is not None  # type: ignore[arg-type]


def test_regions_added_elsewhere_keep_their_places() -> None:
    """Rule 16: entries are changed by place, several in one write."""
    faces = [Face(n, 0.1 + 0.2 * i, 0.5, 0.1, 0.1) for i, n in enumerate("abcd")]
    data = new(*faces)
    change = ListChanges((Region("e", 0.9, 0.1, 0.1, 0.1),), (1,), ((0, "A"), (3, None)), ((2, (0.5, 0.2, 0.1, 0.1)),))
    found = read(write(data, Changes(change), FRAME) or b"", FRAME)
    assert [r.name for r in found.regions] == ["A", "c", None, "e"]
    assert found.regions[1].y == pytest.approx(0.2, abs=1e-3)
