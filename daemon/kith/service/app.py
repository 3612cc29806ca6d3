"""The composition root: everything is made here, in order, and let go in reverse."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kith.catalogue import Catalogue, open_catalogue, set_aside
from kith.config import Config
from kith.errors import AlreadyRunning
from kith.paths import Paths


class Workshop:
    """The worker processes: made when they are needed, ended when nobody needs them for a while."""

    def __init__(self) -> None:
        self._pools: dict[str, tuple[object, Executor]] = {}
        self._lock = threading.Lock()

    def pool(self, name: str, made_for: object, make: Callable[[], Executor]) -> Executor:
        """The pool of this name; a new one where it was made for something else than `made_for`."""
        with self._lock:
            before, pool = self._pools.get(name, (None, None))
            if pool is None or before != made_for:
                if pool is not None:
                    pool.shutdown(cancel_futures=True)
                pool = make()
                self._pools[name] = made_for, pool
            return pool

    def close(self) -> None:
        """End all of them; what they had not begun is dropped."""
        for _, pool in self._pools.values():
            pool.shutdown(cancel_futures=True)
        self._pools.clear()


@dataclass(frozen=True, slots=True)
class App:
    """The parts that the stages and commands work with."""

    paths: Paths
    config: Config
    catalogue: Catalogue
    workshop: Workshop = field(default_factory=Workshop)

    @property
    def workers(self) -> int:
        return self.config.analysis.workers or len(os.sched_getaffinity(0))


@contextmanager
def opened(paths: Paths, config: Config, *, readonly: bool = False) -> Iterator[App]:
    """Kith's parts, ready to use. Only one process at a time has them to write; readers don't disturb it.

    Raises AlreadyRunning, CatalogueTooNew, CatalogueCorrupt, or NotFound where there is nothing to read yet.
    """
    if readonly:
        catalogue = open_catalogue(paths.catalogue, readonly=True)
        try:
            yield App(paths, config, catalogue)
        finally:
            catalogue.close()
        return
    paths.make()
    with _alone(paths.lock):
        catalogue = open_catalogue(paths.catalogue)
        app = App(paths, config, catalogue)
        try:
            yield app
        finally:
            app.workshop.close()
            catalogue.close()


def set_damaged_aside(paths: Paths) -> Path | None:
    """Move a damaged catalogue out of the way; gives where it is now, None where there was nothing wrong with it."""
    paths.make()
    with _alone(paths.lock):
        return set_aside(paths.catalogue)


def running(lock: Path) -> bool:
    """Whether some Kith is at work."""
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            raise AlreadyRunning(
                f"Another Kith (process {holder or 'unknown'}) is at work. Wait for it, or stop it and try again."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
