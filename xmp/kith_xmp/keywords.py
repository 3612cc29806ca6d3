"""The keyword lists that photo programs keep names in, and how each spells a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from kith_xmp import names
from kith_xmp.packet import Packet, Unreadable, parse_fragment
from kith_xmp.schema import BAG, SEQ, tag
from kith_xmp.settings import Settings


@dataclass(frozen=True, slots=True)
class KeywordList:
    """One list: its property (and other URIs it is seen under), its array, and what separates levels ("": flat).

    `mirror` lists are kept in step where they exist and never created.
    """

    name: str
    tags: tuple[str, ...]
    array: str
    separator: str
    mirror: bool = False


PERSON_IN_IMAGE: Final = "PersonInImage"
CATEGORIES: Final = "categories"
LISTS: Final = (
    KeywordList(PERSON_IN_IMAGE, (tag("Iptc4xmpExt:PersonInImage"),), BAG, ""),
    KeywordList("subject", (tag("dc:subject"),), BAG, ""),
    KeywordList("hierarchicalSubject", (tag("lr:hierarchicalSubject"),), BAG, "|"),
    KeywordList("TagsList", (tag("digiKam:TagsList"),), SEQ, "/"),
    KeywordList(
        "LastKeywordXMP",
        (tag("MicrosoftPhoto:LastKeywordXMP"), "{http://ns.microsoft.com/photo/1.0}LastKeywordXMP"),
        BAG,
        "/",
        mirror=True,
    ),
    KeywordList("CatalogSets", (tag("mediapro:CatalogSets"),), BAG, "|", mirror=True),
    KeywordList(CATEGORIES, (tag("acdsee:categories"),), BAG, "/", mirror=True),
)
BY_NAME: Final = {one.name: one for one in LISTS}

# digiKam reads the first of these that isn't empty.
_READING_ORDER: Final = ("TagsList", "LastKeywordXMP", "hierarchicalSubject", "CatalogSets", CATEGORIES)


def read(packet: Packet) -> dict[str, tuple[str, ...]]:
    """The keyword lists that are there, by name."""
    found: dict[str, tuple[str, ...]] = {}
    for one in LISTS:
        strings = next((s for t in one.tags if (s := packet.strings(t)) is not None), None)
        if strings is not None:
            found[one.name] = category_paths(strings[0] if strings else "") if one.name == CATEGORIES else strings
    return found


def spell(name: str, one: KeywordList, settings: Settings) -> str:
    """How a list spells a person: the bare name, or a path under the people root."""
    name = names.clean(name)
    if not one.separator:
        return name
    level = name.replace("|", settings.pipe).replace("/", settings.slash)
    return f"{settings.people_root}{one.separator}{level}"


def person_of(keyword: str, one: KeywordList, settings: Settings) -> str | None:
    """The person a path under the people root ends in; None for other keywords and flat lists."""
    if not one.separator:
        return None
    levels = keyword.split(one.separator)
    if len(levels) < 2 or not names.same(levels[0].strip(), settings.people_root):
        return None
    leaf = levels[-1].replace(settings.slash, "/").replace(settings.pipe, "|")
    return names.person(leaf, settings.nobody)


def carried_over(one: KeywordList, lists: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """All existing keywords, as a list about to be created spells them: its readers look at no other list.

    The hierarchical list that readers prefer, and each flat keyword that is no level of it.
    """
    source = next((BY_NAME[n] for n in _READING_ORDER if lists.get(n)), None)
    paths = [k.split(source.separator) for k in lists[source.name]] if source else []
    levels = {names.key(level) for path in paths for level in path}
    flat = [k for k in lists.get("subject", ()) if names.key(k) not in levels]
    return names.unique([*(one.separator.join(p) for p in paths), *flat])


def category_paths(xml: str) -> tuple[str, ...]:
    """The assigned categories of ACDSee's little XML as paths; () for what can't be read."""
    root = _categories(xml)
    if root is None:
        return ()
    assigned = [c for c in root.iter("Category") if c.get("Assigned") == "1"]
    return tuple("/".join(_path(c)) for c in assigned)


def categories(xml: str, add: Iterable[str], remove: Iterable[str]) -> str:
    """ACDSee's XML with paths added and taken away; unchanged where it can't be read."""
    root = _categories(xml)
    if root is None:
        return xml
    gone = set(remove)
    for category in list(root.iter("Category")):
        if category.get("Assigned") == "1" and "/".join(_path(category)) in gone:
            _drop(category)
    for path in add:
        _assign(root, path.split("/"))
    return etree.tostring(root, encoding="unicode")


def _categories(xml: str) -> etree._Element | None:
    try:
        root = parse_fragment(xml)
    except Unreadable:
        return None
    return root if root.tag == "Categories" else None


def _path(category: etree._Element) -> Sequence[str]:
    chain = [category, *category.iterancestors("Category")]
    return [(c.text or "").strip() for c in reversed(chain)]


def _drop(category: etree._Element) -> None:
    """Take a category away; one that holds others is only no longer assigned."""
    parent = category.getparent()
    if len(category) or parent is None:
        category.set("Assigned", "0")
    else:
        parent.remove(category)


def _assign(root: etree._Element, path: Sequence[str]) -> None:
    node = root
    for level in path:
        child = next((c for c in node.iterchildren("Category") if (c.text or "").strip() == level), None)
        if child is None:
            child = etree.SubElement(node, "Category", Assigned="0")
            child.text = level
        node = child
    node.set("Assigned", "1")
