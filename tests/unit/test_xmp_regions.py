"""Faces come out of every schema where the picture shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from kith_xmp import heif
from kith_xmp.embedded import embedded_packet, frame
from kith_xmp.packet import parse
from kith_xmp.read import Sidecar, beside, read
from kith_xmp.regions import Frame, clip, displayed, overlap, read_picasa, snap
from kith_xmp.settings import Settings

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
MWG = (
    'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"'
)
MP = (
    'xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
    'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"'
)
LANDSCAPE = Frame(4000, 3000)


def packet(properties: str, attributes: str = "") -> bytes:
    node = f"<rdf:Description rdf:about='' {attributes}>{properties}</rdf:Description>"
    return f"<rdf:RDF {RDF}>{node}</rdf:RDF>".encode()


def entry(area: str, name: str | None = "Marie", kind: str | None = "Face") -> str:
    fields = (f' mwg-rs:Name="{name}"' if name is not None else "") + (f' mwg-rs:Type="{kind}"' if kind else "")
    return f"<rdf:li><rdf:Description{fields}><mwg-rs:Area {area}/></rdf:Description></rdf:li>"


def mwg(*entries: str, applied: str = "") -> str:
    size = f"<mwg-rs:AppliedToDimensions {applied}/>" if applied else ""
    bag = f"<mwg-rs:RegionList><rdf:Bag>{''.join(entries)}</rdf:Bag></mwg-rs:RegionList>"
    return f'<mwg-rs:Regions {MWG} rdf:parseType="Resource">{size}{bag}</mwg-rs:Regions>'


def area(x: float, y: float, w: float, h: float, unit: str | None = "normalized") -> str:
    fields = f'stArea:x="{x}" stArea:y="{y}" stArea:w="{w}" stArea:h="{h}"'
    return fields + (f' stArea:unit="{unit}"' if unit else "")


def microsoft(*entries: tuple[str, str | None]) -> str:
    items = "".join(
        f'<rdf:li MPReg:PersonDisplayName="{n}"' + (f' MPReg:Rectangle="{r}"' if r else "") + "/>" for n, r in entries
    )
    bag = f"<MPRI:Regions><rdf:Bag>{items}</rdf:Bag></MPRI:Regions>"
    return f'<MP:RegionInfo {MP} rdf:parseType="Resource">{bag}</MP:RegionInfo>'


def faces(found: Sidecar) -> list[tuple[str | None, tuple[float, ...]]]:
    return [(r.name, tuple(round(v, 6) for v in r.box)) for r in found.regions]


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_box_turns_with_the_picture(turn: int) -> None:
    """Rule 4's table of orientations, against the pixels that Pillow turns."""
    stored = np.zeros((60, 80), np.uint8)
    stored[10:25, 30:70] = 255
    picture = Image.fromarray(stored)
    exif = Image.Exif()
    exif[0x0112] = turn
    picture.getexif().update(exif)
    picture.info["exif"] = exif.tobytes()
    shown = np.asarray(ImageOps.exif_transpose(picture))
    rows, columns = np.nonzero(shown)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    h, w = shown.shape
    expected = ((left + right) / 2 / w, (top + bottom) / 2 / h, (right - left) / w, (bottom - top) / h)
    assert displayed((50 / 80, 17.5 / 60, 40 / 80, 15 / 60), turn) == pytest.approx(expected)
    assert Frame(80, 60, turn).displayed == (w, h)


def test_eight_portraits_by_lightroom_show_one_face(shared: Path) -> None:
    """Rules 3, 4, 5: one picture stored in eight ways has its face in one place."""
    boxes = []
    for i in range(9):
        photo = shared / f"corpus/pigallery2/test/backend/assets/orientation/Portrait_{i}.jpg"
        found = read(embedded_packet(photo) or b"", frame(photo))
        assert [r.name for r in found.regions] == ["Joe"]
        boxes.append(found.regions[0].box)
    assert all(overlap(boxes[0], b) > 0.99 for b in boxes[1:])


