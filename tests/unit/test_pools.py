"""What worker processes promise: the guilty task is named, the others don't suffer, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kith.errors import WorkerDied, WorkersFail
from kith.pools import InlineExecutor, SpawnPool, each


def square(number: int) -> int:
    return number * number


def die_on_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_once(marker: str) -> str:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def refuse(number: int) -> int:
    raise ValueError(number)


def rest(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def rest_until(marker: str) -> str:
    while not Path(marker).exists():
        time.sleep(0.01)
    return marker


def outcomes(pool: SpawnPool, fn: Callable[[int], int]) -> dict[int, str]:
    found = {}
    for item, future in each(pool, fn, ((n, n) for n in range(6)), ahead=4):
        error = future.exception()
        found[item] = type(error).__name__ if error else str(future.result())
    return found


def test_a_crash_names_its_task_and_spares_the_others() -> None:
    with SpawnPool(2) as pool:
        assert outcomes(pool, die_on_three) == {0: "0", 1: "1", 2: "2", 3: "WorkerDied", 4: "4", 5: "5"}


def test_a_process_killed_from_outside_gets_its_task_done_by_another(tmp_path: Path) -> None:
    with SpawnPool(1) as pool:
        assert pool.submit(die_once, str(tmp_path / "died")).result() == "alive"


def test_an_error_of_the_task_is_its_result_and_the_process_goes_on() -> None:
    with SpawnPool(1) as pool:
        first = pool.submit(os.getpid).result()
        assert set(outcomes(pool, refuse).values()) == {"ValueError"}
        assert pool.submit(os.getpid).result() == first


def test_a_process_without_work_ends_and_a_new_one_takes_the_next_task() -> None:
    with SpawnPool(1, idle=0.2) as pool:
        first = pool.submit(os.getpid).result()
        until = time.monotonic() + 20
        while Path(f"/proc/{first}").exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert not Path(f"/proc/{first}").exists()
        assert pool.submit(os.getpid).result() != first


def test_a_task_that_hangs_is_ended() -> None:
    with SpawnPool(1, patience=0.5) as pool:
        with pytest.raises(WorkerDied, match="stopped"):
            pool.submit(rest, 600.0).result()
        pool._patience = 600.0  # a busy machine may need more than half a second for what doesn't hang
        assert pool.submit(square, 3).result() == 9


def test_processes_that_never_start_are_nobodys_fault() -> None:
    with SpawnPool(1, initialiser=refuse, arguments=(1,)) as pool, pytest.raises(WorkersFail):
        pool.submit(square, 3).result()


def test_stopping_drops_what_has_not_begun(tmp_path: Path) -> None:
    pool, go = SpawnPool(1), tmp_path / "go"
    running = pool.submit(rest_until, str(go))
    waiting = [pool.submit(rest, 600.0) for _ in range(5)]
    while not running.running():
        time.sleep(0.01)
    pool.shutdown(wait=False, cancel_futures=True)
    go.touch()
    assert running.result() == str(go)
    pool.shutdown()
    assert all(future.cancelled() for future in waiting)


def test_work_can_be_done_without_processes() -> None:
    found = {item: future.result() for item, future in each(InlineExecutor(), square, ((n, n) for n in range(5)), 2)}
    assert found == {n: n * n for n in range(5)}


PARENT = """
import sys, time
sys.path.insert(0, {tests!r})
from kith.pools import SpawnPool
import os
if __name__ == "__main__":
    pool = SpawnPool(1)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=str(Path(__file__).parent)))
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(200):
        if not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text().split(")")[1][:3]:
            return
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker outlived its parent by ten seconds")
