"""The main job on a library with known people, as a person at a keyboard would do it.

    main_job.py LIBRARY PACK [--until 0.95]

LIBRARY  a folder with photos and truth.csv (path, name, x, y, w, h, role), as a library maker leaves it.
PACK     "base", "auto", or a folder with a model pack.

Scans, then names the first group that waits by the majority of its faces, again and again, until that share of the
faces of family and friends is named; strangers in the background are ignored. Reports the number of answers, and
precision and recall of the names in the sidecars as exiftool reads them. Everything Kith keeps goes into a folder of
its own that is removed afterwards.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from desk import Desk, exiftool, regions

CENTRED = 0.22  # a face belongs to a pasted picture if it lies this near to its middle, in parts of its size


@dataclass(frozen=True)
class Pasted:
    """One person on one photo, where the library maker put their picture."""

    name: str
    x: float
    y: float
    w: float
    h: float
    role: str

    def holds(self, x: float, y: float) -> bool:
        return abs(x - self.x) < CENTRED * self.w and abs(y - self.y) < CENTRED * self.h


Truth = dict[str, list[Pasted]]


def read_truth(library: Path) -> Truth:
    truth: Truth = defaultdict(list)
    with (library / "truth.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            place = (float(row[key]) for key in ("x", "y", "w", "h"))
            truth[row["path"]].append(Pasted(row["name"], *place, row["role"]))
    return truth


class Knowing(Desk):
    """Somebody who uses Kith on one library and knows everybody."""

    def __init__(self, library: Path, home: Path) -> None:
        super().__init__(home)
        self.library = library.resolve()
        self.truth = read_truth(library)
        self.answers = 0

    def who(self, photo: str, x: float, y: float) -> Pasted | None:
        found = self.truth[str(Path(photo).relative_to(self.library))]
        return next((p for p in found if p.holds(x, y)), None)

    def majority(self, group: dict) -> str | None:
        """Who most faces of a group are; None for people in the background, whom nobody knows."""
        faces = ((face["photo"], face["box"]["x"], face["box"]["y"]) for face in group["faces"])
        counts = Counter(person.name if (person := self.who(*face)) else None for face in faces)
        return counts.most_common(1)[0][0]

    def answer(self) -> bool:
        """Name the group that settles most, or ignore it; False where nobody waits."""
        groups = self.json("groups")
        if not groups:
            return False
        group, name = groups[0]["id"], self.majority(groups[0])
        self.kith(*(["name", group, name] if name else ["ignore", group]))
        self.answers += 1
        return True


@dataclass(frozen=True)
class Score:
    """What exiftool finds in the sidecars, beside the truth. `wrong` are faces under another's name."""

    named: int
    right: int
    wanted: int
    found: int
    wrong: tuple[str, ...]

    @property
    def precision(self) -> float:
        return self.right / max(self.named, 1)

    @property
    def recall(self) -> float:
        return self.found / max(self.wanted, 1)


def score(desk: Knowing) -> Score:
    turned = {path: photo.get("Orientation", 1) for path, photo in exiftool(desk.library, "jpg").items()}
    named = right = 0
    found: set[tuple[str, str]] = set()
    wrong = []
    for sidecar, meta in exiftool(desk.library, "xmp").items():
        photo = sidecar.removesuffix(".xmp")
        for name, x, y in regions(meta, turned[photo]):
            person = desk.who(photo, x, y)
            named += 1
            if person and person.name == name:
                right += 1
                found.add((photo, name))
            else:
                wrong.append(f"{photo}: {name} is {person.name if person else 'somebody behind'}")
    known = [(p, q) for p, people in desk.truth.items() for q in people if q.role in ("family", "friend")]
    hits = sum((str(desk.library / path), person.name) in found for path, person in known)
    return Score(named, right, len(known), hits, tuple(wrong))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("pack")
    parser.add_argument("--until", type=float, default=0.95)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kith-main-job-") as state:
        desk = Knowing(options.library, Path(state))
        folder = Path(options.pack).is_dir()
        desk.kith("models", "install", *(["--from", options.pack] if folder else [options.pack]))
        start = time.monotonic()
        print(desk.kith("scan", str(desk.library)).strip())
        print(f"scan: {time.monotonic() - start:.0f} s")
        now = score(desk)
        while now.recall < options.until and desk.answer():
            now = score(desk)
            print(f"{desk.answers:4} answers: {now.recall:.1%} of {now.wanted} named, precision {now.precision:.2%}")
        faces = desk.json("status")["faces"]
        print(f"answers per 100 faces: {100 * desk.answers / faces:.1f}")
        print("\n".join(now.wrong))
        second = desk.json("scan", desk.library)
        print(f"second run: {second['analysed']} analysed, {second['written']} written")


if __name__ == "__main__":
    main()
