"""Apply the changes of a merge to a packet, and prove that nothing else changed.

Structures are written as Adobe's toolkit writes them: rdf:parseType="Resource" around, attributes at the leaves.
exiftool, exiv2, digiKam, darktable and Lightroom read that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from lxml import etree

from kith_xmp import keywords, regions
from kith_xmp.edit import Editor, element
from kith_xmp.keywords import KeywordList
from kith_xmp.merge import Changes, ListChanges, StringChanges
from kith_xmp.packet import (
    Element,
    Packet,
    array,
    field_element,
    is_struct,
    items,
    parse,
    struct,
    value,
)
from kith_xmp.regions import Box, Frame, Region
from kith_xmp.schema import DESCRIPTION, GUESSES, NAMESPACES, PARSE_TYPE, REGION_INFO, REGIONS, SEQ, tag

_AREA_FIELDS: Final = "xywh"


class Damaged(Exception):
    """An edit would have changed what isn't ours: a bug in this library, found before anything was written."""


def write(data: bytes | Packet, changes: Changes, frame: Frame) -> bytes | None:
    """The packet with the changes made; None where there are none, or where they change nothing.

    `data` must be the packet that the changes were planned from, parsed or not. Raises `Unreadable`, and `Damaged`
    where the result differs in anything that was not to change.
    """
    if not changes:
        return None
    packet = parse(data)
    if frame.orientation is None:
        frame = Frame(frame.width, frame.height, regions.orientation_of(packet))
    home = next(packet.descriptions(), None)
    if home is None:
        return write(_with_description(packet), changes, frame)
    editor = Editor(packet)
    _mwg(editor, home, changes.mwg, frame)
    _microsoft(editor, home, changes.microsoft, frame)
    for strings in changes.strings:
        _strings(editor, home, strings)
    if changes.guesses is not None:
        _guesses(editor, home, changes.guesses)
    body = editor.result()
    if body == packet.body:
        return None
    written = packet.encode(body)
    _prove(packet, parse(written), changes)
    return written


def _with_description(packet: Packet) -> bytes:
    editor = Editor(packet)
    editor.append(packet.rdf, element("rdf:Description", rdf__about=""))
    return packet.encode(editor.result())


# Regions


def _mwg(editor: Editor, home: Element, changes: ListChanges, frame: Frame) -> None:
    found = editor.packet.element(REGIONS)
    entries = regions.list_entries(found, "mwg-rs:RegionList") if found is not None else []
    for i, name in changes.rename:
        _set_field(editor, entries[i], "mwg-rs:Name", name)
    for i, box in changes.move:
        _replace_field(editor, entries[i], "mwg-rs:Area", _area(box, frame))
    for i in changes.remove:
        editor.remove(entries[i])
    if changes.add:
        _add_entries(editor, home, REGIONS, [_mwg_entry(r, frame) for r in changes.add], _mwg_shell(frame))


def _microsoft(editor: Editor, home: Element, changes: ListChanges, frame: Frame) -> None:
    found = editor.packet.element(REGION_INFO)
    entries = regions.list_entries(found, "MPRI:Regions") if found is not None else []
    for i, name in changes.rename:
        _set_field(editor, entries[i], "MPReg:PersonDisplayName", name)
    for i, box in changes.move:
        _set_field(editor, entries[i], "MPReg:Rectangle", _rectangle(box, frame))
    for i in changes.remove:
        editor.remove(entries[i])
    if changes.add:
        shell = element("MP:RegionInfo", declares=("MPRI", "MPReg"), rdf__parseType="Resource")
        shell.append(element("MPRI:Regions"))
        _add_entries(editor, home, REGION_INFO, [_microsoft_entry(r, frame) for r in changes.add], shell)


