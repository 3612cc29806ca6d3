"""Sidecars and photos by other programs, each put through everything that must leave them unharmed."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lxml import etree
from rdflib import BNode, Graph
from rdflib.term import Node

from kith_xmp import embedded, files, keywords
from kith_xmp.merge import Base, Face, Merged, Wanted, merge
from kith_xmp.packet import Unreadable, parse
from kith_xmp.read import read
from kith_xmp.regions import Frame
from kith_xmp.schema import GUESSES, REGION_INFO, REGIONS, tag
from kith_xmp.settings import Settings
from kith_xmp.write import write

NAME = "Zoë O'Neil & <Söhne> 李"
ALL = Settings(max_regions=None)
ARRAYS = (tag("rdf:Bag"), tag("rdf:Seq"))
Statement = tuple[object, ...]


@dataclass(frozen=True)
class Checked:
    """What became of one file. `reason` says why it could not be read, or has nothing to read.

    `untouched`: nothing to say wrote nothing. `region`: one more face was written, with its box. `differences`: RDF
    statements that came or went beside ours. `exiftool`, `exiv2`: they read our region; None where they could not
    read the original either, or there is no region to read.
    """

    name: str
    reason: str = ""
    untouched: bool = False
    written: bool = False
    region: bool = False
    differences: int = 0
    exiftool: bool | None = None
    exiv2: bool | None = None

    @property
    def folder(self) -> str:
        return self.name.partition("/")[0]


def packets(folder: Path) -> dict[str, tuple[bytes, Frame]]:
    """Every packet below a folder by the file's name: sidecars, and the packets inside photos."""
    found = {}
    for path in _files(folder):
        packet, frame, _ = _packet(path)
        if packet is not None:
            found[str(path.relative_to(folder))] = packet, frame
    return found


def check(folder: Path) -> list[Checked]:
    """Every file below a folder."""
    checked, written = [], {}
    for path in _files(folder):
        name = str(path.relative_to(folder))
        data, frame, reason = _packet(path)
        try:
            new, merged = add_one(data, frame) if data else (b"", None)
        except Unreadable as error:
            merged, reason = None, error.reason
        if data is None or merged is None:
            checked.append(Checked(name, reason))
            continue
        nothing = merge(Base(), Wanted(), read(data, frame)).changes
        checked.append(
            Checked(
                name,
                untouched=write(data, nothing, frame) is None,
                written=new != data and NAME in read(new, frame).names,
                region=bool(merged.changes.mwg.add),
                differences=differences(data, new),
            )
        )
        written[name] = data, new
    return [_read_by_others(one, *written[one.name]) if one.region else one for one in checked]


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.casefold() != ".csv")


def _packet(path: Path) -> tuple[bytes | None, Frame, str]:
    """The packet of a sidecar or photo, the frame its regions count in, and why there is none."""
    suffix = path.suffix[1:].casefold()
    if path.suffix.casefold() == files.SIDECAR:
        photo = path.with_suffix("")
        frame = embedded.frame(photo) if photo.suffix and photo.is_file() else Frame(0, 0, None)
        return path.read_bytes(), frame, ""
    if suffix == "exv":
        return _from_container(path), Frame(0, 0, None), ""
    try:
        packet = embedded.embedded_packet(path)
        return packet, embedded.frame(path), "" if packet else "a photo without a packet"
    except embedded.PhotoUnreadable as error:
        return None, Frame(0, 0), str(error.__cause__)


def _from_container(path: Path) -> bytes:
    """The packet in one of exiv2's containers for bare metadata, or in what only has the name of one."""
    data = path.read_bytes()
    if data.startswith(b"<"):
        return data
    return subprocess.run(["exiv2", "-pX", path], check=True, capture_output=True, timeout=60).stdout


def add_one(data: bytes, photo: Frame, settings: Settings = ALL, *, guess: bool = False) -> tuple[bytes, Merged]:
    """The packet with one more face in a corner where none is."""
    wanted = Wanted((Face(NAME, 0.97, 0.03, 0.05, 0.05, guess=guess),))
    merged = merge(Base(), wanted, read(data, photo, settings), settings)
    return write(data, merged.changes, photo) or data, merged


def differences(old: bytes, new: bytes) -> int:
    """How many statements, other than those that `add_one` adds, are in one of two packets only."""
    before, after = Counter(graph(parse(old).rdf)), Counter(graph(without_ours(new, old)))
    return ((before - after) + (after - before)).total()


def graph(rdf: etree._Element) -> tuple[Statement, ...]:
    """The RDF graph of a packet as (subject, predicate, object), sorted.

    Blank nodes are spelled out: they form trees in XMP, so equal means isomorphic.
    """
    found = Graph().parse(data=etree.tostring(rdf), format="xml", publicID="http://example.org/")
    inner = {o for o in found.objects() if isinstance(o, BNode)}

    def spelled(node: Node) -> tuple[Statement, ...]:
        about = [(str(p), spelled(o) if isinstance(o, BNode) else o.n3()) for p, o in found.predicate_objects(node)]
        return tuple(sorted(about, key=repr))

    tops = set(found.subjects()) - inner
    top = [("" if isinstance(s, BNode) else s.n3(), *statement) for s in tops for statement in spelled(s)]
    return tuple(sorted(top, key=repr))


def without_ours(data: bytes, old: bytes) -> etree._Element:
    """The RDF of a packet after taking away what `add_one` adds: whole new properties, or the last items."""
    packet, before = parse(data), parse(old)
    for name in [REGIONS, REGION_INFO, GUESSES, *(t for one in keywords.LISTS for t in one.tags)]:
        element, was = packet.element(name), before.element(name)
        if element is not None and was is None and before.holder(name) is None:
            element.getparent().remove(element)
        elif element is not None and was is not None:
            for now, then in zip(element.iter(*ARRAYS), was.iter(*ARRAYS), strict=False):
                for li in list(now)[len(then) :]:
                    now.remove(li)
    categories = tag("acdsee:categories")
    holder, element = packet.holder(categories), packet.element(categories)
    if holder is not None:
        holder.set(categories, before.text(categories) or "")
    if element is not None:
        element.text = before.text(categories)
    return packet.rdf


def _read_by_others(one: Checked, old: bytes, new: bytes) -> Checked:
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.xmp"), Path(folder, "after.xmp")
        before.write_bytes(old)
        after.write_bytes(new)
        told = exiftool(before, after)
        return replace(
            one,
            exiftool=_is_ours_in(told["after.xmp"]) if len(told["before.xmp"]) > 2 else None,
            exiv2=NAME in exiv2(after) and "mwg-rs:Area/stArea:x" in exiv2(after) if exiv2(before) else None,
        )


def _is_ours_in(entry: dict[str, Any]) -> bool:
    """Whether exiftool tells of our region, once."""
    found = entry.get("RegionInfo", {}).get("RegionList", [])
    return [r.get("Type") for r in found if r.get("Name") == NAME] == ["Face"]


def exiftool(*paths: Path) -> dict[str, dict[str, Any]]:
    """What exiftool reads of the XMP in some files, by file name."""
    command = ["exiftool", "-j", "-struct", "-XMP:all", "-charset", "utf8", *map(str, paths)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    return {Path(entry["SourceFile"]).name: entry for entry in json.loads(done.stdout)}


def exiv2(path: Path) -> str:
    """What exiv2 prints of the XMP in a file."""
    return subprocess.run(["exiv2", "-px", path], check=False, capture_output=True, text=True, timeout=60).stdout
