"""How fast sidecars are read, merged and written, beside exiftool in the same run on the same bytes.

    sidecar_speed.py [--made 2000] [--from FOLDER] [--profile]

--made     how many sidecars are made, a quarter each as digiKam, darktable and Lightroom write them, and a quarter of
           photos that have none yet: there Kith starts from the packet inside the photo
--from     copies of the sidecars below FOLDER instead of made ones
--profile  show where Kith's time goes in writing

Kith goes the way of the daemon, photo by photo in one process: read, merge, and in the second round add one more face,
prove that nothing else changed, write, fsync, read back, rename, fsync the folder. exiftool gets all files at once in
one process; it does not fsync.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from PIL import Image

from kith import config, sidecars
from kith.types import Box, FaceId, Photo, PhotoId, Written
from kith_xmp import embedded
from kith_xmp.merge import Base, Face, Wanted, merge
from kith_xmp.read import read
from kith_xmp.regions import Frame
from kith_xmp.seed import seed
from kith_xmp.settings import Settings
from kith_xmp.write import write

T = TypeVar("T")
SIZE = (600, 400)
SETTINGS = msgspec.structs.replace(config.load().sidecars, quiet_seconds=0.0)
REGION = (
    "{AppliedToDimensions={W=600,H=400,Unit=pixel},"
    "RegionList=[{Area={X=0.9,Y=0.1,W=0.1,H=0.1,Unit=normalized},Name=Zoë,Type=Face}]}"
)
HISTORY = "".join(
    f'<rdf:li darktable:num="{i}" darktable:operation="module{i}" darktable:enabled="1" darktable:modversion="4"'
    f' darktable:params="gz12{"eJxjYGBgYAFiCQYYOOHEgAZY0QWAgBGLGANDgz0Ej1Q+dlAx68oBEMbFxwX+AwGIBgCbGCeh" * 2}{i}"'
    f' darktable:blendop_version="13" darktable:blendop_params="gz11eJxjYIAACQYYOOHEgAZY0QVwggZ7CB6pfOygYtaVAyC"/>'
    for i in range(24)
)
DARKTABLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:darktable="http://darktable.sf.net/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   xmp:Rating="3" xmpMM:DerivedFrom="IMG_1.CR2" darktable:xmp_version="4" darktable:history_end="24">
   <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li><rdf:li>Places</rdf:li></rdf:Bag></dc:subject>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Paris</rdf:li></rdf:Bag></lr:hierarchicalSubject>
   <darktable:history><rdf:Seq>{HISTORY}</rdf:Seq></darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""".encode()
LIGHTROOM = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
   {" ".join(f'crs:Setting{i}="{i}"' for i in range(120))} xmp:CreatorTool="Adobe Photoshop Lightroom Classic 11.2">
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="600" stDim:h="400" stDim:unit="pixel"/>
    <mwg-rs:RegionList><rdf:Bag><rdf:li>
     <rdf:Description mwg-rs:Rotation="0.00000" mwg-rs:Name="Marie Curie" mwg-rs:Type="Face">
      <mwg-rs:Area stArea:h="0.30000" stArea:w="0.20000" stArea:x="0.30000" stArea:y="0.50000"/>
     </rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions>
   <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li><rdf:li>Marie Curie</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""".encode()


@dataclass(frozen=True)
class Rates:
    """Sidecars a second, read and written."""

    read: float
    written: float


def digikam() -> bytes:
    """Two people in every schema and list that digiKam keeps them in."""
    frame = Frame(*SIZE)
    faces = (Face("Marie Curie", 0.3, 0.5, 0.2, 0.3), Face("Pierre Curie", 0.6, 0.5, 0.2, 0.3))
    merged = merge(Base(), Wanted(faces), read(seed(None), frame), Settings(microsoft=True))
    return write(seed(None), merged.changes, frame) or b""


def make(folder: Path, count: int, source: Path | None) -> list[Path]:
    """Photos, most with a sidecar beside them; gives the photos."""
    kinds: list[bytes | None] = [digikam(), DARKTABLE, LIGHTROOM, None]
    if source:
        kinds = [path.read_bytes() for path in sorted(source.rglob("*.xmp"))]
    plain, told = folder / "plain.jpg", folder / "told.jpg"
    Image.effect_noise(SIZE, 60).save(plain)
    Image.effect_noise(SIZE, 60).save(told, xmp=LIGHTROOM)
    photos = []
    for i in range(count):
        sidecar = kinds[i % len(kinds)]
        photo = folder / f"{i // 500:03}" / f"IMG_{i:06}.jpg"
        photo.parent.mkdir(exist_ok=True)
        shutil.copyfile(told if sidecar is None else plain, photo)
        if sidecar is not None:
            photo.with_name(photo.name + ".xmp").write_bytes(sidecar)
        photos.append(photo)
    return photos


def task(photo: Path, *faces: sidecars.KnownFace) -> sidecars.Task:
    known = Photo(
        **{field.name: None for field in Photo.__dataclass_fields__.values()}
        | {"id": PhotoId(1), "path": os.fsencode(photo)}
    )
    return sidecars.Task(known, faces, (), (), (), Written(None, None, None, None), SETTINGS)


def rate(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def kith(photos: Sequence[Path]) -> Rates:
    """Kith's rates: nothing to say, then one more face on each photo."""
    zoe = sidecars.KnownFace(FaceId(1), Box(0.9, 0.1, 0.1, 0.1), "Zoë")
    silent, telling = [task(p) for p in photos], [task(p, zoe) for p in photos]
    reading = rate(len(photos), lambda: [sidecars.prepare(t) for t in silent])
    return Rates(reading, rate(len(photos), lambda: [sidecars.replace(sidecars.prepare(t)) for t in telling]))


def exiftool(folder: Path, count: int) -> Rates:
    """exiftool's rates over the same sidecars."""

    def run(*words: str) -> None:
        command = ["exiftool", "-r", "-ext", "xmp", *words, str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    reading = rate(count, lambda: run("-j", "-struct", "-XMP:all"))
    return Rates(reading, rate(count, lambda: run("-overwrite_original", f"-XMP-mwg-rs:RegionInfo={REGION}")))


def copy(photos: Sequence[Path], folder: Path) -> None:
    """The same sidecars for exiftool; where there is none, what Kith would start from."""
    folder.mkdir()
    for photo in photos:
        sidecar = photo.with_name(photo.name + ".xmp")
        data = sidecar.read_bytes() if sidecar.exists() else seed(embedded.embedded_packet(photo))
        (folder / sidecar.name).write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--made", type=int, default=2000)
    parser.add_argument("--from", dest="source", type=Path)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        folder = Path(scratch)
        photos = make(folder, options.made, options.source)
        copy(photos, folder / "exiftool")
        size = sum(p.stat().st_size for p in (folder / "exiftool").iterdir()) / len(photos) / 1024
        with cProfile.Profile() if options.profile else tempfile.TemporaryFile() as profile:
            ours = kith(photos)
        theirs = exiftool(folder / "exiftool", len(photos))
    print(f"{len(photos):,} sidecars of {size:.1f} KiB on average, per second in one process:")
    print(f"{'':<22} {'Kith':>8} {'exiftool':>8}  ratio")
    print(f"{'read and merge':<22} {ours.read:8.0f} {theirs.read:8.0f} {ours.read / theirs.read:6.1f}")
    print(f"{'and write one face':<22} {ours.written:8.0f} {theirs.written:8.0f} {ours.written / theirs.written:6.1f}")
    if isinstance(profile, cProfile.Profile):
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
