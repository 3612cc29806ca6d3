"""What a packet says about people: regions, names without a region, keywords, and which names are guesses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from kith_xmp import keywords, names, people, regions
from kith_xmp.packet import Packet, parse
from kith_xmp.regions import Frame, Region, RegionList
from kith_xmp.schema import GUESSES
from kith_xmp.settings import Settings


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The people of one packet.

    `regions` are the faces of all schemas, each once; `mwg` and `microsoft` are those two schemas' own lists, the
    ones that are also written; `others` are the faces of all schemas but mwg-rs. `listed` are all whom anything but a
    region names, `people` those of them who have no region. `lists` are the keyword lists that are there, to the
    letter. `guesses` are the names that Kith wrote without having been told. `frame` is the photo's, with the
    orientation that boxes were turned by; `known` are the people whom bare keywords may name.
    """

    regions: tuple[Region, ...]
    people: tuple[str, ...]
    listed: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]]
    guesses: tuple[str, ...]
    frame: Frame
    mwg: RegionList = field(default_factory=RegionList)
    microsoft: RegionList = field(default_factory=RegionList)
    others: tuple[Region, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody, with a region or without."""
        return names.unique([*(r.name for r in self.regions if r.name), *self.people])


def read(data: bytes | Packet, frame: Frame, settings: Settings | None = None, known: Collection[str] = ()) -> Sidecar:
    """Read a packet, parsed or not, for a photo of this frame.

    `known` are names of people, to be believed as bare keywords. Raises `Unreadable`, and nothing else, whatever the
    bytes.
    """
    packet, settings = parse(data), settings or Settings()
    if frame.orientation is None:
        frame = replace(frame, orientation=regions.orientation_of(packet))
    mwg = regions.read_mwg(packet, frame, settings)
    microsoft = regions.read_microsoft(packet, frame, settings)
    others = [microsoft, regions.read_iptc(packet, frame, settings), regions.read_acdsee(packet, frame, settings)]
    guesses = packet.strings(GUESSES) or ()
    doubtful = {names.key(g) for g in guesses}
    faces = tuple(
        replace(r, guess=r.name is not None and names.key(r.name) in doubtful)
        for r in regions.combine([mwg, *others], frame)
    )
    lists = keywords.read(packet)
    everybody = [n for found in (mwg, *others) for n in found.names]
    everybody += people.named(lists, known, settings)
    elsewhere = tuple(r for found in others for r in found.regions)
    listed = names.unique(everybody)[: regions.LIMIT_FACES]
    alone = people.without_box(listed, [r.name for r in faces])
    return Sidecar(faces, alone, listed, lists, guesses, frame, mwg, microsoft, elsewhere, tuple(known))


def beside(sidecar: Sidecar | None, embedded: Sidecar | None, picasa: RegionList | None = None) -> Sidecar | None:
    """What a photo's sidecar, its embedded packet and its folder's .picasa.ini say together.

    A sidecar that has mwg-rs:Regions, even empty ones, replaces the embedded regions; a sidecar that names people or
    has keywords replaces the embedded ones. Picasa's faces fill what none of them has.
    """
    first = sidecar or embedded
    if first is None or (sidecar is None and picasa is None):
        return first
    faces, who, lists = first.regions, first.people, first.lists
    if sidecar is not None and embedded is not None:
        if not sidecar.mwg.present:
            faces = regions.combine([_all(sidecar.regions), _all(embedded.regions)], sidecar.frame)
        if not sidecar.lists:
            who, lists = names.unique([*who, *embedded.people]), embedded.lists
    if picasa is not None:
        faces = regions.combine([_all(faces), picasa], first.frame)
        who = names.unique([*who, *picasa.names])
    return replace(first, regions=faces, people=people.without_box(who, [r.name for r in faces]), lists=lists)


def _all(found: tuple[Region, ...]) -> RegionList:
    return RegionList(found)