def test_areas_are_read_in_every_unit() -> None:
    """Rule 4: fractions, pixels of AppliedToDimensions, circles, and what says no unit."""
    applied = 'stDim:w="2000" stDim:h="1500" stDim:unit="pixel"'
    data = packet(
        mwg(
            entry(area(0.5, 0.25, 0.2, 0.1), "a"),
            entry(area(0.5, 0.25, 0.2, 0.1, None), "b"),
            entry(area(1000, 375, 400, 150, "pixel"), "c"),
            entry('stArea:x="0.25" stArea:y="0.75" stArea:d="0.2" stArea:unit="normalized"', "d"),
            applied=applied,
        )
    )
    same = (0.5, 0.25, 0.2, 0.1)
    assert faces(read(data, LANDSCAPE)) == [*((n, same) for n in "abc"), ("d", (0.25, 0.75, 0.15, 0.2))]
    alone = packet(mwg(entry(area(1000, 375, 400, 150, "pixel"), "c"), applied=applied))
    assert faces(read(alone, LANDSCAPE)) == [("c", same)]


def test_boxes_that_say_nothing_leave_only_their_names() -> None:
    """Rule 4: what reaches over the edge is clipped; what is empty, no number or the whole frame is dropped."""
    data = packet(
        mwg(
            entry(area(0.05, 0.5, 0.2, 0.2), "edge"),
            entry(area(0.5, 0.5, 1, 1), "full"),
            entry(area(0.5, 0.5, 0, 0.1), "empty"),
            entry('stArea:x="nan" stArea:y="0.5" stArea:w="0.1" stArea:h="0.1"', "nan"),
            entry('stArea:x="0.5" stArea:y="0.5"', "point"),
            entry(area(3, 3, 0.1, 0.1), "outside"),
        )
    )
    found = read(data, LANDSCAPE)
    assert faces(found) == [("edge", (0.075, 0.5, 0.15, 0.2))]
    assert found.people == ("full", "empty", "nan", "point", "outside")
    assert clip((0.5, 0.5, float("inf"), 0.1)) is None


def test_regions_of_a_picture_of_another_shape_give_only_names() -> None:
    """Rule 6: the photo was cropped since; the displayed size and another resolution are no other shape."""

    def shape(w: int, h: int) -> Sidecar:
        applied = f'stDim:w="{w}" stDim:h="{h}" stDim:unit="pixel"'
        return read(packet(mwg(entry(area(0.5, 0.5, 0.1, 0.1)), applied=applied)), LANDSCAPE)

    assert [r.name for r in shape(2000, 1500).regions] == ["Marie"]
    assert [r.name for r in shape(3000, 4000).regions] == ["Marie"]
    assert shape(4000, 2250).regions == ()
    assert shape(4000, 2250).people == ("Marie",)


def test_rotation_is_ignored_and_orientation_comes_from_the_photo() -> None:
    """Rules 5, 6: tiff:Orientation of the sidecar counts only where the photo says none; nonsense counts as 1."""
    tiff = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"'
    data = packet(mwg(entry(area(0.5, 0.25, 0.2, 0.1) + ' mwg-rs:Rotation="1.2"')), tiff)
    assert faces(read(data, Frame(4000, 3000, None)))[0][1] == (0.75, 0.5, 0.1, 0.2)
    assert faces(read(data, Frame(4000, 3000, 1)))[0][1] == (0.5, 0.25, 0.2, 0.1)
    assert faces(read(data, Frame(4000, 3000, 0)))[0][1] == (0.5, 0.25, 0.2, 0.1)


def test_only_faces_count() -> None:
    """Rule 7."""
    kinds = ["Face", None, "face", "Pet", "Focus", "BarCode", "Dinosaur"]
    entries = [entry(area(0.1 + 0.13 * i, 0.5, 0.1, 0.1), str(k), k) for i, k in enumerate(kinds)]
    found = read(packet(mwg(*entries)), LANDSCAPE)
    assert [r.name for r in found.regions] == ["Face", "None", "face"]
    assert found.mwg.size == 7


def test_nobody_is_nobody() -> None:
    """Rule 8."""
    texts = ["", "  ", "ffffffffffffffff", "Unknown", "unbekannt", "Ignored", " Marie ", "AC\\DC"]
    entries = [entry(area(0.1 + 0.11 * i, 0.5, 0.1, 0.1), t) for i, t in enumerate(texts)]
    found = read(packet(mwg(*entries)), LANDSCAPE)
    assert [r.name for r in found.regions] == [None] * 6 + ["Marie", "AC/DC"]
    custom = read(packet(mwg(*entries)), LANDSCAPE, Settings(nobody=frozenset({"marie"})))
    assert [r.name for r in custom.regions][2:7] == ["ffffffffffffffff", "Unknown", "unbekannt", "Ignored", None]


