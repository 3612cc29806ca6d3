"""Being a good neighbour: what Kith does for itself waits where it would hurt. `kith.priority` lets it come last."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

POWER = Path("/sys/class/power_supply")
BATTERY, LOAD = "battery", "load"  # reasons to pause


def on_battery(power: Path = POWER) -> bool:
    """Whether the machine runs down a battery of its own: one discharges, and no mains is connected.

    Reads what the kernel tells of power supplies (Documentation/ABI/testing/sysfs-class-power); batteries of mice and
    headphones don't count.
    """
    supplies = [folder for folder in power.iterdir() if _read(folder / "scope") != "Device"] if power.is_dir() else []
    kinds = {folder: _read(folder / "type") for folder in supplies}
    plugged = any(_read(folder / "online") == "1" for folder, kind in kinds.items() if kind in ("Mains", "USB"))
    draining = any(_read(s / "status") == "Discharging" for s, kind in kinds.items() if kind in ("Battery", "UPS"))
    return draining and not plugged


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace").strip()
    except OSError:
        return ""


@dataclass(slots=True)
class OthersLoad:
    """How busy others keep each core, as the load average of the last minute tells it.

    Our own part is what `own` tells (tasks of ours that run at the time), smoothed as the kernel smoothes the load:
    what we stopped doing counts as ours for as long as it counts at all.
    """

    own: Callable[[], float] = lambda: 0.0
    load: Callable[[], float] = lambda: os.getloadavg()[0]
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    clock: Callable[[], float] = time.monotonic
    _ours: float = 0.0
    _at: float | None = None

    def __call__(self) -> float:
        now = self.clock()
        passed = 0.0 if self._at is None else now - self._at
        weight = math.exp(-passed / 60)
        self._ours, self._at = self._ours * weight + self.own() * (1 - weight), now
        return max(0.0, self.load() - self._ours) / self.cores


@dataclass(slots=True)
class Watchman:
    """Says why to pause. A reason counts at once, and until it has not held for `calm` seconds: no stop and go.

    `max_load` is how busy others may keep each core; 0 for any.
    """

    pause_on_battery: bool
    max_load: float
    others: Callable[[], float] = field(default_factory=OthersLoad)
    power: Path = POWER
    clock: Callable[[], float] = time.monotonic
    calm: float = 30.0
    _held: dict[str, float] = field(default_factory=dict)

    def reasons(self) -> tuple[str, ...]:
        """ "battery", "load", both or none. To be asked every few seconds."""
        now = self.clock()
        others = self.others()
        if self.pause_on_battery and on_battery(self.power):
            self._held[BATTERY] = now
        if self.max_load and others > self.max_load:
            self._held[LOAD] = now
        return tuple(reason for reason, at in sorted(self._held.items()) if now - at < self.calm)
