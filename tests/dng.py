"""A minimal DNG file, since there are no small free ones: Bayer data, a JPEG preview, an orientation, a date."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np

BYTE, ASCII, SHORT, LONG, SRATIONAL = 1, 2, 3, 4, 10


def dng(rgb: np.ndarray, orientation: int, preview: bytes | None, taken: str = "2019:07:06 12:13:14") -> bytes:
    """A DNG of an RGB picture (H, W, 3) uint8, as stored; sides must be even. TIFF 6.0 and Adobe's DNG 1.4."""
    height, width = rgb.shape[:2]
    bayer = rgb[..., 1].astype("<u2") * 256
    bayer[::2, ::2], bayer[1::2, 1::2] = rgb[::2, ::2, 0].astype("<u2") * 256, rgb[1::2, 1::2, 2].astype("<u2") * 256
    matrix = [Fraction(v, 10000) for v in (10000, 0, 0, 0, 10000, 0, 0, 0, 10000)]
    out = bytearray(b"II*\0\0\0\0\0")
    raw_at = _append(out, bayer.tobytes())
    exif_at = _directory(out, [(0x9003, ASCII, taken.encode() + b"\0")])
    tags = [
        (254, LONG, [0]), (256, LONG, [width]), (257, LONG, [height]), (258, SHORT, [16]), (259, SHORT, [1]),
        (262, SHORT, [32803]), (271, ASCII, b"Kith\0"), (272, ASCII, b"Test\0"), (273, LONG, [raw_at]),
        (274, SHORT, [orientation]), (277, SHORT, [1]), (278, LONG, [height]), (279, LONG, [bayer.nbytes]),
        (284, SHORT, [1]), (33421, SHORT, [2, 2]), (33422, BYTE, bytes([0, 1, 1, 2])), (34665, LONG, [exif_at]),
        (50706, BYTE, bytes([1, 4, 0, 0])), (50708, ASCII, b"Kith Test\0"), (50721, SRATIONAL, matrix),
    ]  # fmt: skip
    if preview is not None:
        preview_at = _append(out, preview)
        side = _jpeg_size(preview)
        sub = [
            (254, LONG, [1]), (256, LONG, [side[1]]), (257, LONG, [side[0]]), (258, SHORT, [8, 8, 8]),
            (259, SHORT, [7]), (262, SHORT, [6]), (273, LONG, [preview_at]), (277, SHORT, [3]),
            (278, LONG, [side[0]]), (279, LONG, [len(preview)]),
        ]  # fmt: skip
        tags.append((330, LONG, [_directory(out, sub)]))
    struct.pack_into("<I", out, 4, _directory(out, sorted(tags, key=lambda tag: tag[0])))
    return bytes(out)


def _append(out: bytearray, data: bytes) -> int:
    out += b"\0" * (-len(out) % 4)
    at = len(out)
    out += data
    return at


def _directory(out: bytearray, tags: list[tuple]) -> int:
    entries = b""
    for tag, kind, values in tags:
        data, count = _packed(kind, values)
        where = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", _append(out, data))
        entries += struct.pack("<HHI", tag, kind, count) + where
    return _append(out, struct.pack("<H", len(tags)) + entries + b"\0\0\0\0")


def _packed(kind: int, values) -> tuple[bytes, int]:
    if kind in (BYTE, ASCII):
        return bytes(values), len(values)
    if kind == SRATIONAL:
        return b"".join(struct.pack("<ii", v.numerator, v.denominator) for v in values), len(values)
    return struct.pack(f"<{len(values)}{'H' if kind == SHORT else 'I'}", *values), len(values)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    import cv2

    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]
