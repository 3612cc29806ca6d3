"""How the container of a HEIC or AVIF turns its picture (irot, imir), as an EXIF orientation.

Decoders apply these and then forget them, but regions are kept in the pixels before. Source: ISO/IEC 23008-12
(HEIF), boxes meta, pitm, iprp, ipco, ipma, irot and imir.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_META_LIMIT: Final = 16 * 2**20
# Quarter turns to the left and then a mirror (None, 0: top and bottom change places, 1: left and right).
_ORIENTATION: Final = {
    (0, None): 1,
    (0, 1): 2,
    (2, None): 3,
    (0, 0): 4,
    (3, 1): 5,
    (1, 0): 5,
    (3, None): 6,
    (3, 0): 7,
    (1, 1): 7,
    (1, None): 8,
    (2, 0): 2,
    (2, 1): 4,
}


def orientation(photo: Path) -> int:
    """The orientation 1..8 of the primary picture; 1 where the container says nothing that can be read."""
    with photo.open("rb") as file:
        meta = _meta(file)
    try:
        return _of_primary(meta)
    except (IndexError, StopIteration, RuntimeError):
        return 1


def _meta(file: BinaryIO) -> bytes:
    """The content of the top-level meta box; empty if there is none."""
    while len(head := file.read(8)) == 8:
        size, kind = int.from_bytes(head[:4]), head[4:]
        skip = 8
        if size == 1:
            size, skip = int.from_bytes(file.read(8)), 16
        if kind == b"meta":
            return file.read(min(size - skip, _META_LIMIT)) if size >= skip else b""
        if size < skip:
            return b""
        file.seek(size - skip, 1)
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def _of_primary(meta: bytes) -> int:
    boxes = dict(_boxes(meta[4:]))
    pitm = boxes.get(b"pitm", b"")
    primary = int.from_bytes(pitm[4:6] if pitm[:1] == b"\0" else pitm[4:8])
    inner = list(_boxes(boxes.get(b"iprp", b"")))
    properties = list(_boxes(next(d for k, d in inner if k == b"ipco")))
    turns, mirror = 0, None
    for index in (i for k, d in inner if k == b"ipma" for i in _associated(d, primary)):
        kind, data = properties[index - 1]
        if kind == b"irot":
            turns = data[0] & 3
        elif kind == b"imir":
            mirror = data[0] & 1
    return _ORIENTATION[(turns, mirror)]


def _associated(ipma: bytes, primary: int) -> list[int]:
    """The property indices, from 1, of one item."""
    wide_id, wide_index = ipma[0] >= 1, ipma[3] & 1
    at = 8
    for _ in range(int.from_bytes(ipma[4:8])):
        id_size, index_size = (4 if wide_id else 2), (2 if wide_index else 1)
        item = int.from_bytes(ipma[at : at + id_size])
        count = ipma[at + id_size]
        at += id_size + 1
        if item == primary:
            found = [int.from_bytes(ipma[at + n * index_size : at + (n + 1) * index_size]) for n in range(count)]
            return [i & (0x7FFF if wide_index else 0x7F) for i in found if i & (0x7FFF if wide_index else 0x7F)]
        at += count * index_size
    return []
