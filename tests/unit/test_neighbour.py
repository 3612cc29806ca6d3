"""What being a good neighbour promises: workers come last, answers don't, and a battery is spared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kith.service.neighbour import BATTERY, LOAD, OthersLoad, Watchman, on_battery

PROGRAM = """
import os, subprocess, threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from kith.priority import fall_behind

def seen():
    thread = threading.get_native_id()
    io = subprocess.run(["ionice", "-p", str(thread)], capture_output=True, text=True).stdout.split(":")[0].strip()
    return f"{os.getpriority(os.PRIO_PROCESS, thread)} {io}"

if __name__ == "__main__":
    found = []
    def work():
        fall_behind()
        fall_behind()
        found.append(seen())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=fall_behind) as pool:
        print(found[0], pool.submit(seen).result(), seen(), sep="|")
"""


def test_workers_and_background_threads_come_last_and_other_threads_stay_as_they_are(tmp_path: Path) -> None:
    if shutil.which("ionice") is None:
        pytest.skip("needs ionice")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    thread, worker, main = seen(program)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert thread == worker == f"{max(10, before)} idle"
    assert main.split()[0] == str(before)
    assert not main.endswith("idle")


def test_who_wants_kith_to_be_as_quick_as_everything_else_says_so(tmp_path: Path) -> None:
    if shutil.which("ionice") is None:
        pytest.skip("needs ionice")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    assert len(set(seen(program, KITH_NICE="0"))) == 1


def seen(program: Path, **environment: str) -> list[str]:
    """Niceness and I/O class of a background thread, of a worker and of the main thread."""
    clean = {name: value for name, value in os.environ.items() if name != "KITH_NICE"} | environment
    done = subprocess.run([sys.executable, program], env=clean, capture_output=True, text=True, check=True)
    return done.stdout.strip().split("|")


def supply(power: Path, name: str, **values: str) -> None:
    (power / name).mkdir(parents=True, exist_ok=True)
    for file, value in values.items():
        (power / name / file).write_text(value + "\n")


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ({}, False),
        ({"AC": {"type": "Mains", "online": "1"}}, False),
        ({"BAT0": {"type": "Battery", "status": "Discharging"}}, True),
        ({"AC": {"type": "Mains", "online": "0"}, "BAT0": {"type": "Battery", "status": "Discharging"}}, True),
        ({"AC": {"type": "Mains", "online": "1"}, "BAT0": {"type": "Battery", "status": "Discharging"}}, False),
        ({"AC": {"type": "Mains", "online": "0"}, "BAT0": {"type": "Battery", "status": "Full"}}, False),
        ({"usb": {"type": "USB", "online": "1"}, "BAT0": {"type": "Battery", "status": "Charging"}}, False),
        ({"mouse": {"type": "Battery", "status": "Discharging", "scope": "Device"}}, False),
        ({"ups": {"type": "UPS", "status": "Discharging", "scope": "System"}}, True),
        ({"BAT0": {"type": "Battery", "status": "Full"}, "BAT1": {"type": "Battery", "status": "Discharging"}}, True),
    ],
)
def test_a_battery_that_runs_down_is_told_from_all_others(
    tmp_path: Path, supplies: dict[str, dict[str, str]], expected: bool
) -> None:
    for name, values in supplies.items():
        supply(tmp_path, name, **values)
    assert on_battery(tmp_path) is expected


def test_a_machine_that_tells_nothing_of_its_power_is_plugged_in(tmp_path: Path) -> None:
    assert not on_battery(tmp_path / "nothing")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_kith_pauses_at_once_on_battery_and_goes_on_when_it_was_plugged_in_for_a_while(tmp_path: Path) -> None:
    clock = Clock()
    watchman = Watchman(True, 0.0, others=lambda: 9.0, power=tmp_path, clock=clock, calm=30.0)
    supply(tmp_path, "BAT0", type="Battery", status="Charging")
    assert watchman.reasons() == ()
    supply(tmp_path, "BAT0", status="Discharging")
    assert watchman.reasons() == (BATTERY,)
    supply(tmp_path, "BAT0", status="Charging")
    clock.now = 29.0
    assert watchman.reasons() == (BATTERY,)
    clock.now = 31.0
    assert watchman.reasons() == ()


def test_each_reason_counts_only_where_it_is_asked_for(tmp_path: Path) -> None:
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    told = {
        (battery, load): Watchman(battery, load, others=lambda: 0.9, power=tmp_path, clock=Clock()).reasons()
        for battery in (False, True)
        for load in (0.0, 0.5, 1.0)
    }
    assert told == {
        (False, 0.0): (),
        (False, 0.5): (LOAD,),
        (False, 1.0): (),
        (True, 0.0): (BATTERY,),
        (True, 0.5): (BATTERY, LOAD),
        (True, 1.0): (BATTERY,),
    }


def kernel_load(tasks: list[float]) -> list[float]:
    """The load average of a minute after each second, with so many tasks running, as the kernel counts it."""
    load, loads = 0.0, []
    for running in tasks:
        load += (running - load) * (1 - 2.718281828459045 ** (-1 / 60))
        loads.append(load)
    return loads


def others_after_each_second(ours: list[float], theirs: list[float]) -> list[float]:
    clock = Clock()
    ours, loads = [0.0, *ours], [0.0, *kernel_load([a + b for a, b in zip(ours, theirs, strict=True)])]
    others = OthersLoad(lambda: ours[int(clock.now)], lambda: loads[int(clock.now)], cores=4, clock=clock)
    found = []
    for second in range(len(ours)):
        clock.now = float(second)
        found.append(others())
    return found


def test_our_own_workers_are_no_reason_to_pause_even_after_they_stopped() -> None:
    ours = [4.0] * 300 + [0.0] * 300
    assert max(others_after_each_second(ours, [0.0] * 600)) < 0.01


def test_the_load_of_others_is_seen_beside_ours() -> None:
    assert others_after_each_second([4.0] * 300, [4.0] * 300)[-1] > 0.95
