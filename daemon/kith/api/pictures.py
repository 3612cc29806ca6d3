"""Pictures: a face as a square with its eyes always at the same place, and a photo as Kith sees it, scaled.

Photos are decoded in a worker process: a file that crashes a decoder must not end Kith.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from aiohttp import web

from kith.api import wire
from kith.api.asked import CropWanted, Size
from kith.catalogue import faces, listing
from kith.types import Box, Crop, Face, FaceId, Floats, Image, Photo
from kith.vision import Limits, align, decode

if TYPE_CHECKING:
    from kith.api.routes import Api

Form = Literal["jpeg", "webp"]

# where five landmarks lie in a square of side 1, image left first: the face fills it with some room for hair
PLACES: Floats = np.array([[0.37, 0.43], [0.63, 0.43], [0.5, 0.56], [0.4, 0.69], [0.6, 0.69]], np.float32)
QUALITY = 88
AROUND = 1.4  # times the size of a box that is shown of it before its landmarks are known
MOST_DECODED = 4096  # pixels


async def crop(api: Api, request: web.Request) -> web.StreamResponse:
    """GET /v1/faces/{face}/crop"""
    wanted = wire.query(request, CropWanted)
    face = FaceId(wire.number("f", request.match_info["face"]))
    known, kept = await api.slow(_kept, api, face)
    if kept is None:
        return await _cut_out(api, request, known, wanted)
    tag = _tag(kept.jpeg, kept.landmarks.tobytes(), f"{wanted.size} {wanted.form}".encode())
    if _has(request, tag):
        return _picture(tag, None, wanted.form)
    return _picture(tag, await api.slow(tile, kept, wanted.size, wanted.form), wanted.form)


async def photo(api: Api, request: web.Request) -> web.StreamResponse:
    """GET /v1/photos/{photo}/picture"""
    wanted = wire.query(request, Size)
    number = wire.number("", request.match_info["photo"])
    known: Photo = await api.quick(api.app.catalogue.read, listing.photo, number)
    tag = _tag(known.content_key, str(wanted.size).encode())
    if _has(request, tag):
        return _picture(tag, None, "jpeg")
    rendered: bytes = await asyncio.wrap_future(api.renderer.submit(rendering, known.path, wanted.size, _limits(api)))
    return _picture(tag, rendered, "jpeg")


async def _cut_out(api: Api, request: web.Request, face: Face, wanted: CropWanted) -> web.StreamResponse:
    """A box that was only just drawn, straight out of its photo."""
    tag = _tag(face.path, repr(face.box).encode(), f"{wanted.size} {wanted.form}".encode())
    if _has(request, tag):
        return _picture(tag, None, wanted.form)
    future = api.renderer.submit(cutting, face.path, face.box, wanted.size, _limits(api), wanted.form)
    cut: bytes = await asyncio.wrap_future(future)
    return _picture(tag, cut, wanted.form)


def _limits(api: Api) -> Limits:
    config = api.app.config.photos
    return Limits(config.max_megapixels, config.max_megabytes)


def tile(kept: Crop, size: int, form: Form) -> bytes:
    """A square picture of a face, `size` pixels wide, turned and scaled so that the eyes are where they always are."""
    matrix = align.similarity(kept.landmarks, PLACES * size)
    pixels = align.opened(kept)
    shrunk: Image = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return _encoded(shrunk, form)


def rendering(path: bytes, size: int, limits: Limits) -> bytes:
    """A photo as it is displayed, its long side at most `size` pixels, as a JPEG. Runs in a worker process."""
    pixels = decode.open_picture(path, limits).pixels(size)
    ratio = size / max(pixels.shape[:2])
    if ratio < 1:
        shape = (max(1, round(pixels.shape[1] * ratio)), max(1, round(pixels.shape[0] * ratio)))
        pixels = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
    return _encoded(pixels, "jpeg")


def cutting(path: bytes, box: Box, size: int, limits: Limits, form: Form) -> bytes:
    """What is in a box of a photo and a little around it, as a square picture. Runs in a worker process."""
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


def _kept(api: Api, face: FaceId) -> tuple[Face, Crop | None]:
    known = api.app.catalogue.read(faces.get, face)
    return known, api.app.catalogue.read(faces.crops, [known.id]).get(known.id)


def _tag(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return f'"{digest.hexdigest()}"'


def _has(request: web.Request, tag: str) -> bool:
    return any(known.value == tag.strip('"') for known in request.if_none_match or ())


def _picture(tag: str, data: bytes | None, form: Form) -> web.Response:
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if data is None:
        return web.Response(status=304, headers=headers)
    return web.Response(body=data, headers=headers, content_type=f"image/{form}")
