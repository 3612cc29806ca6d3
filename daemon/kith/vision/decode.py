"""From a photo's bytes to upright pixels: what the header says first, then only as many pixels as are needed."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL.TiffImagePlugin import TiffImageFile

from kith.errors import PhotoTooLarge, PhotoUnreadable
from kith.files import file_error, show
from kith.types import Image
from kith.vision.formats import RAW_SUFFIXES, Limits

IMAGE_WIDTH, IMAGE_LENGTH = 0x0100, 0x0101
ORIENTATION, EXIF_IFD, DATE_ORIGINAL, SUBSECONDS_ORIGINAL = 0x0112, 0x8769, 0x9003, 0x9291
LIBRAW_FLIPS = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's sizes.flip -> EXIF orientation
REDUCTIONS = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}
JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"
TRANSPOSING = frozenset((5, 6, 7, 8))
TURNED_BY_DECODER = frozenset(("TIFF",))  # libtiff's and Pillow's readers both undo the orientation
PREVIEW_ENOUGH = 1000  # a RAW's embedded preview is good enough from this long side


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A photo whose header has been read and whose pixels haven't.

    `width` and `height` are the stored pixels, `orientation` (EXIF 1..8) turns them into the displayed picture and is
    1 where the file doesn't say (`oriented` is False then) or the format turns its pictures itself (HEIC). `turn` is
    the orientation that decoded pixels still need: `orientation`, but where camera or decoder have turned them.
    """

    name: str
    width: int
    height: int
    orientation: int
    turn: int
    oriented: bool
    captured_at: float | None
    decode: Callable[[int], Image] = field(repr=False)

    def pixels(self, long_side: int | None = None) -> Image:
        """The displayed picture, BGR uint8, with a long side of at least `long_side` pixels, or of all there are.

        Smaller only where the photo is; larger where the format can't be decoded at less. Raises PhotoUnreadable.
        """
        return upright(self.decode(long_side or max(self.width, self.height)), self.turn)


def open_picture(path: Path | bytes, limits: Limits) -> Picture:
    """Read a photo's file once and its header.

    Raises FileVanished, PermissionDenied, PhotoTooLarge and PhotoUnreadable, each naming the file.
    """
    name = show(path)
    data = read(path, limits)
    raw = os.fsencode(path).lower().endswith(tuple(suffix.encode() for suffix in RAW_SUFFIXES))
    if raw and not data.startswith(JPEG_START):
        return _raw(data, name, limits)
    return _picture(data, name, limits)


