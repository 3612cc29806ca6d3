"""A sheet of photos with the faces that a model pack finds on them, to be looked at.

detections.py PHOTOS PACK SHEET.jpg [--from N] [--count N]
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from kith.errors import KithError
from kith.vision import is_photo
from kith.vision.analysis import analyse
from kith.vision.packs import load_pack

TILE, COLUMNS = 340, 8


def tile(path: Path, pack) -> tuple[Image.Image, int]:
    """A photo as it is shown, its faces framed, with score and quality."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(path.read_bytes()))).convert("RGB")
    picture.thumbnail((TILE, TILE))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(11)
    faces = analyse(path, pack).faces
    w, h = picture.size
    for face in faces:
        box = face.box
        left, top = (box.x - box.w / 2) * w, (box.y - box.h / 2) * h
        draw.rectangle([left, top, left + box.w * w, top + box.h * h], outline="#00ff66", width=2)
        draw.text((left + 2, top + box.h * h), f"{face.score:.2f} {face.quality:.2f}", fill="#ffff00", font=font)
    return picture, len(faces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    pack = load_pack(options.pack)
    paths = [p for p in sorted(options.photos.iterdir()) if is_photo(p.name.encode())]
    tiles, total = [], 0
    for path in paths[options.first :][: options.count]:
        try:
            picture, faces = tile(path, pack)
        except KithError as error:
            print(error)
            continue
        tiles.append(picture)
        total += faces
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE, rows * TILE), "#202020")
    for i, picture in enumerate(tiles):
        sheet.paste(picture, (i % COLUMNS * TILE, i // COLUMNS * TILE))
    sheet.save(options.sheet, quality=85)
    print(f"{len(tiles)} photos, {total} faces")


if __name__ == "__main__":
    main()