def test_each_face_is_found_once_whatever_schemas_say_it() -> None:
    """Rule 9: mwg-rs before MP; MP-only faces are added, and name faces that have no name."""
    regions = mwg(entry(area(0.2, 0.2, 0.1, 0.1), "Marie"), entry(area(0.5, 0.2, 0.1, 0.1), None))
    mp = microsoft(
        ("Wrong", "0.15, 0.15, 0.1, 0.1"), ("Pierre", "0.45, 0.15, 0.1, 0.1"), ("Irène", "0.75, 0.15, 0.1, 0.1")
    )
    found = read(packet(regions + mp), LANDSCAPE)
    assert [(r.name, r.source) for r in found.regions] == [("Marie", "mwg-rs"), ("Pierre", "mwg-rs"), ("Irène", "MP")]


def test_an_mp_box_that_forgot_orientation_is_no_second_face() -> None:
    """Rule 9: it equals the displayed box."""
    photo = Frame(4000, 3000, 6)
    regions = mwg(entry(area(0.2, 0.3, 0.1, 0.1)))
    x, y, w, h = displayed((0.2, 0.3, 0.1, 0.1), 6)
    stale = microsoft(("Marie", f"{x - w / 2}, {y - h / 2}, {w}, {h}"))
    assert len(read(packet(regions + stale), photo).regions) == 1
    other = microsoft(("Pierre", "0.05, 0.8, 0.1, 0.1"))
    assert len(read(packet(regions + other), photo).regions) == 2
    both = microsoft(("Marie", "0.15, 0.25, 0.1, 0.1"), ("Pierre", f"{x - w / 2}, {y - h / 2}, {w}, {h}"))
    assert [r.name for r in read(packet(regions + both), photo).regions] == ["Marie", "Pierre"]


def test_iptc_regions_count_where_they_name_people(shared: Path) -> None:
    """Rule 9: IPTC ImageRegion; rectangles are top-left, circles and polygons are boxed."""
    photo = shared / "corpus/photoprism/internal__meta__testdata__iptc-2021.jpg"
    found = read(embedded_packet(photo) or b"", frame(photo))
    assert {r.source for r in found.regions} == {"Iptc4xmpExt"}
    assert found.regions[0].box == pytest.approx((0.3735, 0.3725, 0.127, 0.385))
    assert len(found.regions) == 3
    assert "Person Shown 1 (ref2021.1)" in found.people


def boundary(name: str, fields: str, *, corners: str = "", human: bool = False) -> str:
    """An entry of Iptc4xmpExt:ImageRegion."""
    who = f"<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>{name}</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
    content = "<rdf:li>http://cv.iptc.org/newscodes/imageregiontype/human</rdf:li>"
    kind = f'<rdf:li rdf:parseType="Resource"><xmp:Identifier><rdf:Bag>{content}</rdf:Bag></xmp:Identifier></rdf:li>'
    kinds = f"<Iptc4xmpExt:rCtype><rdf:Bag>{kind}</rdf:Bag></Iptc4xmpExt:rCtype>" if human else ""
    place = f"<rdf:Description {fields}>{corners}</rdf:Description>"
    bounds = f"<Iptc4xmpExt:RegionBoundary>{place}</Iptc4xmpExt:RegionBoundary>"
    return f'<rdf:li rdf:parseType="Resource">{bounds}{who if name else ""}{kinds}</rdf:li>'


