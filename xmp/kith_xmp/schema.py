"""The XMP namespaces and property names of SIDECARS, spelled once.

Sources: MWG Guidelines 2.0 section 5.9, the IPTC Photo Metadata Standard 2021.1, exiftool's tag tables and
`acdsee.config`, and files written by digiKam, Lightroom and ACDSee.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NAMESPACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xml": "http://www.w3.org/XML/1998/namespace",
        "x": "adobe:ns:meta/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
        "xmpNote": "http://ns.adobe.com/xmp/note/",
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
        "stArea": "http://ns.adobe.com/xmp/sType/Area#",
        "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
        "MP": "http://ns.microsoft.com/photo/1.2/",
        "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
        "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
        "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
        "lr": "http://ns.adobe.com/lightroom/1.0/",
        "digiKam": "http://www.digikam.org/ns/1.0/",
        "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
        "acdsee": "http://ns.acdsee.com/iptc/1.0/",
        "acdsee-rs": "http://ns.acdsee.com/regions/",
        "acdsee-stArea": "http://ns.acdsee.com/sType/Area#",
        "acdsee-stDim": "http://ns.acdsee.com/sType/Dimensions#",
        "kith": "https://kith.invalid/ns/1.0/",
    }
)


def tag(name: str) -> str:
    """The name `prefix:local` in the `{uri}local` form of lxml."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


RDF: Final = tag("rdf:RDF")
DESCRIPTION: Final = tag("rdf:Description")
LI: Final = tag("rdf:li")
BAG: Final = tag("rdf:Bag")
SEQ: Final = tag("rdf:Seq")
ARRAYS: Final = (BAG, SEQ, tag("rdf:Alt"))
PARSE_TYPE: Final = tag("rdf:parseType")
REGIONS: Final = tag("mwg-rs:Regions")
REGION_INFO: Final = tag("MP:RegionInfo")
GUESSES: Final = tag("kith:Guesses")