def _add_entries(editor: Editor, home: Element, name: str, entries: Sequence[Element], shell: Element) -> None:
    """Add entries to a region list; `shell` is the property with an empty list, for where there is none to add to."""
    found = editor.packet.element(name)
    target = None if found is None else field_element(found, shell[-1].tag)
    container = None if target is None else array(target)
    if container is not None:
        for entry in entries:
            editor.append(container, entry)
        return
    bag = etree.SubElement(shell[-1], tag("rdf:Bag"))
    bag.extend(entries)
    if found is None:
        holder = editor.packet.holder(name)
        if holder is not None:
            editor.set_attribute(holder, name, None)
        editor.append(home, shell)
    elif target is not None:
        editor.replace(target, shell[-1])
    elif is_struct(found):
        have = {child.tag for child in struct(found)}
        for part in [p for p in shell if p.tag not in have]:
            editor.append(struct(found), part)
    else:
        editor.replace(found, shell)


def _mwg_shell(frame: Frame) -> Element:
    shell = element("mwg-rs:Regions", declares=("stDim", "stArea"), rdf__parseType="Resource")
    size = {"stDim__w": str(frame.width), "stDim__h": str(frame.height), "stDim__unit": "pixel"}
    if frame.width > 0 and frame.height > 0:
        shell.append(element("mwg-rs:AppliedToDimensions", **size))
    shell.append(element("mwg-rs:RegionList"))
    return shell


def _mwg_entry(region: Region, frame: Frame) -> Element:
    entry = element("rdf:li", rdf__parseType="Resource")
    entry.append(_area(region.box, frame))
    if region.name:
        entry.append(element("mwg-rs:Name", region.name))
    entry.append(element("mwg-rs:Type", "Face"))
    return entry


def _area(box: Box, frame: Frame) -> Element:
    numbers = regions.stored(regions.snap(box, frame), frame.turn)
    fields = {f"stArea__{f}": _fraction(n) for f, n in zip(_AREA_FIELDS, numbers, strict=True)}
    return element("mwg-rs:Area", **fields, stArea__unit="normalized")


def _microsoft_entry(region: Region, frame: Frame) -> Element:
    entry = element("rdf:li", rdf__parseType="Resource")
    entry.append(element("MPReg:Rectangle", _rectangle(region.box, frame)))
    if region.name:
        entry.append(element("MPReg:PersonDisplayName", region.name))
    return entry


def _rectangle(box: Box, frame: Frame) -> str:
    x, y, w, h = regions.stored(regions.snap(box, frame), frame.turn)
    return ", ".join(_fraction(n) for n in (x - w / 2, y - h / 2, w, h))


def _fraction(number: float) -> str:
    """Nine decimals: a thousandth of a pixel in the largest photos."""
    return f"{abs(number):.9f}"


def _set_field(editor: Editor, entry: Element, name: str, text: str | None) -> None:
    """Set, add or take away a simple field of a structure, in the notation that the structure has."""
    node, full = struct(entry), tag(name)
    old = next(node.iterchildren(full), None)
    if old is not None and text is not None:
        editor.replace(old, element(name, text))
    elif old is not None:
        editor.remove(old)
    elif node.get(full) is not None or (node is entry and node.get(PARSE_TYPE) is None):
        editor.set_attribute(node, full, text)
    elif text is not None:
        editor.append(node, element(name, text))


def _replace_field(editor: Editor, entry: Element, name: str, new: Element) -> None:
    old = field_element(entry, tag(name))
    if old is None:
        editor.append(struct(entry), new)
    else:
        editor.replace(old, new)


# Keyword lists


def _strings(editor: Editor, home: Element, change: StringChanges) -> None:
    one = keywords.BY_NAME[change.list]
    name = _tag_in_use(editor.packet, one)
    if one.name == keywords.CATEGORIES:
        _set_simple(editor, name, keywords.categories(editor.packet.text(name) or "", change.add, change.remove))
        return
    _change_array(editor, home, name, one, change.add, change.remove)


def _tag_in_use(packet: Packet, one: KeywordList) -> str:
    return next((t for t in one.tags if packet.has(t)), one.tags[0])


def _set_simple(editor: Editor, name: str, text: str) -> None:
    found, holder = editor.packet.element(name), editor.packet.holder(name)
    if found is not None:
        new = etree.Element(found.tag, nsmap={found.prefix: etree.QName(found).namespace or ""})
        new.text = text
        editor.replace(found, new)
    elif holder is not None:
        editor.set_attribute(holder, name, text)


