"""What one command makes of a large library tagged in digiKam: python tests/bench/digikam_import.py FACES PACK

Makes a catalogue and a digiKam database of the same photos: 10,000 faces confirmed in
digiKam, and the rest of the same people's faces and thousands of strangers unknown to it. Then does what `kith digikam
rebuild` does after its scan, and tells how long that takes, and how many of the rest get the right name; the same again
with 2 % of the tags wrong, and how many of the wrong ones the doubts find. No pictures are opened: faces are embeddings
of FACES (laid out as LFW is), turned at random until there are enough, each turn other people.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from evaluation.faces import DataSet, load

from desk import Desk
from digikam_made import make_empty
from kith import config
from kith.api.inside import Inside
from kith.catalogue import Catalogue, settings
from kith.paths import Paths
from kith.service import packs
from kith.service.app import App, opened
from kith.service.reports import Silent
from kith.types import Floats
from kith_digikam import importing, reading, rebuilding

TAGGED, STRANGERS = 10_000, 6_000
SIZE = (3000, 2000)
PLACES = ((0.25, 0.5, 0.2, 0.3), (0.75, 0.5, 0.2, 0.3))  # of the two faces on a photo: centre and size
SHAKE = 0.08  # by what part of its size digiKam's rectangle lies beside Kith's


@dataclass(frozen=True, eq=False)
class Made:
    """A library: unit `vectors` (N, D), `quality`, who each face really is, whom digiKam says ("" for nobody), (N,)."""

    vectors: Floats
    quality: Floats
    truth: np.ndarray
    tags: np.ndarray

    def folder(self, home: Path) -> Path:
        return home / "photos"


def make(data: DataSet, wrong: float) -> Made:
    """Faces in random order; people with five pictures or more are known, most of their faces tagged."""
    random = np.random.default_rng(1)
    half = data.half(1)
    known = {name for name, rows in half.of.items() if len(rows) >= 5}
    rows = np.concatenate(list(half.of.values()))
    names = np.concatenate([[name] * len(of) for name, of in half.of.items()])
    a_turn = np.isin(names, list(known)).sum()
    turns = int(np.ceil(TAGGED / 0.8 / a_turn))
    vectors, truth = [], []
    for turn in range(turns):
        rotation = np.linalg.qr(random.normal(size=(data.vectors.shape[1],) * 2))[0] if turn else None
        each = data.vectors[rows]
        vectors.append(each if rotation is None else (each @ rotation).astype(np.float32))
        truth += [f"{name} {turn}" for name in names]
    is_known = np.tile(np.isin(names, list(known)), turns)
    strangers = random.permutation(np.flatnonzero(~is_known))[:STRANGERS]
    order = random.permutation(np.concatenate([np.flatnonzero(is_known), strangers]))
    people, quality = np.array(truth)[order], np.tile(data.quality[rows], turns)[order]
    ours = np.flatnonzero(is_known[order])
    tagged = random.permutation(ours)[:TAGGED]
    tags = np.full(len(people), "", people.dtype)
    tags[tagged] = people[tagged]
    everybody = np.unique(people[ours])
    for i in tagged[: round(wrong * len(tagged))]:
        tags[i] = random.choice(everybody[everybody != people[i]])
    return Made(np.concatenate(vectors)[order], quality, people, tags)


def fill(catalogue: Catalogue, made: Made, folder: Path, pack: str) -> None:
    """Kith's side: two faces on a photo, analysed, nobody named."""

    def insert(db: object) -> None:
        connection: sqlite3.Connection = db.conn  # type: ignore[attr-defined]
        for face in range(len(made.truth)):
            photo, place = divmod(face, 2)
            if place == 0:
                key = photo.to_bytes(16, "big")
                connection.execute(
                    "INSERT INTO photos (id, path, size, mtime_ns, content_key, analysed_rev, analysed_key,"
                    " analysed_pack, width, height, orientation, captured_at, said, heard)"
                    " VALUES (?, ?, 1, 1, ?, 1, ?, ?, ?, ?, 1, ?, '', '')",
                    [photo + 1, os.fsencode(folder / f"{photo:06}.jpg"), key, key, pack, *SIZE, photo * 600.0],
                )
            connection.execute(
                "INSERT INTO faces (id, photo_id, x, y, w, h, landmarks, score, quality, found_in)"
                " VALUES (?, ?, ?, ?, ?, ?, x'', 0.9, ?, ?)",
                [face + 1, photo + 1, *PLACES[place], float(made.quality[face]), photo.to_bytes(16, "big")],
            )
            connection.execute(
                "INSERT INTO embeddings VALUES (?, ?, ?)", [face + 1, pack, made.vectors[face].astype("<f4").tobytes()]
            )

    catalogue.write(insert)


