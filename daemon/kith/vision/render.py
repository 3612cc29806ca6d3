"""Pictures for people to look at: a face as a square with its eyes always at the same place, a photo as displayed."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from kith.types import Box, Crop, Floats, Image
from kith.vision import align, decode
from kith.vision.formats import Limits

Form = Literal["jpeg", "webp"]

# where five landmarks lie in a square of side 1, image left first: the face fills it with some room for hair
PLACES: Floats = np.array([[0.37, 0.43], [0.63, 0.43], [0.5, 0.56], [0.4, 0.69], [0.6, 0.69]], np.float32)
QUALITY = 88
AROUND = 1.4  # times the size of a box that is shown of it before its landmarks are known
MOST_DECODED = 4096  # pixels


def face(kept: Crop, size: int, form: Form) -> bytes:
    """A square picture of a face, `size` pixels wide, turned and scaled so that the eyes are where they always are."""
    matrix = align.similarity(kept.landmarks, PLACES * size)
    pixels = align.opened(kept)
    shrunk: Image = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return _encoded(shrunk, form)


def photo(path: bytes, size: int, limits: Limits) -> bytes:
    """A photo as it is displayed, its long side at most `size` pixels, as a JPEG."""
    pixels = decode.open_picture(path, limits).pixels(size)
    ratio = size / max(pixels.shape[:2])
    if ratio < 1:
        shape = (max(1, round(pixels.shape[1] * ratio)), max(1, round(pixels.shape[0] * ratio)))
        pixels = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
    return _encoded(pixels, "jpeg")


def cut_out(path: bytes, box: Box, size: int, limits: Limits, form: Form) -> bytes:
    """What is in a box of a photo and a little around it, as a square picture."""
    pixels = decode.open_picture(path, limits).pixels(min(MOST_DECODED, round(size / max(box.w, box.h))))
    tall, wide = pixels.shape[:2]
    side = AROUND * max(box.w * wide, box.h * tall)
    left, top = box.x * wide - side / 2, box.y * tall - side / 2
    matrix = np.array([[1, 0, -left], [0, 1, -top]], np.float32) * (size / side)
    shrunk: Image = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return _encoded(shrunk, form)


def _encoded(pixels: Image, form: Form) -> bytes:
    kind = cv2.IMWRITE_JPEG_QUALITY if form == "jpeg" else cv2.IMWRITE_WEBP_QUALITY
    return bytes(cv2.imencode(f".{form}", pixels, [kind, QUALITY])[1].tobytes())
