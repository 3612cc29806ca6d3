"""The running Kith: it follows the disk and the answers by itself, and may stop anywhere."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import drawn
from kith import config
from kith.catalogue import faces, journal, photos, trouble, work
from kith.catalogue import settings as in_catalogue
from kith.errors import BadRequest, NotFound
from kith.paths import Paths
from kith.service import packs, stages
from kith.service.app import App, opened
from kith.service.daemon import LEARNT, Daemon
from kith.service.reports import Silent
from libraries import Libraries


def settings(home: Path) -> config.Config:
    (home / "kith.toml").write_text(
        "[sidecars]\nquiet_seconds = 0.5\n[people]\nmin_faces = 2\n[analysis]\nworkers = 1\n"
    )
    return config.load(home / "kith.toml")


@contextmanager
def kith(home: Path) -> Iterator[App]:
    with opened(Paths.below(home), settings(home)) as app:
        yield app


@contextmanager
def running(app: App, *roots: Path) -> Iterator[Daemon]:
    daemon = Daemon(app, roots)
    daemon.begin()
    try:
        yield daemon
    finally:
        daemon.end()
    assert daemon.failed() is None


@pytest.fixture
def app(tmp_path: Path, libraries: Libraries) -> Iterator[App]:
    libraries.within(tmp_path)
    with kith(tmp_path) as app:
        yield app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def until(happened: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def known(app: App, path: Path) -> list[faces.Face]:
    photo = app.catalogue.read(photos.by_path, str(path).encode())
    return app.catalogue.read(faces.on_photo, photo.id) if photo else []


def test_a_photo_of_somebody_known_gets_its_sidecar_by_itself(app: App, folder: Path) -> None:
    for i in range(3):
        drawn.save(drawn.photo(["Anna"], seed=i), folder / f"{i}.jpg")
    stages.run(app, [folder], Silent())
    for i in range(3):
        app.catalogue.write(journal.name, [known(app, folder / f"{i}.jpg")[0].id], "Anna", "person")
    pack = packs.manifest(app)
    app.catalogue.write(in_catalogue.put, packs.TRUSTED, f"{pack.id} {pack.version}")  # so few faces prove nothing
    with running(app, folder) as daemon:
        daemon.wake()
        until(lambda: len(list(folder.glob("*.xmp"))) == 3)
        later = drawn.save(drawn.photo(["Anna"], seed=7), folder / "later.jpg")
        daemon.hint([(folder, False)])
        until(lambda: later.with_name("later.jpg.xmp").exists())
        assert "Anna" in later.with_name("later.jpg.xmp").read_text()


def test_kith_learns_from_answers_each_day_though_it_is_off_at_night(app: App, folder: Path) -> None:
    def learnt_at() -> float:
        return float(app.catalogue.read(in_catalogue.get, LEARNT) or 0)

    def run(hours: float, *, learns: bool) -> None:
        """Kith runs when so much time has passed since it was started."""
        now = [0.0]
        daemon = Daemon(app, [folder], clock=lambda: now[0])
        before = learnt_at()
        now[0] = hours * 3600
        daemon.begin()
        try:
            until(lambda: learnt_at() > before) if learns else time.sleep(1)
        finally:
            daemon.end()
        assert (learnt_at() > before) == learns

    run(1, learns=False)
    app.catalogue.write(in_catalogue.put, LEARNT, str(time.time() - 20 * 3600))
    run(3.8, learns=False)
    run(4.2, learns=True)
    run(1, learns=False)
    app.catalogue.write(in_catalogue.put, LEARNT, str(time.time() - 30 * 86400))
    run(0.1, learns=False)
    run(0.2, learns=True)


def test_an_answer_is_followed_while_a_scan_is_paused(app: App, folder: Path) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), folder / "a.jpg")
    stages.run(app, [folder], Silent())
    for i in range(4):
        drawn.save(drawn.photo(["Otto"], seed=i), folder / f"{i}.jpg")
    with running(app, folder) as daemon:
        daemon.pause()
        daemon.hint([(folder, True)])
        app.catalogue.write(journal.name, [known(app, photo)[0].id], "Anna", "person")
        daemon.wake()
        until(lambda: photo.with_name("a.jpg.xmp").exists())
        assert daemon.status()["paused_by"] == ["you"]
        assert len(app.catalogue.read(photos.known_below, str(folder).encode())) == 1
        daemon.resume()
        until(lambda: all(known(app, folder / f"{i}.jpg") for i in range(4)))
        until(lambda: daemon.status()["state"] == "idle")


def test_stopping_in_the_middle_loses_nothing_and_going_on_does_nothing_twice(app: App, folder: Path) -> None:
    for i in range(12):
        drawn.save(drawn.photo(["Otto"], seed=i), folder / f"{i}.jpg")
    with running(app, folder) as daemon:
        daemon.hint([(folder, True)])
        until(lambda: known(app, folder / "11.jpg") or known(app, folder / "0.jpg"))
    before = {path: app.catalogue.read(photos.by_path, str(path).encode()) for path in folder.glob("*.jpg")}
    done = [path for path in before if known(app, path)]
    assert done
    rows = {path: [face.id for face in known(app, path)] for path in done}
    with running(app, folder) as daemon:
        daemon.hint([(folder, True)])
        until(lambda: all(known(app, path) for path in before))
        until(lambda: not app.catalogue.read(work.to_analyse))
    assert all(known(app, path) for path in before)
    assert {path: [face.id for face in known(app, path)] for path in done} == rows


def test_a_job_waits_for_its_turn_and_tells_how_it_went(app: App, folder: Path) -> None:
    held = threading.Event()
    with running(app, folder) as daemon:
        slow = daemon.start("slow", lambda: held.wait(30))
        with pytest.raises(BadRequest, match="already"):
            daemon.start("slow", lambda: None)
        until(lambda: daemon.job(slow)["state"] == "running")
        wrong = daemon.start("wrong", lambda: packs.use(app, "nonsense"))
        assert daemon.job(wrong)["state"] == "waiting"
        held.set()
        until(lambda: daemon.job(wrong)["state"] == "failed")
        assert daemon.job(slow) == {"id": slow, "kind": "slow", "state": "done", "result": True, "error": None}
        assert daemon.job(wrong)["error"]["code"] == "not-found"
        with pytest.raises(NotFound):
            daemon.job(99)


def test_followers_hear_of_what_happens_until_they_leave(app: App, folder: Path) -> None:
    heard = threading.Event()
    with running(app, folder) as daemon:
        leave = daemon.follow(heard.set)
        daemon.pause()
        assert heard.wait(5)
        leave()
        heard.clear()
        daemon.resume()
        assert not heard.wait(0.2)


def test_a_sidecar_that_another_program_writes_is_heard_when_it_is_done(app: App, folder: Path) -> None:
    photo = drawn.save(drawn.photo(["Anna", "Otto"]), folder / "a.jpg")
    stages.run(app, [folder], Silent())
    app.catalogue.write(journal.name, [known(app, photo)[0].id], "Anna", "person")
    sidecar = photo.with_name("a.jpg.xmp")
    with running(app, folder) as daemon:
        daemon.wake()
        until(sidecar.exists)
        sidecar.write_text(sidecar.read_text().replace("Anna", "Hannah"))
        daemon.hint([(folder, False)])
        until(lambda: [f.person.name for f in known(app, photo) if f.person] == ["Hannah"])


def test_a_folder_that_goes_away_takes_nothing_with_it(app: App, folder: Path) -> None:
    photo = drawn.save(drawn.photo(["Anna"]), folder / "a.jpg")
    stages.run(app, [folder], Silent())
    app.catalogue.write(journal.name, [known(app, photo)[0].id], "Anna", "person")
    with running(app, folder) as daemon:
        daemon.wake()
        until(photo.with_name("a.jpg.xmp").exists)
        daemon.online(folder, False)
        shutil.move(folder, folder.with_name("unplugged"))
        daemon.hint([(folder, True)])
        until(lambda: daemon.status()["state"] == "idle")
        assert [face.person.name for face in known(app, photo) if face.person] == ["Anna"]
        shutil.move(folder.with_name("unplugged"), folder)
        daemon.online(folder, True)
        until(lambda: daemon.status()["state"] == "idle")
        assert [face.person.name for face in known(app, photo) if face.person] == ["Anna"]


def test_whoever_follows_hears_when_people_were_recognised(app: App, folder: Path) -> None:
    heard: list[int] = []
    with running(app, folder) as daemon:
        before = daemon.status()["recognised"]
        daemon.follow(lambda: heard.append(daemon.status()["recognised"]))
        drawn.save(drawn.photo(["Anna"]), folder / "a.jpg")
        daemon.hint([(folder, False)])
        until(lambda: heard and heard[-1] > before)
        assert app.catalogue.read(faces.gallery, "test").faces


def test_a_file_that_is_still_being_copied_is_analysed_once_when_it_is_whole(app: App, folder: Path) -> None:
    whole = drawn.save(drawn.photo(["Anna"]), folder.parent / "whole.jpg").read_bytes()
    photo = folder / "a.jpg"
    with running(app, folder) as daemon:
        with photo.open("wb") as file:
            for part in range(0, len(whole), len(whole) // 6 + 1):
                file.write(whole[part : part + len(whole) // 6 + 1])
                file.flush()
                daemon.hint([(folder, False)])
                time.sleep(0.5)
        until(lambda: known(app, photo))
        until(lambda: daemon.status()["state"] == "idle")
    counts = app.catalogue.read(lambda db: db.execute("SELECT kind, count(*) FROM events GROUP BY kind").fetchall())
    assert dict(counts)["analysed"] == 1
    assert app.catalogue.read(trouble.all_of) == []
