"""What Kith believes follows every answer at once, whichever faces that bears on."""

from __future__ import annotations

from pathlib import Path

from kith.catalogue import faces, journal
from kith.types import Answer, FaceId
from served import running

ANNA, STATUE = 1, 77


def test_what_looks_like_answers_that_are_no_faces_is_hidden_at_once_until_they_are_taken_back(tmp_path: Path) -> None:
    with running(tmp_path, [[ANNA]] * 24 + [[STATUE]] * 10, pixels=False) as kith:
        catalogue = kith.app.catalogue
        catalogue.write(lambda db: db.execute("UPDATE faces SET quality = 0.2 WHERE photo_id > 24"))
        ids = [FaceId(face) for (face,) in catalogue.read(lambda db: db.execute("SELECT id FROM faces").fetchall())]
        catalogue.write(journal.name, ids[:24], "Anna", "person")
        kith.believe()
        assert catalogue.read(faces.unlikely) == set()
        catalogue.write(journal.answer, [(face, None) for face in ids[24:30]], Answer.NOT_A_FACE, "person")
        kith.believe()
        assert catalogue.read(faces.unlikely) == set(ids[30:])
        catalogue.write(journal.undo, None, "person")
        kith.believe()
        assert catalogue.read(faces.unlikely) == set()
