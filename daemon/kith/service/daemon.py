"""The running Kith: what it does by itself, in two threads that ask the catalogue what is left to do.

The finder looks at folders, finds faces and does jobs; it waits while Kith is paused. The keeper follows what changed:
beliefs, names in other programs' sidecars, Kith's own sidecars; it never waits, since what a person said comes first.
Neither keeps anything that the catalogue doesn't: stopping anywhere is safe.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kith import priority
from kith.catalogue import events, faces, photos, settings, work
from kith.config import Config
from kith.errors import BadRequest, KithError, NotFound, Retry
from kith.files import show
from kith.service import packs, recognition, stages
from kith.service.app import App
from kith.service.reports import Report

log = logging.getLogger(__name__)

DAY = 86400.0
SETTLED = 600.0  # seconds after the start in which there is more pressing work than what is done once a day
LEARNT = "learnt-at"
LOOK_EVERY = 5.0  # seconds between looks for work that nobody announced: files that were busy, tries that are due
PATIENCE = 4.0  # times as long as believing takes is waited before it is done again, while faces keep coming
JOBS_KEPT = 100


class Stopping(Exception):
    """Kith was told to stop: what is under way is left for the next start."""


@dataclass(slots=True)
class Job:
    """Something that takes long and was asked for."""

    id: int
    kind: str
    work: Callable[[], Any]
    state: str = "waiting"
    result: Any = None
    error: dict[str, str] | None = None


@dataclass(slots=True)
class Due:
    """What the finder is to look at: whole folders, and folders in which something changed (deep or not).

    `daily`: everything, and what is best done once a day.
    """

    folders: set[Path] = field(default_factory=set)
    daily: bool = False
    hints: dict[Path, bool] = field(default_factory=dict)


class Daemon:
    """Implements `service.control.Control`. `clock` gives seconds, for when the daily look is due.

    Nothing is looked at before it is hinted at; whoever watches the folders hints at all of them at the start.
    """

    def __init__(self, app: App, roots: Sequence[Path], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self.report: Report = _Progress(self, heeds_pause=True)  # of jobs, which wait while Kith is paused
        self.watch: Callable[[Sequence[Path]], None] = lambda _: None  # has folders watched that come later,
        self.unwatch: Callable[[Sequence[Path]], None] = lambda _: None  # and no longer
        self._clock = clock
        self._roots = {root.resolve(): True for root in roots}
        self._changed = threading.Condition()
        self._stop = False
        self._paused_by: set[str] = set()
        self._due, self._next_look = Due(), clock() + self._until_daily()
        self._young: set[Path] = set()  # folders with files that were still being written when last looked at
        self._young_until = 0.0
        self._jobs: dict[int, Job] = {}
        self._followers: set[Callable[[], None]] = set()
        self._woken, self._anew = threading.Event(), threading.Event()
        self._stages: list[Stage] = []
        self._problems: dict[str, dict[str, str]] = {}
        self._recognised = 0
        self._beliefs = recognition.Beliefs(app)
        self._threads = [
            threading.Thread(target=self._run, args=(part,), name=f"kith-{part.__name__[1:]}")
            for part in (self._find, self._keep)
        ]
        self._failed: BaseException | None = None
        app.catalogue.on_commit = self._tell_followers

    # -- living ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start working."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop as soon as what is in hand is done, and wait for that."""
        self._tell_stop()
        for thread in self._threads:
            thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether both threads run."""
        return all(thread.is_alive() for thread in self._threads)

    def failed(self) -> BaseException | None:
        """What stopped Kith by itself, if anything did."""
        return self._failed

    def configure(self, config: Config) -> None:
        """Go on with other settings."""
        self.app = replace(self.app, config=config)
        self._anew.set()
        self.wake()

    def _tell_stop(self) -> None:
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._woken.set()

    def _run(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Stopping:
            pass
        except BaseException as error:  # told to whoever waits for the daemon; the other thread stops too
            log.exception("Kith stops.")
            self._failed = error
            self._tell_stop()
            self._tell_followers()

    # -- Control --------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        self._woken.set()
        with self._changed:
            self._changed.notify_all()  # a box that was drawn is for the finder

    def status(self) -> dict[str, Any]:
        with self._changed:
            stage, paused = next(iter(self._stages), None), sorted(self._paused_by)
            waiting = bool(self._due.folders or self._due.hints or self._young or self._waiting_jobs())
            roots = [{"path": str(root), "online": online} for root, online in self._roots.items()]
        state = "busy" if stage else "paused" if paused else "busy" if waiting else "idle"
        return {
            "state": state,
            "paused_by": paused,
            "roots": roots,
            "stage": stage.told() if stage else None,
            "problem": next(iter(self._problems.values()), None),
            "recognised": self._recognised,
        }

    def pause(self, reason: str = "you") -> None:
        with self._changed:
            self._paused_by.add(reason)
        self._tell_followers()

    def resume(self, reason: str = "you") -> None:
        with self._changed:
            self._paused_by.discard(reason)
            self._changed.notify_all()
        self._tell_followers()

    def start(self, kind: str, work: Callable[[], Any]) -> int:
        with self._changed:
            if any(job.kind == kind for job in self._waiting_jobs()):
                raise BadRequest(f"There is a {kind} waiting or under way already.")
            number = max(self._jobs, default=0) + 1
            self._jobs[number] = Job(number, kind, work)
            for old in sorted(self._jobs)[:-JOBS_KEPT]:
                del self._jobs[old]
            self._changed.notify_all()
        return number

    def job(self, number: int) -> dict[str, Any]:
        with self._changed:
            job = self._jobs.get(number)
            if job is None:
                raise NotFound(f"There is no job {number}.")
            return {"id": job.id, "kind": job.kind, "state": job.state, "result": job.result, "error": job.error}

    def add_roots(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if not path.is_dir():
                raise BadRequest(f"{show(path)} is not a folder. If it is on a disk, plug that in and try again.")
        with self._changed:
            real = dict.fromkeys(path.resolve() for path in paths)
            fresh = [root for root in real if not _is_below(root, self._roots)]
            self._roots |= dict.fromkeys(fresh, True)
            self._due.folders |= real.keys()
            self._changed.notify_all()
        if fresh:
            self.watch(fresh)
        self._tell_followers()

    def drop_roots(self, paths: Sequence[Path]) -> None:
        gone = {path.resolve() for path in paths}
        with self._changed:
            for root in gone - self._roots.keys():
                raise NotFound(f"{show(root)} is none of the folders that Kith watches.")
            self._roots = {root: there for root, there in self._roots.items() if root not in gone}
        self.unwatch(sorted(gone))
        for root in gone:
            self.app.catalogue.write(photos.leave, os.fsencode(root))
        with self._changed:
            hints = self._due.hints.items()
            self._due.hints = {folder: deep for folder, deep in hints if not _is_below(folder, gone)}
            self._due.folders -= gone
            # what lies in another folder too is looked at there
            self._due.folders |= {
                root for root in self._roots if _is_below(root, gone) or any(_is_below(g, [root]) for g in gone)
            }
            self._changed.notify_all()
        self._tell_followers()

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        self._followers.add(listener)
        return lambda: self._followers.discard(listener)

    # -- hints ----------------------------------------------------------------------------------------------------

    def hint(self, folders: Iterable[tuple[Path, bool]]) -> None:
        """Something changed in these folders, or (True) somewhere below them."""
        with self._changed:
            for folder, deep in folders:
                self._due.hints[folder] = deep or self._due.hints.get(folder, False)
            self._changed.notify_all()

    def online(self, root: Path, is_there: bool) -> None:
        """A disk went away or came back."""
        with self._changed:
            self._roots[root] = is_there
            if is_there:
                self._due.folders.add(root)
                self._changed.notify_all()
        self._tell_followers()

    # -- the finder -----------------------------------------------------------------------------------------------

    def _find(self) -> None:
        priority.fall_behind()  # and with it the workers, which start from this thread
        report = _Progress(self, heeds_pause=True)
        self._guarded(self._take_stock, report)
        while True:
            self.breathe(heeds_pause=True)
            job, due = self._next()
            if job is not None:
                self._do(job)
            if due.folders or due.hints:
                self._guarded(self._look, due, report)
            self._guarded(self._analyse, report)
            if due.daily:
                self._guarded(self._learn, report)

    def _next(self) -> tuple[Job | None, Due]:
        """What to do now; waits until there is something, or it is time to look for work."""
        with self._changed:
            if not (self._due.folders or self._due.hints or self._waiting_jobs() or self._stop):
                self._changed.wait(stages.ON_ITS_WAY if self._young else LOOK_EVERY)
            self._pass_on()
            if self._young and time.monotonic() >= self._young_until:
                self._due.hints |= {folder: self._due.hints.get(folder, False) for folder in self._young}
                self._young = set()
            if self._clock() >= self._next_look:
                self._due.folders |= set(self._roots)
                self._due.daily = True
                self._next_look = self._clock() + DAY
            due, self._due = self._due, Due()
            return next(iter(self._waiting_jobs()), None), due

    def _take_stock(self, report: _Progress) -> None:
        """Once, at the start: what nobody has to wait for, and a model where there is none yet."""
        self.app.catalogue.write(events.prune)
        if packs.in_use(self.app) is None:
            packs.get(self.app, packs.AUTO, None, report)

    def _until_daily(self) -> float:
        """Seconds to what is done once a day; a computer that is off at night has not slept through it."""
        last = self.app.catalogue.read(settings.get, LEARNT)
        if last is None:
            self._note_the_day()
            return DAY
        return min(DAY, max(SETTLED, float(last) + DAY - time.time()))

    def _note_the_day(self) -> None:
        self.app.catalogue.write(settings.put, LEARNT, str(time.time()))

    def _look(self, due: Due, report: _Progress) -> None:
        with self._changed:
            online = {root for root, there in self._roots.items() if there}
        whole = [root for root in sorted(due.folders & online) if root.is_dir()]
        young: set[bytes] = set()
        if whole:
            stages.look(self.app, whole, report, young=young)
        for folder, deep in sorted(due.hints.items()):
            if any(folder.is_relative_to(root) for root in whole) or not folder.is_dir():
                continue
            stages.look(self.app, [folder], report, deep=deep, young=young)
        with self._changed:
            self._young = {Path(os.fsdecode(path)).parent for path in young}
            self._young_until = time.monotonic() + stages.ON_ITS_WAY

    def _analyse(self, report: _Progress) -> None:
        catalogue = self.app.catalogue
        if not (catalogue.read(work.to_analyse) or packs.is_behind(self.app)):
            return
        pack, _ = stages.analyse(self.app, packs.load(self.app), report)
        stages.embed(self.app, pack, report)
        stages.change_pack(self.app, pack, report)
        self.wake()

    def _learn(self, report: _Progress) -> None:
        """Once a day: how far the model is to be believed here, from all answers; what follows is the keeper's."""
        self.app.catalogue.write(events.prune)
        self._note_the_day()
        if packs.in_use(self.app) is None:
            return
        with report.stage("Learning from answers", 1) as step:
            recognition.learn(self.app, packs.manifest(self.app))
            step()
        self._anew.set()
        self.wake()

    def _do(self, job: Job) -> None:
        job.state = "running"
        try:
            job.result = job.work()
            job.state = "done"
        except KithError as error:
            job.error, job.state = {"code": error.code, "message": error.message}, "failed"
        self._anew.set()  # a job may have taken changes of faces that the keeper has not seen
        self.wake()
        self._tell_followers()

    def _waiting_jobs(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.state in ("waiting", "running")]

    # -- the keeper -----------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        report = _Progress(self, heeds_pause=False)
        while True:
            self._woken.wait(LOOK_EVERY)
            self._woken.clear()
            self._pass_on()
            began = time.monotonic()
            self._guarded(self._follow_up, report)
            self._rest(PATIENCE * (time.monotonic() - began))

    def _follow_up(self, report: _Progress) -> None:
        app = self.app
        stages.hear(app, report, wait=False)
        if self._anew.is_set():
            self._anew.clear()
            self._beliefs = recognition.Beliefs(app)
        if packs.in_use(app) is not None and (self._beliefs.is_new or app.catalogue.read(faces.changed)[1]):
            self._beliefs.update(packs.manifest(app))
            self._recognised += 1
            self._tell_followers()
        elif self._beliefs.waiting and not self._paused_by:
            self._beliefs.tend()
        stages.write(app, report, wait=False)

    def _rest(self, seconds: float) -> None:
        """While faces keep coming, don't believe anew for each of them; somebody's answer ends the rest."""
        until = time.monotonic() + min(seconds, LOOK_EVERY)
        while time.monotonic() < until and not self._woken.is_set():
            time.sleep(0.05)

    # -- both -----------------------------------------------------------------------------------------------------

    def _guarded(self, part: Callable[..., None], *arguments: Any) -> None:
        """Do something; what goes wrong there stops Kith only if nothing can work any more."""
        try:
            part(*arguments)
            self._problems.pop(part.__name__, None)
        except KithError as error:
            if error.retry is Retry.FATAL:
                raise
            problem = {"code": error.code, "message": error.message}
            if self._problems.get(part.__name__) != problem:
                self._problems[part.__name__] = problem
                log.warning("%s", error)

    def _pass_on(self) -> None:
        if self._stop:
            raise Stopping

    def begin_stage(self, stage: Stage) -> None:
        with self._changed:
            self._stages.append(stage)

    def end_stage(self, stage: Stage) -> None:
        with self._changed:
            self._stages.remove(stage)
        self._tell_followers()

    def breathe(self, *, heeds_pause: bool) -> None:
        """Between two files: stop if Kith stops, wait while it is paused."""
        with self._changed:
            self._pass_on()
            while heeds_pause and self._paused_by:
                self._changed.wait()
                self._pass_on()

    def _tell_followers(self) -> None:
        for listener in tuple(self._followers):
            with suppress(RuntimeError):  # the loop of somebody who is leaving
                listener()


def _is_below(folder: Path, roots: Iterable[Path]) -> bool:
    return any(folder.is_relative_to(root) for root in roots)


class Stage:
    """How far something is."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0
        self._start = time.monotonic()

    def step(self) -> None:
        self._done += 1

    def told(self) -> dict[str, Any]:
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        left = (self._total - self._done) / rate if self._total and rate else None
        return {
            "title": self._title,
            "done": self._done,
            "total": self._total or None,
            "per_second": round(rate, 2),
            "seconds_left": None if left is None else round(left),
        }


class _Progress:
    """A `Report` that waits while Kith is paused and stops when it stops."""

    def __init__(self, daemon: Daemon, *, heeds_pause: bool) -> None:
        self._daemon, self._heeds_pause = daemon, heeds_pause

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        stage = Stage(title, total)
        self._daemon.begin_stage(stage)

        def step() -> None:
            stage.step()
            self._daemon.breathe(heeds_pause=self._heeds_pause)

        try:
            yield step
        finally:
            self._daemon.end_stage(stage)

    def say(self, line: str) -> None:
        log.info("%s", line)
