"""A model pack is believed only after it told the user's own people apart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk import Kept
from kith import config
from kith.catalogue import faces, journal, settings
from kith.errors import ModelCorrupt
from kith.paths import Paths
from kith.service import packs, stages, views
from kith.service.app import App, opened
from kith.service.reports import Silent
from libraries import Libraries
from packs import make_base_pack


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Kept:
    """Photos scanned by a sound pack, and a pack that sees nothing but grey installed beside it."""
    home = tmp_path_factory.mktemp("home")
    paths = libraries.within(home, scanned=True)
    blind = Path(shutil.copytree(libraries.pack, home / "blind"))
    manifest = (blind / "pack.toml").read_text().replace('id = "test"', 'id = "blind"')
    (blind / "pack.toml").write_text(manifest.replace("[58.395, 57.12, 57.375]", "[5839500.0, 5712000.0, 5737500.0]"))
    with opened(paths, config.load()) as app:
        packs.get(app, "auto", blind, Silent())
    return Kept.of(home)


@pytest.fixture
def app(scanned: Kept) -> Iterator[App]:
    with opened(Paths.below(scanned.back()), config.load()) as app:
        yield app


@pytest.fixture
def blinded(app: App) -> App:
    """The same, had the pack that sees nothing been the first."""
    app.catalogue.write(settings.put, packs.IN_USE, "blind")
    app.catalogue.write(settings.put, packs.NEXT, "")
    app.catalogue.write(lambda db: db.execute("UPDATE photos SET analysed_rev = 0"))
    return app


def named(app: App) -> list[tuple[str, str]]:
    found = app.catalogue.read(faces.gallery, "test").faces
    everybody = [app.catalogue.read(faces.get, face.id) for face in found if face.person]
    return [(str(face.state), face.person.name) for face in everybody if face.person]


def test_a_pack_that_tells_people_apart_is_trusted(app: App) -> None:
    assert (app.catalogue.read(settings.get, packs.TRUSTED) or "").split()[0] == "test"
    assert views.why_nobody(app) is None
    app.catalogue.write(settings.put, packs.TRUSTED, "")
    assert "names nobody by itself yet" in (views.why_nobody(app) or "")
    shutil.rmtree(app.paths.packs / "test")
    assert "test" in (views.why_nobody(app) or "")


def test_a_pack_that_fails_on_the_users_faces_stops_with_a_reason_if_the_user_chose_it(blinded: App) -> None:
    app = blinded
    with pytest.raises(ModelCorrupt, match="blind"):
        stages.analyse(app, packs.load(app), Silent())
    packs.use(app, "test")
    pack, analysed = stages.analyse(app, packs.load(app), Silent())
    assert (pack.id, analysed) == ("test", 16)


def test_a_pack_that_fails_on_the_users_faces_does_not_take_over(app: App) -> None:
    told: list[str] = []

    class Listening(Silent):
        def say(self, line: str) -> None:
            told.append(line)

    assert packs.coming(app) is not None
    before = app.catalogue.read(faces.recognition)
    assert stages.change_pack(app, packs.load(app), Listening()).id == "test"
    assert (packs.in_use(app), packs.coming(app)) == ("test", None)
    assert any("blind" in line and "test stays in use" in line for line in told)
    assert app.catalogue.read(faces.recognition) == before


def test_auto_sets_a_failing_pack_aside_and_names_stay(blinded: App) -> None:
    app = blinded
    app.catalogue.write(settings.put, packs.CHOSEN_BY, packs.AUTO)
    shutil.copytree(make_base_pack(), app.paths.packs / "base")
    face = app.catalogue.read(faces.unanswered)[0]
    app.catalogue.write(journal.name, [face.id], "Anna", "person")
    told = []

    class Listening(Silent):
        def say(self, line: str) -> None:
            told.append(line)

    pack, analysed = stages.analyse(app, packs.load(app), Listening())
    assert pack.id in ("opencv-zoo", "base")
    assert analysed == 16
    assert packs.in_use(app) == pack.id
    assert any("blind" in line for line in told)
    assert app.catalogue.read(faces.get, face.id).person.name == "Anna"  # type: ignore[union-attr]


def test_another_pack_learns_known_faces_from_their_crops_and_names_stay(app: App, shared: Path) -> None:
    face = app.catalogue.read(faces.unanswered)[0]
    app.catalogue.write(journal.name, [face.id], "Anna", "person")
    shutil.copytree(make_base_pack(), app.paths.packs / "base")
    packs.use(app, "base")
    shutil.rmtree(app.paths.data.parent / "photos")  # no photo may be needed
    pack = packs.load(app)
    assert pack.id == "test"  # it serves until the other one knows every face
    assert stages.analyse(app, pack, Silent())[1] == 0
    assert stages.change_pack(app, pack, Silent()).id == packs.in_use(app) == "base"
    learnt = app.catalogue.read(faces.gallery, "base").faces
    assert {f.id for f in learnt} == {f.id for f in app.catalogue.read(faces.gallery, "test").faces}
    assert named(app) == [("confirmed", "Anna")]
    assert (app.catalogue.read(settings.get, packs.TRUSTED) or "").split()[0] == "base"
