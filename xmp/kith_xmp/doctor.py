"""What is wrong with a sidecar, and the sidecar without it where that can be mended safely.

Sidecars that darktable can no longer write: exiv2 sorts the keys of an array of structures as text, so that item 10
comes before item 2, and refuses to encode them; darktable then leaves the file as it is, without a word. Regions that
are stale: measured on another crop of the picture. Names spelled in several ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kith_xmp import keywords, names
from kith_xmp.edit import Editor
from kith_xmp.merge import Changes, ListChanges, StringChanges
from kith_xmp.packet import Element, is_struct, items, parse
from kith_xmp.read import Sidecar, read
from kith_xmp.regions import Frame, Region
from kith_xmp.schema import tag
from kith_xmp.settings import Settings
from kith_xmp.write import write

_MOST = 9
_DERIVED = tag("xmpMM:DerivedFrom")
_NOWHERE = Frame(0, 0, 1)


@dataclass(frozen=True, slots=True)
class Ailment:
    """What is wrong, as a sentence, and the whole sidecar once it is mended; None where only a person can."""

    sentence: str
    mended: bytes | None = None


def examine(
    data: bytes, frame: Frame | None = None, spelling: Mapping[str, str] | None = None, settings: Settings | None = None
) -> Iterator[Ailment]:
    """What is wrong with a sidecar; each ailment is mended by itself.

    `frame` is the photo's, None where there is none; `spelling` gives for `names.key` of a name how it should be
    spelled. Raises `Unreadable`.
    """
    settings = settings or Settings()
    yield from _many(data)
    yield from _derived(data)
    if frame is not None and read(data, frame, settings).mwg.stale:
        yield Ailment("its regions were drawn on another crop of the photo; their names are used, their boxes are not")
    yield from _spelled(data, spelling or {}, settings)


def spellings(data: bytes, settings: Settings | None = None) -> tuple[str, ...]:
    """Every name in a sidecar as it is spelled there. Raises `Unreadable`."""
    found = read(data, _NOWHERE, settings or Settings())
    regions = [r.name for r in (*found.mwg.regions, *found.microsoft.regions) if r.name]
    return tuple(dict.fromkeys([*regions, *(name for _, _, name in _named(found, settings or Settings()))]))


def _many(data: bytes) -> Iterator[Ailment]:
    for element in parse(data).rdf.iter():
        entries = items(element) if isinstance(element.tag, str) else []
        if len(entries) > _MOST and is_struct(entries[_MOST]):
            yield Ailment(f"{_name(element)} has {len(entries)} entries; darktable can write at most {_MOST}")


def _derived(data: bytes) -> Iterator[Ailment]:
    packet = parse(data)
    derived = packet.element(_DERIVED)
    if derived is not None and is_struct(derived):
        editor = Editor(packet)
        editor.remove(derived)
        why = f"{_name(derived)} is a structure; darktable wants to write a file name there and can't write the sidecar"
        yield Ailment(why, packet.encode(editor.result()))


def _spelled(data: bytes, spelling: Mapping[str, str], settings: Settings) -> Iterator[Ailment]:
    found = read(data, _NOWHERE, settings)
    wrong = {n: better for n in spellings(data, settings) if (better := spelling.get(names.key(n), n)) != n}
    if wrong:
        told = ", ".join(f"{name!r} is {better!r} elsewhere" for name, better in sorted(wrong.items()))
        yield Ailment(told, write(data, _respelled(found, wrong, settings), _NOWHERE))


def _respelled(found: Sidecar, wrong: Mapping[str, str], settings: Settings) -> Changes:
    lists: dict[str, list[tuple[str, str]]] = {}
    for one, text, name in _named(found, settings):
        if name in wrong:
            better = keywords.spell(wrong[name], keywords.BY_NAME[one], settings)
            lists.setdefault(one, []).append((text, better))
    strings = tuple(
        StringChanges(
            one, tuple(dict.fromkeys(n for _, n in pairs if n not in found.lists[one])), tuple(o for o, _ in pairs)
        )
        for one, pairs in lists.items()
    )
    return Changes(_renamed(found.mwg.regions, wrong), _renamed(found.microsoft.regions, wrong), strings)


def _renamed(regions: tuple[Region, ...], wrong: Mapping[str, str]) -> ListChanges:
    return ListChanges(rename=tuple((r.index, wrong[r.name]) for r in regions if r.name and r.name in wrong))


def _named(found: Sidecar, settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Where the keyword lists name people: the list, the string, and the name in it."""
    for one in keywords.LISTS:
        for text in found.lists.get(one.name, ()):
            flat = one.name == keywords.PERSON_IN_IMAGE or (one.name == "subject" and _in(text, found))
            name = names.person(text, settings.nobody) if flat else keywords.person_of(text, one, settings)
            if name:
                yield one.name, text, name


def _in(text: str, found: Sidecar) -> bool:
    return names.key(text) in {names.key(name) for name in found.names}


def _name(element: Element) -> str:
    return f"{element.prefix}:{element.tag.rpartition('}')[2]}" if element.prefix else str(element.tag)