def _change_array(
    editor: Editor, home: Element, name: str, one: KeywordList, add: Sequence[str], remove: Sequence[str]
) -> None:
    """Add items to an array, and take the last of each given text away; make the array where there is none."""
    found = editor.packet.element(name)
    container = None if found is None else array(found)
    if found is not None and container is not None:
        entries = items(found)
        if not add and len(remove) >= len(entries) > 0 and {value(e) for e in entries} <= set(remove):
            editor.remove(found)
            return
        for text in remove:
            last = next((e for e in reversed(entries) if value(e) == text), None)
            if last is not None:
                editor.remove(last)
        for text in add:
            editor.append(container, element("rdf:li", text))
        return
    old = editor.packet.strings(name) or ()
    kept = [t for t in old if t not in remove] + list(add)
    made = _array(one, name, kept)
    holder = editor.packet.holder(name)
    if found is not None:
        editor.replace(found, made) if kept else editor.remove(found)
        return
    if holder is not None:
        editor.set_attribute(holder, name, None)
    if kept:
        editor.append(home, made)


def _array(one: KeywordList, name: str, texts: Sequence[str]) -> Element:
    uri = etree.QName(name).namespace or ""
    prefix = next((p for p, u in NAMESPACES.items() if u == uri), "MicrosoftPhoto")
    made = etree.Element(name, nsmap={prefix: uri, "rdf": NAMESPACES["rdf"]})
    container = etree.SubElement(made, SEQ if one.array == SEQ else tag("rdf:Bag"))
    for text in texts:
        etree.SubElement(container, tag("rdf:li")).text = text
    return made


def _guesses(editor: Editor, home: Element, guesses: Sequence[str]) -> None:
    found, holder = editor.packet.element(GUESSES), editor.packet.holder(GUESSES)
    if holder is not None:
        editor.set_attribute(holder, GUESSES, None)
    made = element("kith:Guesses")
    bag = etree.SubElement(made, tag("rdf:Bag"))
    for name in guesses:
        etree.SubElement(bag, tag("rdf:li")).text = name
    if found is not None:
        editor.replace(found, made) if guesses else editor.remove(found)
    elif guesses:
        editor.append(home, made)


# Proof


def _prove(old: Packet, new: Packet, changes: Changes) -> None:
    """Compare everything that was not to change, property by property and entry by entry."""
    touched = _touched(changes)
    if _rest(old, touched) != _rest(new, touched):
        raise Damaged("an edit would have changed a property that isn't ours")
    for name, inner, change in (
        (REGIONS, "mwg-rs:RegionList", changes.mwg),
        (REGION_INFO, "MPRI:Regions", changes.microsoft),
    ):
        gone = {*change.remove, *(i for i, _ in change.rename), *(i for i, _ in change.move)}
        before = Counter(_model(e) for i, e in enumerate(_entries(old, name, inner)) if i not in gone)
        after = Counter(_model(e) for e in _entries(new, name, inner))
        if not before <= after:
            raise Damaged("an edit would have changed a region that isn't ours")


def _touched(changes: Changes) -> set[str]:
    found = {t for s in changes.strings for t in keywords.BY_NAME[s.list].tags}
    found |= {REGIONS} if changes.mwg else set()
    found |= {REGION_INFO} if changes.microsoft else set()
    return found | ({GUESSES} if changes.guesses is not None else set())


def _entries(packet: Packet, name: str, inner: str) -> list[Element]:
    found = packet.element(name)
    return [] if found is None else regions.list_entries(found, inner)


Model = tuple[object, ...]


def _rest(packet: Packet, touched: set[str]) -> Model:
    """Everything in the packet but the touched properties, without the blanks between elements."""
    return _model(packet.root, touched)


def _model(e: Element, without: frozenset[str] | set[str] = frozenset()) -> Model:
    top = e.tag == DESCRIPTION
    skipped = without if top else frozenset()
    children = [_model(c, without) for c in e if c.tag not in skipped]
    texts = [e.text or "", *(c.tail or "" for c in e)]
    attributes = tuple(sorted((str(k), str(v)) for k, v in e.attrib.items() if k not in skipped))
    text = "".join(texts).strip() if len(e) or top else "".join(texts)
    return (str(e.tag), attributes, text, tuple(children))
