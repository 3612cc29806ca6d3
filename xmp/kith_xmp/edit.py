"""Edits of a packet that leave every byte outside the edited elements as it was.

lxml parses and builds; what it would print of the rest (quotes, line breaks inside tags, blanks around the root) is
not what came in. So edits are splices of the original bytes: expat tells where each element starts and ends, and
elements come in the same order in both parsers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape

from lxml import etree

from kith_xmp.packet import Element, Packet
from kith_xmp.schema import NAMESPACES

_START_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=/>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_NAME = re.compile(rb"<([^\s/>]+)")
_DECLARATION = re.compile(r' xmlns:([^=\s]+)="([^"]*)"')
_TAG = re.compile(r"<[^<>]*>")
_ATTRIBUTE = re.compile(rb"(\s+)([^\s=/>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_BLANKS = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Span:
    """Where an element stands in the bytes: [start, head) is its start tag, [close, end) its end tag."""

    start: int
    head: int
    close: int
    end: int

    @property
    def empty(self) -> bool:
        """Whether it is written `<name/>`."""
        return self.close == self.end


def spans(body: bytes) -> list[Span]:
    """The spans of all elements in document order. `body` must be well-formed UTF-8."""
    parser = expat.ParserCreate("utf-8")
    found: list[Span] = []
    open_: list[int] = []

    def start(_name: str, _attributes: dict[str, str]) -> None:
        at = parser.CurrentByteIndex
        tag = _START_TAG.match(body, at)
        head = tag.end() if tag else at
        open_.append(len(found))
        found.append(Span(at, head, head, head))

    def end(_name: str) -> None:
        i = open_.pop()
        if body[found[i].head - 2 : found[i].head] != b"/>":
            close = parser.CurrentByteIndex
            found[i] = Span(found[i].start, found[i].head, close, body.index(b">", close) + 1)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(body, True)
    return found


class Editor:
    """Collects edits of one packet; `result` applies them all at once."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self._elements = list(packet.root.iter(etree.Element))
        self._index = {e: i for i, e in enumerate(self._elements)}
        self._spans = spans(packet.body)
        if len(self._spans) != len(self._elements):
            raise AssertionError("two parsers disagree about the elements of a packet")
        self._appended: dict[int, list[bytes]] = {}
        self._attributes: dict[int, dict[str, str | None]] = {}
        self._replaced: dict[int, bytes] = {}

    def append(self, parent: Element, child: Element) -> None:
        """Add a new element as the last child."""
        lead = self._lead(parent)
        self._appended.setdefault(self._index[parent], []).append(lead + _fragment(child, parent.nsmap, lead))

    def replace(self, old: Element, new: Element) -> None:
        """Put a new element in the place of an old one."""
        parent = old.getparent()
        scope = {} if parent is None else parent.nsmap
        at = self._spans[self._index[old]].start
        self._replaced[self._index[old]] = _fragment(new, scope, self._blanks_before(at))

    def remove(self, old: Element) -> None:
        """Take an element away, with the blanks before it."""
        self._replaced[self._index[old]] = b""

    def set_attribute(self, element: Element, name: str, value: str | None) -> None:
        """Set an attribute (in `{uri}local` form); None takes it away."""
        self._attributes.setdefault(self._index[element], {})[name] = value

    def result(self) -> bytes:
        """The body with all edits made."""
        splices: list[tuple[int, int, bytes]] = []
        for i, new in self._replaced.items():
            span = self._spans[i]
            start = span.start if new else span.start - len(self._blanks_before(span.start))
            splices.append((start, span.end, new))
        for i in self._appended.keys() | self._attributes.keys():
            splices += self._inside(i)
        return _splice(self.packet.body, splices)

    def _inside(self, i: int) -> list[tuple[int, int, bytes]]:
        span = self._spans[i]
        head = self.packet.body[span.start : span.head]
        for name, value in self._attributes.get(i, {}).items():
            head = _with_attribute(head, self._elements[i], name, value)
        added = b"".join(self._appended.get(i, []))
        if span.empty and added:
            name_match = _NAME.match(head)
            qname = name_match.group(1) if name_match else b""
            return [(span.start, span.head, head[:-2].rstrip() + b">" + added + b"</" + qname + b">")]
        at = self._end_of_children(i)
        edits = [(span.start, span.head, head)] if i in self._attributes else []
        return [*edits, (at, at, added)] if added else edits

    def _end_of_children(self, i: int) -> int:
        last = _last_child(self._elements[i])
        return self._spans[i].head if last is None else self._spans[self._index[last]].end

    def _lead(self, parent: Element) -> bytes:
        """The blanks that stand before the children of an element, to be put before a new one."""
        last = _last_child(parent)
        if last is not None:
            return self._blanks_before(self._spans[self._index[last]].start)
        own = self._blanks_before(self._spans[self._index[parent]].start)
        return own + b" " if b"\n" in own else b""

    def _blanks_before(self, at: int) -> bytes:
        start = at
        while start > 0 and self.packet.body[start - 1] in _BLANKS:
            start -= 1
        return self.packet.body[start:at]