def tag(database: Path, made: Made, folder: Path) -> None:
    """digiKam's side."""
    random = np.random.default_rng(2)
    make_empty(database, folder)
    with closing(sqlite3.connect(database)) as db:
        db.execute("INSERT INTO Albums (id, albumRoot, relativePath) VALUES (1, 1, '/')")
        root = db.execute("INSERT INTO Tags (pid, name) VALUES (0, 'People') RETURNING id").fetchone()[0]
        tags = {}
        for name in np.unique(made.tags[made.tags != ""]).tolist():
            tags[name] = db.execute("INSERT INTO Tags (pid, name) VALUES (?, ?) RETURNING id", [root, name]).fetchone()[
                0
            ]
            db.execute("INSERT INTO TagProperties VALUES (?, 'person', ?)", [tags[name], name])
        for photo in range((len(made.truth) + 1) // 2):
            image = photo + 1
            db.execute(
                "INSERT INTO Images (id, album, name, status, category) VALUES (?, 1, ?, 1, 1)",
                [image, f"{photo:06}.jpg"],
            )
            db.execute(
                "INSERT INTO ImageInformation (imageid, width, height, orientation) VALUES (?, ?, ?, 1)", [image, *SIZE]
            )
        for face in np.flatnonzero(made.tags != "").tolist():
            image, (x, y, w, h) = face // 2 + 1, PLACES[face % 2]
            x, y = x + w * random.normal(0, SHAKE), y + h * random.normal(0, SHAKE)
            sides = [(x - w / 2) * SIZE[0], (y - h / 2) * SIZE[1], w * SIZE[0], h * SIZE[1]]
            rect = '<rect x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{:.0f}"/>'.format(*sides)
            who = tags[str(made.tags[face])]
            db.execute("INSERT INTO ImageTagProperties VALUES (?, ?, 'tagRegion', ?)", [image, who, rect])
            db.execute("INSERT OR IGNORE INTO ImageTags VALUES (?, ?)", [image, who])
        db.commit()


def measure(app: App, made: Made, database: Path) -> None:
    """What the command does after its scan, and what comes of it."""
    kith, report = Inside(app), Silent()
    began = clock()
    library = reading.read(database)
    planned = importing.plan(kith, library, {root.id: root.path for root in library.roots if root.path}, report)
    told = importing.tell(kith, planned, report)
    imported = clock()
    kith.job("/v1/relearn", lambda: None)
    learnt = clock()
    doubted = [doubt.face for doubt in rebuilding.doubts(kith)]
    rebuilding.changes(kith, planned, report)
    told_all = clock()
    again = importing.tell(kith, importing.plan(kith, library, {1: made.folder(database.parent)}, report), report)
    print(f"{told.counts['confirmed']:,} faces imported: {since(began, imported)}")
    print(f"everybody recognised anew among {len(made.truth):,} faces: {since(imported, learnt)}")
    print(f"report of what changed, and doubts: {since(learnt, told_all)}")
    print(f"the next import: {since(told_all, clock())} ({again.counts['unchanged']:,} photos unchanged)")
    judge(app, made)
    wrong = set((np.flatnonzero((made.tags != "") & (made.tags != made.truth)) + 1).tolist())
    if not wrong:
        return
    found = [int(face[1:]) in wrong for face in doubted]
    at = {count: sum(found[:count]) for count in (100, 200, 500)}
    print(f"{len(wrong)} wrong tags: " + ", ".join(f"{n} among the first {count} doubts" for count, n in at.items()))
    looked_at = doubted[: len(wrong)]
    kith.post("/v1/faces/reject", faces=looked_at)
    kith.job("/v1/relearn", lambda: None)
    print(f"once somebody said no to the first {len(looked_at)}:")
    judge(app, made)


def clock() -> tuple[float, float]:
    """Seconds by the clock, and of processor time, which other programs don't disturb as much."""
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float], end: tuple[float, float]) -> str:
    return f"{end[0] - start[0]:.1f} s by the clock, {end[1] - start[1]:.1f} s of processor time"


def judge(app: App, made: Made) -> None:
    """Precision and recall on the untagged faces."""
    rows = app.catalogue.read(
        lambda db: db.execute(
            "SELECT f.id, n.name, f.auto FROM faces f JOIN people n ON n.id = f.suggested_id WHERE f.answer IS NULL"
        ).fetchall()
    )
    rows = [row for row in rows if made.tags[row[0] - 1] == ""]
    known = set(made.tags[made.tags != ""].tolist())
    rest = np.flatnonzero(made.tags == "")
    wanted = sum(made.truth[i] in known for i in rest)
    for title, chosen in (("suggested or named", rows), ("named without asking", [row for row in rows if row[2]])):
        right = Counter(made.truth[face - 1] == name for face, name, _ in chosen)
        print(
            f"{title:<21} precision {right[True] / max(1, len(chosen)):.2%} ({right[False]} wrong of {len(chosen):,}), "
            f"recall {right[True] / wanted:.2%} of {wanted:,} untagged faces of tagged people, among "
            f"{len(rest) - wanted:,} strangers"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    options = parser.parse_args()
    manifest, data = load(options.faces, options.pack, options.out)
    for wrong in (0.0, 0.02):
        print(f"\n{wrong:.0%} of the tags wrong, pack {manifest.id}", flush=True)
        made = make(data, wrong)
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder).resolve()
            made.folder(home).mkdir()
            desk = Desk(home)
            desk.kith("models", "install", "--from", options.pack)
            desk.configure("[sidecars]\nwrite = false\n")
            places = Paths(*(home / name / "kith" for name in ("config", "data", "cache", "state", "runtime")))
            with opened(places, config.load(places.config_file)) as app:
                pack = packs.manifest(app)
                app.catalogue.write(settings.put, packs.TRUSTED, f"{pack.id} {pack.version}")
                fill(app.catalogue, made, made.folder(home), pack.id)
                tag(home / "digikam4.db", made, made.folder(home))
                measure(app, made, home / "digikam4.db")


if __name__ == "__main__":
    main()
