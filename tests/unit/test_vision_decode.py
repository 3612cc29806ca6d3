"""What decoding photos promises."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from dng import dng
from kith.errors import FileVanished, KithError, PermissionDenied, PhotoTooLarge, PhotoUnreadable
from kith.vision import Limits, is_photo
from kith.vision.decode import open_picture, upright
from laws import tried

pillow_heif.register_heif_opener()
STORED = {  # EXIF orientation -> how the displayed picture was turned to be stored
    1: None, 2: Pillow.FLIP_LEFT_RIGHT, 3: Pillow.ROTATE_180, 4: Pillow.FLIP_TOP_BOTTOM, 5: Pillow.TRANSPOSE,
    6: Pillow.ROTATE_90, 7: Pillow.TRANSVERSE, 8: Pillow.ROTATE_270,
}  # fmt: skip


def scene(width: int = 160, height: int = 96) -> Pillow.Image:
    """Smooth, coloured, and different in every corner."""
    y, x = np.mgrid[:height, :width]
    x, y = x / width, y / height
    return Pillow.fromarray((np.stack([x, y, (1 - x) * (1 - y)], -1) * 255).astype(np.uint8))


def saved(picture: Pillow.Image, form: str, orientation: int | None = None, **options) -> bytes:
    exif = Pillow.Exif()
    if orientation is not None:
        exif[274] = orientation
    if form == "JPEG":
        options.setdefault("quality", 95)
    out = io.BytesIO()
    picture.save(out, form, **({"exif": exif.tobytes()} if orientation else {}), **options)
    return out.getvalue()


def written(folder: Path, data: bytes, name: str = "photo.jpg") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def difference(image: np.ndarray, picture: Pillow.Image) -> float:
    rgb = np.asarray(picture.convert("RGB"))
    assert image.shape == rgb.shape
    return float(np.abs(image[..., ::-1].astype(int) - rgb).mean())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_undone_once(tmp_path: Path, form: str, orientation: int) -> None:
    turn = STORED[orientation]
    stored = scene() if turn is None else scene().transpose(turn)
    picture = open_picture(written(tmp_path, saved(stored, form, orientation)), Limits())
    assert difference(picture.pixels(), scene()) < 4
    if form != "HEIF":  # libheif hands pictures out upright
        assert (picture.width, picture.height, picture.orientation) == (*stored.size, orientation)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_matches_pillows(orientation: int) -> None:
    turn = STORED[orientation]
    stored = scene() if turn is None else scene().transpose(turn)
    assert difference(upright(np.asarray(stored)[..., ::-1], orientation), scene()) == 0


@pytest.mark.parametrize(
    ("form", "mode"),
    [("JPEG", mode) for mode in ("L", "CMYK")]
    + [("PNG", mode) for mode in ("L", "P", "RGBA", "LA", "1")]
    + [("TIFF", mode) for mode in ("L", "P", "RGBA", "LA", "1", "CMYK")],
)
def test_every_kind_of_pixel_is_read(tmp_path: Path, form: str, mode: str) -> None:
    picture = scene().convert(mode)
    image = open_picture(written(tmp_path, saved(picture, form)), Limits()).pixels()
    assert difference(image, picture) < 4


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_sixteen_bits_become_eight(tmp_path: Path, suffix: str, grey: bool) -> None:
    bgr = np.asarray(scene())[..., ::-1]
    deep = (bgr[..., 0] if grey else bgr).astype(np.uint16) * 257
    data = cv2.imencode(suffix, deep)[1].tobytes()
    image = open_picture(written(tmp_path, data, f"deep{suffix}"), Limits()).pixels()
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - (bgr[..., :1] if grey else bgr)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_deep_tiff_is_turned_once(tmp_path: Path, orientation: int) -> None:
    turn = STORED[orientation]
    grey = scene().convert("L") if turn is None else scene().convert("L").transpose(turn)
    deep = Pillow.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    image = open_picture(written(tmp_path, saved(deep, "TIFF", orientation)), Limits()).pixels()
    assert difference(image, scene().convert("L")) < 2


def test_a_misnamed_photo_is_read_by_its_content(tmp_path: Path) -> None:
    for name in ("really.jpg", "really.NEF", "really.heic"):
        path = written(tmp_path, saved(scene(), "PNG"), name)
        assert difference(open_picture(path, Limits()).pixels(), scene()) == 0


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_photo_is_refused(tmp_path: Path, form: str, share: float) -> None:
    data = saved(scene(640, 480), form)
    path = written(tmp_path, data[: int(len(data) * share)])
    with pytest.raises(PhotoUnreadable, match=r"photo\.jpg can't be read"):
        open_picture(path, Limits()).pixels()


def test_what_is_no_photo_is_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    written(tmp_path, b"Dear diary,\n" * 50, "text.jpg")
    written(tmp_path, b"", "empty.jpg")
    written(tmp_path, b"II*\0nonsense" * 50, "raw.nef")
    for name in ("pipe.jpg", "folder.jpg", "text.jpg", "empty.jpg", "raw.nef"):
        with pytest.raises(PhotoUnreadable, match=name):
            open_picture(tmp_path / name, Limits()).pixels()


def test_a_vanished_photo_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileVanished, match=r"gone\.jpg"):
        open_picture(tmp_path / "gone.jpg", Limits())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_photo_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, saved(scene(), "JPEG"))
    path.chmod(0)
    with pytest.raises(PermissionDenied, match=r"photo\.jpg"):
        open_picture(path, Limits())


def test_any_file_name_works_and_prints(tmp_path: Path) -> None:
    name = b"a\nb\xff.jpg"
    path = os.fsencode(tmp_path) + b"/" + name
    with pytest.raises(FileVanished) as gone:
        open_picture(path, Limits())
    assert gone.value.message.isprintable()
    with open(path, "wb") as file:
        file.write(saved(scene(), "JPEG"))
    assert open_picture(path, Limits()).pixels().shape == (96, 160, 3)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [20_000, 60_000])
def test_a_decompression_bomb_is_refused_unopened(tmp_path: Path, side: int) -> None:
    with pytest.raises(PhotoTooLarge, match=r"photo\.jpg"):
        open_picture(written(tmp_path, png_header(side, side)), Limits(megapixels=300))


def test_limits_are_what_the_user_says(tmp_path: Path) -> None:
    path = written(tmp_path, saved(scene(), "JPEG"))
    with pytest.raises(PhotoTooLarge, match="megapixels"):
        open_picture(path, Limits(megapixels=0.01))
    with pytest.raises(PhotoTooLarge, match="MB"):
        open_picture(path, Limits(megabytes=0.001))


def test_a_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path) -> None:
    picture = open_picture(written(tmp_path, saved(scene(1600, 1200), "JPEG")), Limits())
    for wanted, got in ((100, 200), (200, 200), (201, 400), (800, 800), (801, 1600), (5000, 1600)):
        assert max(picture.pixels(wanted).shape) == got


@pytest.mark.parametrize(
    ("text", "fraction", "expected"),
    [
        ("2019:07:06 12:13:14", None, 1562415194.0),
        ("2019:07:06 12:13:14", "25", 1562415194.25),
        ("0000:00:00 00:00:00", None, None),
        ("2019:13:45 12:13:14", None, None),
        ("yesterday", "5", None),
        (None, None, None),
    ],
)
def test_the_capture_time_is_the_cameras_clock(tmp_path, text, fraction, expected) -> None:
    exif = Pillow.Exif()
    inner = exif.get_ifd(0x8769)
    if text:
        inner[0x9003] = text
    if fraction:
        inner[0x9291] = fraction
    inner[0x9011] = "+09:00"  # an offset is not the wall clock's business
    out = io.BytesIO()
    scene().save(out, "JPEG", exif=exif)
    assert open_picture(written(tmp_path, out.getvalue()), Limits()).captured_at == expected


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_raw_shows_its_preview_upright(tmp_path: Path, orientation: int) -> None:
    displayed = scene(1200, 800)
    stored = displayed if orientation == 1 else displayed.transpose(STORED[orientation])
    data = dng(np.asarray(stored), orientation, saved(stored, "JPEG"))
    picture = open_picture(written(tmp_path, data, "a.dng"), Limits())
    assert (picture.width, picture.height, picture.orientation) == (*stored.size, orientation)
    assert picture.captured_at == 1562415194.0
    assert difference(picture.pixels(), displayed) < 4
    assert max(picture.pixels(600).shape) == 600


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_preview_that_the_camera_turned_is_not_turned_again(tmp_path: Path, orientation: int) -> None:
    displayed = scene(1200, 800)
    stored = displayed.transpose(STORED[orientation])
    data = dng(np.asarray(stored), orientation, saved(displayed, "JPEG"))
    assert difference(open_picture(written(tmp_path, data, "a.dng"), Limits()).pixels(), displayed) < 4


@pytest.mark.parametrize("preview", [None, saved(scene(320, 240), "JPEG"), b"\xff\xd8\xff rubbish"])
def test_a_raw_without_a_useful_preview_is_developed(tmp_path: Path, preview: bytes | None) -> None:
    displayed = scene(640, 480)
    stored = displayed.transpose(STORED[6])
    data = dng(np.asarray(stored), 6, preview if preview and len(preview) > 100 else None)
    image = open_picture(written(tmp_path, data, "a.dng"), Limits()).pixels()
    small = cv2.resize(image, (64, 48)).astype(int)
    assert image.shape[1] > image.shape[0]
    assert small[5, 58, 2] > small[5, 5, 2]  # red grows to the right
    assert small[43, 5, 1] > small[5, 5, 1]  # green grows downwards


@tried(60)
@given(
    data=st.binary(max_size=400), start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"RIFF"])
)
def test_whatever_bytes_a_file_holds_only_known_errors_come_out(tmp_path_factory, data: bytes, start: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.nef"
    path.write_bytes(start + data)
    try:
        open_picture(path, Limits()).pixels()
    except KithError as error:
        assert "any.nef" in error.message


@given(st.binary())
def test_any_name_is_a_photo_or_not(name: bytes) -> None:
    assert is_photo(name + b"/x.JPG") and is_photo(b"a.nef") and not is_photo(b"a.xmp")
    is_photo(name)
