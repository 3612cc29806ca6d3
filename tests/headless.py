"""A place for programs with windows: a screen, a session bus and a home of their own, which end with all that ran."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

SIZE = "1400x900"
NOT_OURS = ("QT_", "DISPLAY", "DBUS", "WAYLAND")  # what leads to the user's screen, and to OpenCV's plugins for Qt


class Seat:
    """Where programs run, and what their user would see and do."""

    def __init__(self, stack: ExitStack, profile: Path, environment: Mapping[str, str]) -> None:
        self.profile, self.environment, self._stack = profile, dict(environment), stack

    def start(self, *command: str | Path, log: Path | None = None) -> subprocess.Popen[bytes]:
        """A program that ends with the seat, and whatever it started too."""
        words = [str(word) for word in command]
        with (log or self.profile / f"{Path(words[0]).name}.log").open("wb") as said:
            process = subprocess.Popen(
                words, env=self.environment, stdin=DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        self._stack.callback(end, process)
        return process

    def told(self, *command: str) -> str:
        """The same, for a program that says something in its first line."""
        process = subprocess.Popen(
            command, env=self.environment, stdin=DEVNULL, stdout=subprocess.PIPE, stderr=DEVNULL, start_new_session=True
        )
        self._stack.callback(end, process)
        assert process.stdout is not None
        return process.stdout.readline().decode().strip()

    def run(self, *words: str | Path, check: bool = True) -> str:
        """What a program that ends by itself says."""
        done = subprocess.run(
            [str(word) for word in words], env=self.environment, capture_output=True, text=True, check=check, timeout=60
        )
        return done.stdout

    def shot(self, path: Path) -> Path:
        self.run("import", "-window", "root", path)
        return path

    def windows(self, name: str) -> list[str]:
        return self.run("xdotool", "search", "--onlyvisible", "--name", name, check=False).split()

    def call(self, target: str, path: str, method: str, *words: str) -> str:
        """What an object on the session bus answers; nothing where there is no such object."""
        head = ("dbus-send", "--session", "--print-reply", f"--dest={target}", path, method)
        return self.run(*head, *(f"string:{word}" for word in words), check=False)

    def on_bus(self, prefix: str) -> str | None:
        """The first name on the session bus that begins so."""
        listed = self.call("org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames")
        return next((word for word in listed.split('"') if word.startswith(prefix)), None)


@contextmanager
def seat(profile: Path, environment: Mapping[str, str] | None = None) -> Iterator[Seat]:
    """A seat with a window manager, until the block ends. `environment`: what its programs find besides their home."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    with ExitStack() as stack:
        made = Seat(stack, profile, inherited | home(profile) | (environment or {}))
        screen = ("Xvfb", "-displayfd", "1", "-screen", "0", f"{SIZE}x24", "-nolisten", "tcp")
        made.environment["DISPLAY"] = f":{made.told(*screen)}"
        bus = ("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1")
        made.environment["DBUS_SESSION_BUS_ADDRESS"] = made.told(*bus)
        made.start("openbox")
        yield made


def home(profile: Path) -> dict[str, str]:
    """Private folders below one, as the environment of a program."""
    home = profile / "home"
    folders = {
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_RUNTIME_DIR": profile / "run",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "HOME": str(home),
        **{name: str(folder) for name, folder in folders.items()},
        "LC_ALL": "C.UTF-8",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "NO_AT_BRIDGE": "1",
        "QTWEBENGINE_DISABLE_SANDBOX": "1",  # as root
        "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox",
    }


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(patience)
    process.wait()


def until(happened: Callable[[], Any], seconds: float = 60.0) -> None:
    assert until_or_not(happened, seconds), "it never happened"


def until_or_not(happened: Callable[[], Any], seconds: float) -> bool:
    finish = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > finish:
            return False
        time.sleep(0.2)
    return True


def comes_up(program: subprocess.Popen[bytes], sign: Callable[[], Any], seconds: float) -> bool:
    """Whether a program gives a sign in time, before it ends."""
    until_or_not(lambda: sign() or program.poll() is not None, seconds)
    return bool(sign())
