"""What a photo says about itself: its packet, its stored size and orientation, its IPTC and EXIF captions.

Pillow and pillow-heif give the packets of ordinary images to the byte. RAW files are read with pyexiv2, which is
not thread-safe and keeps global state: call this from one thread of a process of its own. Nothing here writes.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from kith_xmp import heif
from kith_xmp.files import RAW
from kith_xmp.regions import Frame
from kith_xmp.seed import Legacy

_HEIF: Final = frozenset({"heic", "heif", "hif", "avif"})
_TIFF_PACKET: Final = 700
_ORIENTATION: Final = 0x0112
_MUTE: Final = 4
# IPTC-IIM datasets and EXIF tags, by the field of `Legacy` that they fill.
_IPTC: Final = {(2, 25): "subject", (2, 120): "description", (2, 5): "title", (2, 80): "creator", (2, 116): "rights"}
_EXIF: Final = {0x010E: "description", 0x013B: "creator", 0x8298: "rights", 0x4746: "rating"}
_RAW_IPTC: Final = {
    "Iptc.Application2.Keywords": "subject",
    "Iptc.Application2.Caption": "description",
    "Iptc.Application2.ObjectName": "title",
    "Iptc.Application2.Byline": "creator",
    "Iptc.Application2.Copyright": "rights",
}
_RAW_EXIF: Final = {
    "Exif.Image.ImageDescription": "description",
    "Exif.Image.Artist": "creator",
    "Exif.Image.Copyright": "rights",
    "Exif.Image.Rating": "rating",
}
_LISTS: Final = ("subject", "creator")


T = TypeVar("T")


class PhotoUnreadable(Exception):
    """The photo's metadata can't be read; the message says which photo and why."""


def embedded_packet(photo: Path) -> bytes | None:
    """The bytes of the XMP packet inside a photo, None if it has none. Raises `PhotoUnreadable`."""
    extension = photo.suffix[1:].casefold()
    if extension in RAW:
        return _read(photo, lambda: _raw_packet(photo))
    found = _read(photo, lambda: _heif_info(photo) if extension in _HEIF else _pillow_info(photo))
    packet = found.get("xmp")
    if isinstance(packet, str):
        packet = packet.encode("utf-8")
    return packet.rstrip(b"\0") or None if isinstance(packet, bytes) else None


def frame(photo: Path) -> Frame:
    """The stored size and the orientation of a photo that is no RAW; orientation None where it says none.

    A HEIC or AVIF is turned by its container, whatever its EXIF says; decoders show it turned already, but regions
    are kept in the pixels before that. Raises `PhotoUnreadable`.
    """
    if photo.suffix[1:].casefold() not in _HEIF:
        info = _read(photo, lambda: _pillow_info(photo))
        width, height = info["size"]
        return Frame(width, height, info["orientation"])
    width, height = _read(photo, lambda: _heif_info(photo))["size"]
    turn = _read(photo, lambda: heif.orientation(photo))
    return Frame(height, width, turn) if turn >= 5 else Frame(width, height, turn)


def legacy(photo: Path) -> Legacy:
    """What a photo's IPTC and EXIF say of title, caption, keywords, author, rights and rating.

    Raises `PhotoUnreadable`.
    """
    extension = photo.suffix[1:].casefold()
    if extension in RAW:
        return _read(photo, lambda: _raw_legacy(photo))
    if extension in _HEIF:
        return _legacy({}, _read(photo, lambda: _heif_info(photo))["exif"])
    info = _read(photo, lambda: _pillow_info(photo))
    return _legacy(info["iptc"], info["exif"])


def _read(photo: Path, read: Callable[[], T]) -> T:
    """Run a reader; whatever a broken photo makes a decoder raise is one kind of error here."""
    try:
        return read()
    except Exception as e:
        raise PhotoUnreadable(f"{photo}: its metadata can't be read ({type(e).__name__}: {e})") from e


def _pillow_info(photo: Path) -> dict[str, Any]:
    from PIL import Image, IptcImagePlugin

    with _any_size(), Image.open(photo) as image:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION)
        packet = image.info.get("xmp") or exif.get(_TIFF_PACKET)
        iptc: dict[tuple[int, int], Any] = {}
        with contextlib.suppress(Exception):
            iptc = IptcImagePlugin.getiptcinfo(image) or {}
        return {
            "xmp": packet,
            "size": image.size,
            "orientation": orientation if isinstance(orientation, int) else None,
            "exif": dict(exif),
            "iptc": iptc,
        }


def _heif_info(photo: Path) -> dict[str, Any]:
    import pillow_heif
    from PIL import Image

    image = pillow_heif.open_heif(photo, convert_hdr_to_8bit=False)
    exif = Image.Exif()
    if image.info.get("exif"):
        exif.load(image.info["exif"])
    return {"xmp": image.info.get("xmp"), "size": image.size, "exif": dict(exif)}


def _raw(photo: Path) -> Any:
    import pyexiv2

    pyexiv2.set_log_level(_MUTE)
    return pyexiv2.Image(str(photo))


def _raw_packet(photo: Path) -> bytes | None:
    with contextlib.closing(_raw(photo)) as image:
        packet: str = image.read_raw_xmp()
    return packet.encode("utf-8") or None


def _raw_legacy(photo: Path) -> Legacy:
    with contextlib.closing(_raw(photo)) as image:
        iptc, exif = image.read_iptc(), image.read_exif()
    fields: dict[str, Any] = {}
    for source, names in ((iptc, _RAW_IPTC), (exif, _RAW_EXIF)):
        for key, name in names.items():
            if source.get(key):
                fields.setdefault(name, source[key])
    return _as_legacy(fields)


def _legacy(iptc: Mapping[tuple[int, int], Any], exif: Mapping[int, Any]) -> Legacy:
    fields: dict[str, Any] = {}
    for dataset, name in _IPTC.items():
        if dataset in iptc:
            raw = iptc[dataset]
            fields[name] = [_text(r) for r in (raw if isinstance(raw, list) else [raw])]
    for code, name in _EXIF.items():
        if code in exif:
            raw = exif[code]
            fields.setdefault(name, _text(raw) if isinstance(raw, str) else raw)
    return _as_legacy(fields)


def _as_legacy(fields: Mapping[str, Any]) -> Legacy:
    """IPTC's strings and lists, EXIF's strings and numbers, as the fields of `Legacy`."""
    values: dict[str, Any] = {}
    for name, raw in fields.items():
        texts = [t for r in (raw if isinstance(raw, list) else [raw]) if (t := str(r).strip("\0 \t\r\n"))]
        if name in _LISTS:
            values[name] = tuple(texts)
        elif name == "rating":
            values[name] = int(texts[0]) if texts and re.fullmatch(r"[0-5]", texts[0]) else None
        else:
            values[name] = texts[0] if texts else None
    return Legacy(**values)


def _text(raw: bytes | str) -> str:
    """UTF-8, as nearly all programs write it though IPTC and EXIF don't say so, else Latin-1."""
    try:
        data = raw.encode("latin-1") if isinstance(raw, str) else raw
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
    except UnicodeEncodeError:
        return str(raw)


@contextlib.contextmanager
def _any_size() -> Iterator[None]:
    """Let Pillow open the heads of pictures of any size: no pixels are decoded here."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