def test_iptc_rectangles_circles_and_polygons_are_boxes_in_either_unit() -> None:
    """Rule 9: a circle is as wide as it is high on the photo; what is no person is left out."""
    ns = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'

    def fields(**values: object) -> str:
        return " ".join(f'Iptc4xmpExt:rb{key}="{value}"' for key, value in values.items())

    points = "".join(f"<rdf:li {fields(X=x, Y=y)}/>" for x, y in ((0.1, 0.7), (0.3, 0.6), (0.2, 0.9)))
    vertices = f"<Iptc4xmpExt:rbVertices><rdf:Seq>{points}</rdf:Seq></Iptc4xmpExt:rbVertices>"
    entries = (
        boundary("Ann", fields(Shape="rectangle", Unit="relative", X=0.1, Y=0.2, W=0.2, H=0.1)),
        boundary("", fields(Shape="rectangle", Unit="pixel", X=2000, Y=600, W=400, H=300), human=True),
        boundary("Ben", fields(Shape="circle", Unit="relative", X=0.5, Y=0.5, Rx=0.06)),
        boundary("Cleo", fields(Shape="circle", Unit="pixel", X=3200, Y=1500, Rx=240)),
        boundary("Dora", fields(Shape="polygon", Unit="relative"), corners=vertices),
        boundary("", fields(Shape="rectangle", Unit="relative", X=0.8, Y=0.8, W=0.1, H=0.1)),
    )
    data = packet(f"<Iptc4xmpExt:ImageRegion><rdf:Bag>{''.join(entries)}</rdf:Bag></Iptc4xmpExt:ImageRegion>", ns)
    assert faces(read(data, LANDSCAPE)) == [
        ("Ann", (0.2, 0.25, 0.2, 0.1)),
        (None, (0.55, 0.25, 0.1, 0.1)),
        ("Ben", (0.5, 0.5, 0.12, 0.16)),
        ("Cleo", (0.8, 0.5, 0.12, 0.16)),
        ("Dora", (0.2, 0.75, 0.2, 0.3)),
    ]


def test_of_very_many_faces_the_first_thousand_count_with_a_box_or_without() -> None:
    """However many a sidecar holds, it can be read and merged."""
    some = [entry(area(0.1, 0.1, 0.1, 0.1), f"with {i}") for i in range(700)]
    others = [entry(area(0.1, 0.1, 0, 0), f"without {i}") for i in range(700)]
    found = read(packet(mwg(*some, *others)), LANDSCAPE)
    assert (len(found.mwg.regions), found.people[-1], len(found.people)) == (700, "without 299", 300)


def test_acdsee_regions_are_read() -> None:
    """Rule 9: acdsee-rs; names that the user denied are left out."""
    ns = (
        'xmlns:acdsee-rs="http://ns.acdsee.com/regions/" xmlns:acdsee-stArea="http://ns.acdsee.com/sType/Area#" '
        'xmlns:acdsee-stDim="http://ns.acdsee.com/sType/Dimensions#"'
    )

    def one(name: str, x: float, assigned: str) -> str:
        box = f'acdsee-stArea:x="{x}" acdsee-stArea:y="0.5" acdsee-stArea:w="0.1" acdsee-stArea:h="0.2"'
        fields = f'acdsee-rs:Name="{name}" acdsee-rs:Type="Face" acdsee-rs:NameAssignType="{assigned}"'
        return f"<rdf:li><rdf:Description {fields}><acdsee-rs:DLYArea {box}/></rdf:Description></rdf:li>"

    bag = f"<rdf:Bag>{one('Marie', 0.3, 'manual')}{one('Nobody', 0.7, 'denied')}</rdf:Bag>"
    size = '<acdsee-rs:AppliedToDimensions acdsee-stDim:w="4000" acdsee-stDim:h="3000" acdsee-stDim:unit="pixel"/>'
    region_list = f"<acdsee-rs:RegionList>{bag}</acdsee-rs:RegionList>"
    regions = f'<acdsee-rs:Regions {ns} rdf:parseType="Resource">{size}{region_list}</acdsee-rs:Regions>'
    assert faces(read(packet(regions), LANDSCAPE)) == [("Marie", (0.3, 0.5, 0.1, 0.2))]


