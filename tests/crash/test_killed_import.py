"""An import from digiKam that is killed anywhere loses nothing, says nothing twice, and is completed by the next."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

import churn
from desk import Desk
from digikam_made import MadeDatabase, rect
from kith.catalogue import open_catalogue, photos
from kith.catalogue.faces import store
from kith.types import Box
from made import SAME, analysis, face, vector

PHOTOS = 700
LEFT, RIGHT = Box(0.25, 0.5, 0.2, 0.3), Box(0.75, 0.5, 0.2, 0.3)
RECTS = {"Anna": rect(450, 700, 600, 600), "Otto": rect(1950, 700, 600, 600), "Back": rect(1300, 1700, 300, 200)}
SAID = "SELECT kind, count(*) FROM decisions d JOIN acts a ON a.id = d.act_id WHERE a.live GROUP BY 1 ORDER BY 1"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A catalogue of photos with two faces each, made without pixels."""
    desk = Desk(tmp_path)
    data = tmp_path / "data" / "kith"
    data.mkdir(parents=True, mode=0o700)
    catalogue = open_catalogue(data / "catalogue.db")

    def fill(db: object) -> None:
        for number in range(PHOTOS):
            path = os.fsencode(tmp_path / "photos" / f"{number:04}.jpg")
            photos.record(db, [photos.FileState(path, 1, 1, b"%d" % number)], lambda _: True)
            photo = photos.by_path(db, path)
            store(db, photo, analysis(face(LEFT, vector(1)), face(RIGHT, vector(2))), SAME)

    catalogue.write(fill)
    catalogue.close()
    return desk


@pytest.fixture
def database(desk: Desk) -> Path:
    """digiKam knows both faces, and somebody's back."""
    (desk.home / "photos").mkdir()
    made = MadeDatabase(desk.home / "db" / "digikam4.db", desk.home / "photos", {"0000.jpg": (3000, 2000, 1)})
    tags = {name: made.person(name) for name in RECTS}
    with made.open() as db:
        db.execute("BEGIN")
        for number in range(PHOTOS):
            if number:
                db.execute(
                    "INSERT INTO Images (id, album, name, status, category) VALUES (?, 1, ?, 1, 1)",
                    [number + 1, f"{number:04}.jpg"],
                )
                db.execute(
                    "INSERT INTO ImageInformation (imageid, orientation, width, height) VALUES (?, 1, 3000, 2000)",
                    [number + 1],
                )
            for name, region in RECTS.items():
                db.execute(
                    "INSERT INTO ImageTagProperties VALUES (?, ?, 'tagRegion', ?)", [number + 1, tags[name], region]
                )
        db.execute("COMMIT")
    return made.path


def killed_after(desk: Desk, database: Path, done: int) -> None:
    """An import that is killed as soon as so many photos are taken, or ends before."""
    process = subprocess.Popen(
        desk.command("digikam", "import", "--db", database),
        env=desk.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and churn.rows(desk, "SELECT count(*) FROM imported")[0][0] < done:
        time.sleep(0.002)
    process.kill()
    process.wait()


def test_a_killed_import_is_completed_by_the_next_and_says_nothing_twice(desk: Desk, database: Path) -> None:
    before = database.read_bytes()
    halves = 0
    for done in (1, 201, 401):
        killed_after(desk, database, done)
        ((taken,),) = churn.rows(desk, "SELECT count(*) FROM imported")
        halves += 0 < taken < PHOTOS
        said = dict(churn.rows(desk, SAID))
        assert said == {"confirmed": 3 * taken, "drawn": taken}  # a photo's word holds whole, or not at all
    assert halves > 0
    desk.kith("digikam", "import", "--db", database)
    assert dict(churn.rows(desk, SAID)) == {"confirmed": 3 * PHOTOS, "drawn": PHOTOS}
    assert churn.rows(desk, "SELECT count(*), count(DISTINCT photo_id) FROM imported") == [(PHOTOS, PHOTOS)]
    found = churn.rows(desk, "SELECT n.name, count(*) FROM faces f JOIN people n ON n.id = f.person_id GROUP BY 1")
    assert dict(found) == dict.fromkeys(RECTS, PHOTOS)
    assert churn.rows(desk, "SELECT count(*) FROM faces") == [(3 * PHOTOS,)]
    assert "nothing to say" in desk.kith("digikam", "import", "--db", database)
    assert database.read_bytes() == before
