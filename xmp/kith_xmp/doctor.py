"""Sidecars that darktable can no longer write, and why.

exiv2 sorts the keys of an array of structures as text, so that item 10 comes before item 2, and refuses to encode
them; darktable then leaves the file as it is, without a word.
"""

from __future__ import annotations

from kith_xmp.packet import Element, is_struct, items, parse
from kith_xmp.schema import tag

_MOST = 9


def blockers(data: bytes) -> tuple[str, ...]:
    """What in a sidecar keeps darktable from writing it, as sentences; () if nothing does. Raises `Unreadable`."""
    packet = parse(data)
    found = []
    for element in packet.rdf.iter():
        entries = items(element) if isinstance(element.tag, str) else []
        if len(entries) > _MOST and is_struct(entries[_MOST]):
            found.append(f"{_name(element)} has {len(entries)} entries; darktable can write at most {_MOST}")
    derived = packet.element(tag("xmpMM:DerivedFrom"))
    if derived is not None and is_struct(derived):
        found.append(f"{_name(derived)} is a structure; darktable wants to write a file name there")
    return tuple(found)


def _name(element: Element) -> str:
    return f"{element.prefix}:{element.tag.rpartition('}')[2]}" if element.prefix else str(element.tag)
