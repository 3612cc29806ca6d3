"""Where blocking work goes, so that the loop that talks to everybody never waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
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
    """The last result of something slow, made anew when the catalogue has changed since.

    Nobody waits longer than `patience` seconds while there is an older one; and it rests for `rest` times as long as
    making it took, so that a running scan doesn't make it a full-time job.
    """

    def __init__(
        self,
        make: Callable[[], T],
        *,
        rest: float = 2.0,
        patience: float = 0.15,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._rest, self._patience, self._clock = make, rest, patience, clock
        self._pool = ThreadPoolExecutor(1, "api-kept")
        self._lock = threading.Lock()
        self._last: Future[T] | None = None
        self._making: Future[T] | None = None
        self._version, self._next = -1, 0.0

    def get(self, version: int) -> T:
        """The result for the catalogue in this version, or a little older. Raises what making the first one raises."""
        with self._lock:
            self._take()
            if self._making is None and version != self._version and self._clock() >= self._next:
                self._making, self._version = self._pool.submit(self._made), version
            making = self._making
        if making is not None:
            wait([making], None if self._last is None else self._patience)
        with self._lock:
            self._take()
            if self._last is None:
                raise Busy("This is still being thought of; ask again in a moment.")
            return self._last.result()

    def is_fresh(self, version: int) -> bool:
        """Whether the last result is one for the catalogue in this version: who got an older one may ask again."""
        with self._lock:
            self._take()
            return self._making is None and self._version >= version

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _made(self) -> T:
        began = self._clock()
        try:
            return self._make()
        finally:
            self._next = self._clock() + self._rest * (self._clock() - began)

    def _take(self) -> None:
        if self._making is not None and self._making.done():
            self._last, self._making = self._making, None
