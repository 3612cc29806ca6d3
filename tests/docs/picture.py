"""Makes the picture in the README: drawn people, Kith's real boxes and names as exiftool reads them.

picture.py PACK OUT.png        PACK is a folder with a model pack whose detector sees drawn faces (YuNet does)
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image, ImageDraw, ImageFont

import drawn
from desk import Desk, exiftool

CAST = (("Anna", "Bruno"), ("Otto", "Clara", "Anna"))
SIZE = (1200, 800)
BLUE = "#2f6fde"


def framed(photo: Path, sidecar: dict) -> Image.Image:
    """A photo with the regions of its sidecar."""
    picture = Image.open(photo).convert("RGB")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(34)
    width, height = picture.size
    for region in sidecar["RegionInfo"]["RegionList"]:
        x, y, w, h = (float(region["Area"][key]) for key in "XYWH")
        left, top, right, bottom = (x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height
        draw.rounded_rectangle([left, top, right, bottom], radius=14, outline="white", width=5)
        half = draw.textlength(region["Name"], font) / 2 + 16
        middle = (left + right) / 2
        draw.rounded_rectangle([middle - half, bottom + 10, middle + half, bottom + 60], radius=25, fill=BLUE)
        draw.text((middle, bottom + 35), region["Name"], fill="white", font=font, anchor="mm")
    return picture


def main(pack: str, out: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        desk, photos = Desk(Path(home)), []
        desk.kith("models", "install", "--from", pack)
        for i, names in enumerate(CAST):
            path = Path(home) / "photos" / f"DSC{i + 1:04}.jpg"
            photos.append(drawn.save(drawn.photo(names, SIZE, seed=i + 4), path, datetime(2024, 7, 1 + i, 12)))
        desk.kith("scan", Path(home) / "photos")
        for photo, names in zip(photos, CAST, strict=True):
            for face, name in zip(desk.faces(photo), names, strict=True):
                desk.kith("name", face["id"], name)
        sidecars = exiftool(Path(home) / "photos", "xmp")
        pictures = [framed(photo, sidecars[f"{photo}.xmp"]) for photo in photos]
    sheet = Image.new("RGB", (2 * SIZE[0] + 30, SIZE[1]), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i * (SIZE[0] + 30), 0))
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.LANCZOS).save(out, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
