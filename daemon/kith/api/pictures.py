"""Pictures: a face as a square with its eyes always at the same place, and a photo as Kith sees it, scaled.

Photos are decoded in a worker process: a file that crashes a decoder must not end Kith.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from aiohttp import web

from kith.api import wire
from kith.api.asked import CropWanted, Size
from kith.catalogue import faces, listing
from kith.types import Crop, Face, FaceId, Photo
from kith.vision import Limits, worker

if TYPE_CHECKING:
    from kith.api.routes import Api
    from kith.vision.render import Form


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
    return _picture(tag, await api.slow(worker.face_picture, kept, wanted.size, wanted.form), wanted.form)


async def photo(api: Api, request: web.Request) -> web.StreamResponse:
    """GET /v1/photos/{photo}/picture"""
    wanted = wire.query(request, Size)
    number = wire.number("", request.match_info["photo"])
    known: Photo = await api.quick(api.app.catalogue.read, listing.photo, number)
    tag = _tag(known.content_key, str(wanted.size).encode())
    if _has(request, tag):
        return _picture(tag, None, "jpeg")
    rendered: bytes = await asyncio.wrap_future(
        api.renderer.submit(worker.photo_picture, known.path, wanted.size, _limits(api))
    )
    return _picture(tag, rendered, "jpeg")


async def _cut_out(api: Api, request: web.Request, face: Face, wanted: CropWanted) -> web.StreamResponse:
    """A box that was only just drawn, straight out of its photo."""
    tag = _tag(face.path, repr(face.box).encode(), f"{wanted.size} {wanted.form}".encode())
    if _has(request, tag):
        return _picture(tag, None, wanted.form)
    future = api.renderer.submit(worker.box_picture, face.path, face.box, wanted.size, _limits(api), wanted.form)
    cut: bytes = await asyncio.wrap_future(future)
    return _picture(tag, cut, wanted.form)


def _limits(api: Api) -> Limits:
    config = api.app.config.photos
    return Limits(config.max_megapixels, config.max_megabytes)


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
