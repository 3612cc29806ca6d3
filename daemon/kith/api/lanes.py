"""Where blocking work goes, so that the loop that talks to everybody never waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, ParamSpec, TypeVar

from kith.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """A few threads, and a bound on how many calls may wait for them."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, f"api-{name}")
        self._most, self._inside = threads + waiting, 0

    async def __call__(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call in one of the threads. Raises Busy where too many wait already."""
        if self._inside >= self._most:
            raise Busy("Too many requests wait already; ask again in a moment.")
        self._inside += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, lambda: fn(*args, **kwargs))
        future.add_done_callback(self._leave)
        return await asyncio.shield(future)

    def _leave(self, future: asyncio.Future[T]) -> None:
        self._inside -= 1
        if not future.cancelled():
            future.exception()  # of a caller who went away, nobody else takes it

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


class Kept(Generic[T]):
    """The last result of something slow: made anew when the catalogue has changed since, but never one right after the
    other, so that a running scan doesn't make it a full-time job."""

    def __init__(self, make: Callable[[], T], rest: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._make, self._rest, self._clock = make, rest, clock
        self._lock = threading.Lock()
        self._result: T | None = None
        self._version, self._next = -1, 0.0

    def get(self, version: int) -> T:
        """The result for the catalogue in this version, or a little older; `rest` times as long as making took."""
        with self._lock:
            if self._result is None or (version != self._version and self._clock() >= self._next):
                began = self._clock()
                self._result = self._make()
                self._version = version
                self._next = self._clock() + self._rest * (self._clock() - began)
            return self._result
