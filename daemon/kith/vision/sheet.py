"""A contact sheet: faces side by side, each with a line below it."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from kith.types import Crop

TILE = 160  # pixels, width and height of a face
CAPTION = 22  # pixels below it
GAP = 8
COLUMNS = 8
MOST = 160  # faces on one sheet
PAPER, INK = "#1c1c1e", "#e5e5e7"


def contact_sheet(faces: Sequence[tuple[Crop, str]]) -> bytes:
    """A PNG of up to MOST crops with their captions, row by row."""
    shown = faces[:MOST]
    columns = max(1, min(COLUMNS, len(shown)))
    rows = -(-len(shown) // columns)
    size = GAP + columns * (TILE + GAP), GAP + rows * (TILE + CAPTION + GAP)
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for i, (crop, caption) in enumerate(shown):
        left, top = GAP + i % columns * (TILE + GAP), GAP + i // columns * (TILE + CAPTION + GAP)
        with Image.open(io.BytesIO(crop.jpeg)) as picture:
            sheet.paste(ImageOps.fit(picture, (TILE, TILE)), (left, top))
        draw.text((left, top + TILE + 4), _fitting(caption, draw, font), fill=INK, font=font)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _fitting(caption: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if draw.textlength(caption, font) <= TILE:
        return caption
    while caption and draw.textlength(f"{caption}…", font) > TILE:
        caption = caption[:-1]
    return f"{caption}…"
