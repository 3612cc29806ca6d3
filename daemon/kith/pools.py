"""Worker processes that name the guilty photo.

`SpawnPool` is a `concurrent.futures.Executor`, so any other executor (a Dask or Ray cluster's, or `InlineExecutor` in
tests) can take its place. Each of its workers is a pool of exactly one spawned process with one task in hand: when a
decoder crashes or hangs, the future of the photo it was reading fails with `WorkerDied`, and no other one does.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from multiprocessing import get_context
from typing import Any, ParamSpec, TypeVar

from kith.errors import WorkerDied, WorkersFail

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
Argument = TypeVar("Argument")

_Call = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class SpawnPool(Executor):
    """`workers` one-process pools behind one queue.

    `initialiser` runs once in each new process. A task that takes longer than `patience` seconds is ended with its
    process. A task whose process dies is tried once more in a fresh one, since the death may have been another's
    fault (the kernel's memory killer); the second death is final. A process ends after `idle` seconds without a
    task, and with it its models; the next task starts a new one.
    """

    def __init__(
        self,
        workers: int,
        initialiser: Callable[..., None] | None = None,
        arguments: tuple[Any, ...] = (),
        patience: float = 300.0,
        idle: float = 60.0,
    ) -> None:
        self._start = (initialiser, arguments)
        self._patience, self._idle = patience, idle
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, name=f"pool-{n}", daemon=True) for n in range(workers)]
        self._stopping = threading.Event()
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._calls.put((future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._stopping.set()
        for _ in self._threads:
            self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        slot = _Slot(*self._start)
        while (call := self._next(slot)) is not None:
            future, fn, args, kwargs = call
            if self._stopping.is_set():
                future.cancel()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._twice(slot, fn, args, kwargs))
            except BaseException as error:  # noqa: BLE001  every outcome belongs to the future
                future.set_exception(error)
        slot.close()

    def _next(self, slot: _Slot) -> _Call | None:
        try:
            return self._calls.get(timeout=self._idle)
        except queue.Empty:
            slot.close()
            return self._calls.get()

    def _twice(self, slot: _Slot, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        try:
            return slot.call(fn, args, kwargs, self._patience)
        except BrokenProcessPool:
            if self._stopping.is_set():
                raise
        try:
            return slot.call(fn, args, kwargs, self._patience)
        except BrokenProcessPool:
            raise WorkerDied(
                "The program that reads photos crashed on this file, twice. The file may be damaged; "
                "if other programs open it, please report it with the file."
            ) from None


class _Slot:
    """One process, replaced when it dies."""

    def __init__(self, initialiser: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
        self._initialiser, self._arguments = initialiser, arguments
        self._pool: ProcessPoolExecutor | None = None
        self._pid = 0

    def call(self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], patience: float) -> T:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1,
                mp_context=get_context("spawn"),
                initializer=_begin,
                initargs=(self._initialiser, self._arguments),
            )
            try:
                self._pid = self._pool.submit(os.getpid).result()
            except BrokenProcessPool as error:
                self.close()
                raise WorkersFail(
                    "The processes that read photos don't start. Their reason stands above this line, if they gave one."
                ) from error
        try:
            return self._pool.submit(fn, *args, **kwargs).result(timeout=patience)
        except TimeoutError:
            self._kill()
            raise WorkerDied(
                f"Reading this file took more than {patience:.0f} seconds and was stopped. "
                "It is tried again when the file changes."
            ) from None
        except BrokenProcessPool:
            self.close()
            raise

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _begin(initialiser: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """First thing in a worker: leave Ctrl-C to the main process, and never outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initialiser is not None:
        initialiser(*arguments)


def _end_with_parent() -> None:
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


class InlineExecutor(Executor):
    """Runs each task at once in the caller: the pipeline without processes."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  every outcome belongs to the future
            future.set_exception(error)
        return future


def each(
    executor: Executor, fn: Callable[[Argument], T], tasks: Iterable[tuple[Item, Argument]], ahead: int
) -> Iterator[tuple[Item, Future[T]]]:
    """Call `fn` with the argument of every task (item, argument), at most `ahead` of them under way.

    Gives (item, finished future) in the order they finish; asking the future for its result raises what the call
    raised. Closing the iterator drops what is under way.
    """
    waiting: dict[Future[T], Item] = {}
    source = iter(tasks)
    try:
        while True:
            for item, argument in islice(source, ahead - len(waiting)):
                waiting[executor.submit(fn, argument)] = item
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future
    finally:
        for future in waiting:
            future.cancel()
