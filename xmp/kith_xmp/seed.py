"""A new sidecar: the photo's embedded packet, or an empty one, and what only IPTC and EXIF say.

A new sidecar hides the embedded packet from digiKam and darktable, so it starts as a copy of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from kith_xmp.edit import Editor, element
from kith_xmp.names import clean
from kith_xmp.packet import Element, Packet, Unreadable, is_struct, parse
from kith_xmp.schema import tag

_EMPTY: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Kith">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    '  <rdf:Description rdf:about="">\n  </rdf:Description>\n'
    " </rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>\n'
).encode()

_DERIVED_FROM: Final = tag("xmpMM:DerivedFrom")
_ONLY_EMBEDDED: Final = (tag("xmpNote:HasExtendedXMP"), tag("tiff:Orientation"))


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a photo's IPTC and EXIF say; None or () where they say nothing. `rating` is 0..5."""

    subject: tuple[str, ...] = ()
    description: str | None = None
    title: str | None = None
    creator: tuple[str, ...] = ()
    rights: str | None = None
    rating: int | None = None


def seed(embedded: bytes | None, legacy: Legacy | None = None) -> bytes:
    """The bytes that a new sidecar starts from.

    The embedded packet without what holds only inside a file or stops darktable (a struct-valued
    xmpMM:DerivedFrom), with absent captions filled in. An unreadable packet counts as none.
    """
    try:
        packet = parse(embedded) if embedded is not None else parse(_EMPTY)
    except Unreadable:
        packet = parse(_EMPTY)
    if next(packet.descriptions(), None) is None:
        packet = _edited(packet, lambda e: e.append(packet.rdf, element("rdf:Description", rdf__about="")))
    editor = Editor(packet)
    _prune(editor)
    _fill(editor, legacy or Legacy())
    return _compact(packet, editor.result())


def _edited(packet: Packet, edit: object) -> Packet:
    editor = Editor(packet)
    edit(editor)  # type: ignore[operator]
    return parse(packet.encode(editor.result()))


def _prune(editor: Editor) -> None:
    packet = editor.packet
    for name in _ONLY_EMBEDDED:
        found, holder = packet.element(name), packet.holder(name)
        if found is not None:
            editor.remove(found)
        if holder is not None:
            editor.set_attribute(holder, name, None)
    derived = packet.element(_DERIVED_FROM)
    if derived is not None and is_struct(derived):
        editor.remove(derived)


def _fill(editor: Editor, legacy: Legacy) -> None:
    home = next(editor.packet.descriptions())
    made = [
        ("dc:subject", _array("dc:subject", "rdf:Bag", legacy.subject)),
        ("dc:description", _alternative("dc:description", legacy.description)),
        ("dc:title", _alternative("dc:title", legacy.title)),
        ("dc:creator", _array("dc:creator", "rdf:Seq", legacy.creator)),
        ("dc:rights", _alternative("dc:rights", legacy.rights)),
        ("xmp:Rating", element("xmp:Rating", str(legacy.rating)) if legacy.rating is not None else None),
    ]
    for name, new in made:
        if new is not None and not editor.packet.has(tag(name)):
            editor.append(home, new)


def _array(name: str, container: str, texts: tuple[str, ...]) -> Element | None:
    kept = [clean(t) for t in texts if clean(t)]
    if not kept:
        return None
    made = element(name)
    inner = etree.SubElement(made, tag(container))
    for text in kept:
        etree.SubElement(inner, tag("rdf:li")).text = text
    return made


def _alternative(name: str, text: str | None) -> Element | None:
    made = _array(name, "rdf:Alt", (text or "",))
    if made is not None:
        made[0][0].set(tag("xml:lang"), "x-default")
    return made


def _compact(packet: Packet, body: bytes) -> bytes:
    """The new file in UTF-8, without the room for growth that embedded packets keep."""
    root_end = body.rfind(b">", 0, max(body.rfind(b"<?xpacket end"), 0)) + 1
    if root_end and not body[root_end : body.rfind(b"<?xpacket end")].strip():
        body = body[:root_end] + b"\n" + body[body.rfind(b"<?xpacket end") :]
    return packet.encode(body)