def test_picasa_ini_is_read() -> None:
    """Rule 9: sixteen bits an edge, leading zeros left out; RAW boxes are displayed ones."""
    ini = (
        "[Picasa]\nname=Holiday 100%\n[Contacts2]\n8e62398ebda8c1a5=Marie Curie;;\nd1=Zoë;mail;\n"
        "[IMG_1.JPG]\nrotate=rotate(1)\nfaces=rect64(3fff3fff7fff5fff),8e62398ebda8c1a5;"
        "rect64(19991999333),ffffffffffffffff;rect64(8000000bfff3fff),d1\n"
    )
    found = read_picasa(ini, "IMG_1.JPG", LANDSCAPE, Settings())
    assert [r.name for r in found.regions] == ["Marie Curie", None, "Zoë"]
    assert found.regions[0].box == pytest.approx((0.375, 0.3125, 0.25, 0.125), abs=1e-4)
    turned = read_picasa(ini, "IMG_1.JPG", Frame(4000, 3000, 6), Settings())
    assert turned.regions[0].box == pytest.approx((0.6875, 0.375, 0.125, 0.25), abs=1e-4)
    raw = read_picasa(ini, "IMG_1.JPG", Frame(4000, 3000, 6), Settings(), raw=True)
    assert raw.regions[0].box == found.regions[0].box
    assert read_picasa("no [ini", "IMG_1.JPG", LANDSCAPE, Settings()).regions == ()
    assert read_picasa(ini, "IMG_2.JPG", LANDSCAPE, Settings()).regions == ()


def test_a_sidecar_with_regions_even_empty_replaces_the_embedded_ones() -> None:
    """Rule 10."""
    embedded = read(packet(mwg(entry(area(0.5, 0.5, 0.1, 0.1)))), LANDSCAPE)
    empty, none = read(packet(mwg()), LANDSCAPE), read(packet(""), LANDSCAPE)

    def together(sidecar: Sidecar | None) -> list[str | None]:
        both = beside(sidecar, embedded)
        return [r.name for r in both.regions] if both else []

    assert together(empty) == []
    assert together(none) == ["Marie"]
    assert together(None) == ["Marie"]


def test_picasa_fills_what_nobody_else_says() -> None:
    """Rules 9, 10."""
    sidecar = read(packet(mwg(entry(area(0.375, 0.3125, 0.25, 0.125), "Marie"))), LANDSCAPE)
    ini = "[a.jpg]\nfaces=rect64(3fff3fff7fff5fff),a;rect64(9fff9fffbfffbfff),b\n[Contacts2]\na=Wrong;;\nb=Zoë;;\n"
    both = beside(sidecar, None, read_picasa(ini, "a.jpg", LANDSCAPE, Settings()))
    assert both is not None
    assert [r.name for r in both.regions] == ["Marie", "Zoë"]


