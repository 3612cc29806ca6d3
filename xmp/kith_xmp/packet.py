"""An XMP packet: parsed safely for reading, with its bytes and their positions at hand for editing.

Parsing is bounded: at most 32 MB and half a million elements and attributes, no DOCTYPE, no entities, no network,
and libxml2's own limits on depth and text length. Writing is done in `edit`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from kith_xmp.schema import ARRAYS, DESCRIPTION, LI, PARSE_TYPE, RDF, tag

Element = etree._Element

LIMIT_BYTES: Final = 32 * 2**20
LIMIT_MARKUP: Final = 1_000_000

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WITHOUT_BOM: Final = ((re.compile(rb"[\s<]\0"), "utf-16-le"), (re.compile(rb"\0[\s<]"), "utf-16-be"))
_SINGLE_BYTE: Final = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})
_DECLARED: Final = re.compile(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_PROLOG: Final = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_BLANKS: Final = " \t\r\n\0"
_RDF_PREFIX: Final = tag("rdf:")
_VALUE: Final = tag("rdf:value")


class Unreadable(Exception):
    """These bytes are no XMP packet that can be read safely; `reason` is a short phrase that says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a readable XMP packet: {reason}")
        self.reason = reason


@dataclass(frozen=True, eq=False)
class Packet:
    """A parsed packet.

    `body` is the XML in UTF-8 without surrounding blanks; `before` and `after` are those blanks; `bom` and `codec`
    say how the whole was encoded. `rdf` is the rdf:RDF element of the tree parsed from `body`.
    """

    bom: bytes
    codec: str
    before: str
    body: bytes
    after: str
    root: Element = field(repr=False)
    rdf: Element = field(repr=False)

    def descriptions(self) -> Iterator[Element]:
        """The top-level nodes that hold properties, in document order."""
        return self.rdf.iterchildren(DESCRIPTION)

    def element(self, name: str) -> Element | None:
        """The first top-level property `name` (in `{uri}local` form) that is written as an element."""
        return next((e for d in self.descriptions() for e in d.iterchildren(name)), None)

    def holder(self, name: str) -> Element | None:
        """The first top-level node that has the property `name` as an attribute."""
        return next((d for d in self.descriptions() if d.get(name) is not None), None)

    def has(self, name: str) -> bool:
        """Whether the property is there, in either form, even empty."""
        return self.element(name) is not None or self.holder(name) is not None

    def text(self, name: str) -> str | None:
        """The value of a simple property in either form; None where there is none."""
        element = self.element(name)
        if element is not None:
            return value(element)
        holder = self.holder(name)
        return None if holder is None else holder.get(name)

    def strings(self, name: str) -> tuple[str, ...] | None:
        """The items of an array of text, or the one value of a simple property; None where there is none."""
        element = self.element(name)
        if element is None:
            text = self.text(name)
            return None if text is None else (text,)
        container = array(element)
        if container is not None:
            return tuple(value(li) for li in items(element))
        return (value(element),) if value(element) else ()

    def encode(self, body: bytes) -> bytes:
        """Other XML in the encoding of this packet, between the same blanks."""
        text = self.before + body.decode("utf-8") + self.after
        return self.bom + text.encode(self.codec, "xmlcharrefreplace")


def parse(data: bytes | Packet) -> Packet:
    """Read a packet; one that was read already is given back. Raises `Unreadable`; never anything else."""
    if isinstance(data, Packet):
        return data
    if len(data) > LIMIT_BYTES:
        raise Unreadable(f"larger than {LIMIT_BYTES // 2**20} MB")
    bom, codec, text = _decode(data)
    body = text.strip(_BLANKS)
    if not body:
        raise Unreadable("empty")
    prolog = _PROLOG.match(body)
    if prolog is not None and body.startswith("<!DOCTYPE", prolog.end()):
        raise Unreadable("it has a DOCTYPE")
    if body.count("<") + body.count("=") > LIMIT_MARKUP:
        raise Unreadable("too many elements")
    start = text.index(body)
    try:
        utf8 = body.encode("utf-8")
        root = etree.fromstring(utf8, _parser())
    except (etree.XMLSyntaxError, UnicodeEncodeError, ValueError) as e:
        raise Unreadable(f"not well-formed: {str(e)[:200]}") from None
    rdf = next(root.iter(RDF), None)
    if rdf is None:
        raise Unreadable("no rdf:RDF in it")
    return Packet(bom, codec, text[:start], utf8, text[start + len(body) :], root, rdf)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=False,
        strip_cdata=False,
    )


def _decode(data: bytes) -> tuple[bytes, str, str]:
    """The byte order mark, the codec and the text."""
    bom, codec = next(((b, c) for b, c in _BOMS if data.startswith(b)), (b"", ""))
    if not codec:
        codec = next((c for pattern, c in _WITHOUT_BOM if pattern.match(data)), "") or _declared(data)
    try:
        return bom, codec, data[len(bom) :].decode(codec)
    except UnicodeDecodeError as e:
        raise Unreadable(f"not {codec} text (byte {e.start})") from None


def _declared(data: bytes) -> str:
    match = _DECLARED.match(data[:1000])
    if match is None:
        return "utf-8"
    name = match.group(1).decode("ascii")
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        codec = ""
    if codec not in _SINGLE_BYTE:
        raise Unreadable(f"it says its encoding is {name}, and it is not")
    return codec


def array(element: Element) -> Element | None:
    """The rdf:Bag, Seq or Alt inside a property; None if it is no array."""
    return next(element.iterchildren(*ARRAYS), None)


def items(element: Element) -> list[Element]:
    """The items of an array property."""
    container = array(element)
    return [] if container is None else list(container.iterchildren(LI))


def struct(element: Element) -> Element:
    """The node whose attributes and children are the fields of a structure: the element or its rdf:Description."""
    inner = next(element.iterchildren(DESCRIPTION), None)
    return element if inner is None else inner


def is_struct(element: Element) -> bool:
    """Whether a property holds a structure, in any of RDF's notations."""
    if element.get(PARSE_TYPE) == "Resource" or struct(element) is not element:
        return True
    return any(not str(name).startswith((_RDF_PREFIX, tag("xml:"))) for name in element.attrib)


def field_element(element: Element, name: str) -> Element | None:
    """The field `name` of a structure where it is written as an element."""
    return next(struct(element).iterchildren(name), None)


def text_field(element: Element, name: str) -> str | None:
    """A simple field of a structure, as attribute or as element; None where there is none."""
    node = struct(element)
    found = node.get(name)
    if found is not None:
        return str(found)
    child = next(node.iterchildren(name), None)
    return None if child is None else value(child)


def value(element: Element) -> str:
    """The text of a simple value, without its qualifiers; the first item of a language alternative."""
    if not len(element):
        return element.text or ""
    choices = items(element)
    if choices:
        return value(choices[0])
    inner = next(struct(element).iterchildren(_VALUE), None)
    return (inner.text or "") if inner is not None else (struct(element).get(_VALUE) or element.text or "").strip()


def parse_fragment(xml: str) -> Element:
    """The root of XML that is kept as text inside a property. Raises `Unreadable`."""
    if "<!DOCTYPE" in xml:
        raise Unreadable("it has a DOCTYPE")
    try:
        return etree.fromstring(xml.encode("utf-8"), _parser())
    except (etree.XMLSyntaxError, UnicodeEncodeError, ValueError) as e:
        raise Unreadable(f"not well-formed: {str(e)[:200]}") from None