def read(path: Path | bytes, limits: Limits) -> bytes:
    """A regular file's bytes; anything else, or too much, is refused. Opens for reading only and never waits."""
    name = show(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PhotoUnreadable(f"{name} is not a regular file; it is left alone.")
            if status.st_size > limits.megabytes * 1e6:
                raise PhotoTooLarge(
                    f"{name} has {status.st_size / 1e6:.0f} MB, more than the limit of {limits.megabytes:g} MB; "
                    "raise the limit in the settings if the file is meant."
                )
            return file.read()
    except OSError as error:
        raise file_error(path, error) from error


def upright(image: Image, orientation: int) -> Image:
    """The displayed picture of stored pixels (H, W, 3): EXIF orientation 1..8 undone."""
    turned: Image = cv2.transpose(image) if orientation in TRANSPOSING else image
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return turned if flip is None else cv2.flip(turned, flip)


def _picture(data: bytes, name: str, limits: Limits) -> Picture:
    """A photo in any format that isn't a camera's RAW, told by its content."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    try:
        with Pillow.open(io.BytesIO(data)) as header:
            form, (width, height), exif = str(header.format), _stored_size(header), header.getexif()
    except Pillow.DecompressionBombError as error:
        raise PhotoTooLarge(f"{name} claims more pixels than any photo has; it is left alone.") from error
    except Exception as error:  # Pillow's readers raise nearly anything on damaged headers
        raise _unreadable(name, "it is empty" if not data else "it is no picture that Kith knows") from error
    _check_size(name, width, height, limits)
    told = exif.get(ORIENTATION)
    oriented = isinstance(told, int) and told in range(1, 9)
    orientation = told if isinstance(told, int) and oriented else 1
    decoder = DECODERS.get(form, _opencv)
    decode = partial(decoder, data, name, max(width, height))
    turn = 1 if form in TURNED_BY_DECODER else orientation
    return Picture(name, width, height, orientation, turn, oriented, captured_at(exif), decode)


def _stored_size(header: Pillow.Image) -> tuple[int, int]:
    """Width and height before orientation; of TIFFs Pillow gives them after."""
    if isinstance(header, TiffImageFile):
        return int(header.tag_v2[IMAGE_WIDTH]), int(header.tag_v2[IMAGE_LENGTH])
    return header.size


def _raw(data: bytes, name: str, limits: Limits) -> Picture:
    """A camera's RAW: its embedded preview, or a half-size development where that is missing or tiny."""
    import rawpy

    try:
        with rawpy.RawPy() as raw:
            raw.open_buffer(io.BytesIO(data))
            sizes, clock = raw.sizes, raw.other.timestamp
            thumbnail = _thumbnail(raw)
    except Exception:  # noqa: BLE001  LibRaw's errors have no useful common base; a RAW by name may be another picture by content
        return _picture(data, name, limits)
    width, height = sizes.width, sizes.height
    _check_size(name, width, height, limits)
    orientation = LIBRAW_FLIPS.get(sizes.flip, 1)
    taken = _exif_captured_at(data) or _exif_captured_at(thumbnail or b"") or _wall_clock(clock)
    preview = _preview(thumbnail, name, limits)
    if preview is None:
        return Picture(name, width, height, orientation, orientation, True, taken, partial(_developed, data, name))
    turned = orientation in TRANSPOSING and (width > height) != (preview.width > preview.height)
    turn = 1 if turned else orientation
    return Picture(name, width, height, orientation, turn, True, taken, preview.decode)


def _thumbnail(raw: Any) -> bytes | None:
    """The embedded JPEG of an opened RAW, if it has one."""
    import rawpy

    try:
        thumbnail = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    return bytes(thumbnail.data) if thumbnail.format == rawpy.ThumbFormat.JPEG else None


def _preview(thumbnail: bytes | None, name: str, limits: Limits) -> Picture | None:
    """A RAW's preview, if it is a sound JPEG of a useful size."""
    if thumbnail is None:
        return None
    try:
        preview = _picture(thumbnail, name, limits)
    except (PhotoUnreadable, PhotoTooLarge):
        return None
    return preview if max(preview.width, preview.height) >= PREVIEW_ENOUGH else None


def _check_size(name: str, width: int, height: int, limits: Limits) -> None:
    if width * height > limits.megapixels * 1e6:
        raise PhotoTooLarge(
            f"{name} has {width * height / 1e6:.0f} megapixels, more than the limit of {limits.megapixels:g}; "
            "raise the limit in the settings if the file is meant."
        )


def _unreadable(name: str, why: str) -> PhotoUnreadable:
    return PhotoUnreadable(f"{name} can't be read: {why}. It will be tried again when it changes.")


def captured_at(exif: Any) -> float | None:
    """DateTimeOriginal with its subseconds, as seconds since 1970 of the camera's wall clock; None if not valid."""
    try:
        ifd = exif.get_ifd(EXIF_IFD)
        text = str(ifd.get(DATE_ORIGINAL, "")).strip("\0 ")
        digits = str(ifd.get(SUBSECONDS_ORIGINAL, "")).strip("\0 ")
        seconds = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except Exception:  # noqa: BLE001  a damaged date is no date
        return None
    return seconds + (float(f"0.{digits}") if digits.isascii() and digits.isdigit() else 0.0)


def _exif_captured_at(data: bytes) -> float | None:
    """The capture time of a RAW built on TIFF, or of a JPEG; None of anything else."""
    try:
        if data.startswith(JPEG_START):
            with Pillow.open(io.BytesIO(data)) as picture:
                return captured_at(picture.getexif())
        exif = Pillow.Exif()
        exif.load(data)
    except Exception:  # noqa: BLE001  not a TIFF, or a damaged one
        return None
    return captured_at(exif)


def _wall_clock(moment: datetime) -> float | None:
    """LibRaw reads the camera's clock as local time: the same digits as UTC. None for a clock that isn't set."""
    if moment.timestamp() <= 0:
        return None
    return datetime.fromtimestamp(moment.timestamp()).replace(tzinfo=UTC).timestamp()


def _jpeg(data: bytes, name: str, side: int, long_side: int) -> Image:
    """A JPEG of long side `side` at the smallest DCT scale (1/8, 1/4, 1/2, 1) that leaves `long_side` pixels."""
    if data.find(JPEG_END, data.find(JPEG_SCAN)) < 0:
        raise _unreadable(name, "it is truncated, its end is missing")
    fitting = (mode for factor, mode in REDUCTIONS.items() if side >= factor * long_side)
    return _decoded(data, name, next(fitting, cv2.IMREAD_COLOR))


def _opencv(data: bytes, name: str, _side: int, _long_side: int) -> Image:
    """Any depth, grey, palette or CMYK picture as BGR uint8; transparency is dropped."""
    return _decoded(data, name, cv2.IMREAD_COLOR)


def _decoded(data: bytes, name: str, mode: int) -> Image:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), mode | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    return _pillow(data, name) if image is None else image


def _pillow(data: bytes, name: str, _side: int = 0, _long_side: int = 0) -> Image:
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            rgb = np.asarray(picture.convert("RGB"))
    except Exception as error:  # Pillow's readers raise nearly anything on damaged data
        why = "it is truncated" if "truncated" in str(error) else "its pixels are damaged"
        raise _unreadable(name, why) from error
    image: Image = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return image


def _developed(data: bytes, name: str, _long_side: int) -> Image:
    """A RAW developed at half size, as stored."""
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            rgb = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8, user_flip=0)
    except Exception as error:  # LibRaw's errors have no useful common base
        raise _unreadable(name, "its RAW data is damaged or of an unknown kind") from error
    image: Image = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return image


DECODERS: Mapping[str, Callable[[bytes, str, int, int], Image]] = {
    "JPEG": _jpeg,
    "MPO": _jpeg,
    "HEIF": _pillow,
    "AVIF": _pillow,
}