def test_a_picasa_box_that_forgot_orientation_is_no_second_face() -> None:
    """Rules 9, 10."""
    photo = Frame(4000, 3000, 6)
    sidecar = read(packet(mwg(entry(area(0.2, 0.3, 0.1, 0.1)))), photo)
    x, y, w, h = displayed((0.2, 0.3, 0.1, 0.1), 6)
    edges = "".join(f"{round(65535 * edge):04x}" for edge in (x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    both = beside(sidecar, None, read_picasa(f"[a.jpg]\nfaces=rect64({edges}),a\n", "a.jpg", photo, Settings()))
    assert both is not None
    assert [r.name for r in both.regions] == ["Marie"]


def test_people_without_a_box_are_read() -> None:
    """Rule 11: PersonInImage, MP entries without a rectangle, paths under the people root, known bare keywords."""
    ns = (
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"'
    )

    def bag(name: str, *texts: str) -> str:
        return f"<{name}><rdf:Bag>{''.join(f'<rdf:li>{t}</rdf:li>' for t in texts)}</rdf:Bag></{name}>"

    data = packet(
        bag("Iptc4xmpExt:PersonInImage", "Irène", "Unknown")
        + bag("lr:hierarchicalSubject", "people|Family|Ève", "Places|Paris", "People")
        + bag("digiKam:TagsList", "People/AC\\DC")
        + bag("dc:subject", "Rex", "holiday", "Ève")
        + microsoft(("Hélène", None))
        + mwg(entry(area(0.5, 0.5, 0.1, 0.1), "Irène")),
        ns,
    )
    assert read(data, LANDSCAPE).people == ("Hélène", "Ève", "AC/DC")
    assert read(data, LANDSCAPE, known=["rex"]).people == ("Hélène", "Ève", "AC/DC", "Rex")
    assert read(data, LANDSCAPE, Settings(people_root="Places")).people == ("Hélène", "Paris")


def test_namespaces_are_matched_by_uri_never_by_prefix() -> None:
    """Rule 1: other prefixes for the same schema, and the usual prefix for another."""
    data = packet(mwg(entry(area(0.5, 0.5, 0.1, 0.1)))).replace(b"mwg-rs:", b"r:").replace(b"xmlns:mwg-rs", b"xmlns:r")
    assert [r.name for r in read(data, LANDSCAPE).regions] == ["Marie"]
    other = packet(mwg(entry(area(0.5, 0.5, 0.1, 0.1)))).replace(b"metadataworkinggroup", b"example")
    assert read(other, LANDSCAPE).regions == ()


def test_snapping_goes_to_the_nearest_stored_pixel() -> None:
    """Rule 15."""
    assert snap((0.5, 0.5, 0.1001, 0.1), Frame(100, 200, 1)) == (0.5, 0.5, 0.1, 0.1)
    x, _, w, _ = snap((0.999, 0.5, 0.01, 0.1), Frame(50, 50, 1))
    assert x + w / 2 <= 1
    assert w == pytest.approx(0.02)


def test_a_heic_is_turned_by_its_container_and_not_twice(tmp_path: Path) -> None:
    """Rule 5: regions are in the pixels before irot and imir."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        photo = tmp_path / f"{turn}.heic"
        Image.new("RGB", (96, 64)).save(photo, exif=exif.tobytes())
        assert frame(photo) == Frame(96, 64, turn)
    assert parse(b"<rdf:RDF " + RDF.encode() + b"/>").element("x") is None


def boxed(kind: bytes, content: bytes, *, long: bool = False) -> bytes:
    """A box of a HEIC; `long` ones note their size in eight bytes."""
    if long:
        return (1).to_bytes(4) + kind + (16 + len(content)).to_bytes(8) + content
    return (8 + len(content)).to_bytes(4) + kind + content


def container(turns: int, mirror: int | None, *, wide: bool) -> bytes:
    """The head of a HEIC with a thumbnail, item 1, that isn't turned, and its picture, item 2, that is."""
    mirrors = b"" if mirror is None else boxed(b"imir", bytes([mirror]))
    properties = boxed(b"ispe", bytes(12)) + boxed(b"irot", bytes([turns])) + mirrors
    of_picture = [1, 0x80 | 2, *([] if mirror is None else [0x80 | 3])]
    items = b""
    for item, indices in ((1, [1]), (2, of_picture)):
        indexed = b"".join((i & 0x7F | (i & 0x80) << 8).to_bytes(2) if wide else bytes([i]) for i in indices)
        items += item.to_bytes(4 if wide else 2) + bytes([len(indices)]) + indexed
    association = boxed(b"ipma", bytes([wide, 0, 0, wide]) + (2).to_bytes(4) + items)
    primary = boxed(b"pitm", bytes([wide, 0, 0, 0]) + (2).to_bytes(4 if wide else 2))
    meta = bytes(4) + primary + boxed(b"iprp", boxed(b"ipco", properties) + association)
    return boxed(b"ftyp", b"heic" + bytes(4), long=wide) + boxed(b"meta", meta, long=wide)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("mirror", [None, 0, 1])
@pytest.mark.parametrize("turns", range(4))
def test_whatever_turns_and_mirrors_a_heic_shows_its_faces_where_they_are(
    tmp_path: Path, turns: int, mirror: int | None, wide: bool
) -> None:
    """Rule 4: turned to the left, then mirrored, whichever way the container counts."""
    stored = np.arange(12, dtype=np.uint8).reshape(3, 4)
    shown = np.rot90(stored, turns)
    if mirror is not None:
        shown = np.flip(shown, mirror)
    photo = tmp_path / "a.heic"
    photo.write_bytes(container(turns, mirror, wide=wide))
    picture = Image.fromarray(stored)
    picture.getexif()[0x0112] = heif.orientation(photo)
    assert np.array_equal(ImageOps.exif_transpose(picture), shown)


def test_a_heic_that_ends_too_soon_is_no_trouble(tmp_path: Path) -> None:
    whole = container(1, 1, wide=False)
    photo = tmp_path / "a.heic"
    for end in range(len(whole)):
        photo.write_bytes(whole[:end])
        assert heif.orientation(photo) in range(1, 9)
    photo.write_bytes(whole)
    assert heif.orientation(photo) == 7
