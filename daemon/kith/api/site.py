"""The review page itself: the files of kith/web, as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from kith.errors import NotFound

if TYPE_CHECKING:
    from kith.api.routes import Api

FOLDER = Path(__file__).resolve().parents[1] / "web"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


async def page(api: Api, request: web.Request) -> web.StreamResponse:
    """GET /"""
    return _sent("index.html")


async def part(api: Api, request: web.Request) -> web.StreamResponse:
    """GET /web/{file}"""
    return _sent(request.match_info["file"])


def _sent(name: str) -> web.FileResponse:
    path = FOLDER / name
    if re.fullmatch(r"[a-z][a-z-]*\.[a-z]+", name) is None or path.suffix not in KINDS or not path.is_file():
        raise NotFound(f"There is no {name[:80]!a} in the review page.")
    response = web.FileResponse(path, headers={"Cache-Control": "no-cache"})
    response.content_type = KINDS[path.suffix]
    response.charset = "utf-8"
    return response