def _last_child(parent: Element) -> Element | None:
    return next(parent.iterchildren(etree.Element, reversed=True), None)


def element(name: str, text: str | None = None, *, declares: Sequence[str] = (), **attributes: str) -> Element:
    """A new element named `prefix:local`; double underscores in attribute names stand for the colon.

    `declares` are prefixes that its children use.
    """
    prefixes = {name.partition(":")[0], *declares, *(a.partition("__")[0] for a in attributes)}
    made = etree.Element(_tag(name), nsmap={p: NAMESPACES[p] for p in sorted(prefixes)})
    made.text = text
    for attribute, value in attributes.items():
        made.set(_tag(attribute.replace("__", ":")), value)
    return made


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _fragment(new: Element, scope: Mapping[str | None, str], lead: bytes) -> bytes:
    """The new element as bytes: without the declarations that hold already, indented like its surroundings."""
    if b"\n" in lead:
        _indent(new, lead.rpartition(b"\n")[2].decode("ascii"))
    text = etree.tostring(new, encoding="unicode", with_tail=False)

    def declared(match: re.Match[str]) -> str:
        return "" if scope.get(match.group(1)) == match.group(2) else match.group(0)

    return _TAG.sub(lambda m: _DECLARATION.sub(declared, m.group(0)), text).encode("utf-8")


def _indent(new: Element, margin: str) -> None:
    """Give each element inside `new` a line of its own, one blank deeper per level, starting from `margin`."""
    for e in new.iter():
        if len(e):
            depth = sum(1 for _ in e.iterancestors()) + 1
            e.text = "\n" + margin + " " * depth
            for child in e:
                child.tail = e.text
            e[-1].tail = "\n" + margin + " " * (depth - 1)


def _with_attribute(head: bytes, element_: Element, name: str, value: str | None) -> bytes:
    """A start tag with one attribute changed, added or taken away."""
    uri, _, local = name[1:].partition("}")
    prefixes = [p for p, u in element_.nsmap.items() if u == uri and p]
    names = {f"{p}:{local}".encode() for p in prefixes}
    quoted = b'"' + escape(value or "", {'"': "&quot;"}).encode("utf-8") + b'"'
    for match in _ATTRIBUTE.finditer(head):
        if match.group(2) in names:
            new = b"" if value is None else match.group(1) + match.group(2) + b"=" + quoted
            return head[: match.start()] + new + head[match.end() :]
    if value is None:
        return head
    added = b" " + next(iter(sorted(names)), local.encode()) + b"=" + quoted
    cut = len(head) - (2 if head.endswith(b"/>") else 1)
    return head[:cut].rstrip() + added + head[cut:]


def _splice(body: bytes, splices: list[tuple[int, int, bytes]]) -> bytes:
    out: list[bytes] = []
    at = 0
    for start, end, new in sorted(splices, key=lambda s: (s[0], s[1])):
        if start < at:
            raise AssertionError("edits of a packet overlap")
        out += [body[at:start], new]
        at = end
    return b"".join([*out, body[at:]])
