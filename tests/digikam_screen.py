"""The real digiKam on a screen of its own, driven as its user does: clicks, keys, and a look at what it shows."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from programs import need

SIZE, QUESTION = "1400x900", "Download required"
SETTINGS = """[General Settings]
Version=7.9.0
{size} screen: Window-Maximized=true
[Album Settings]
Show Splash=false
Scan At Start=true
[Metadata Settings]
Use XMP Sidecar For Reading=true
Metadata Writing Mode=1
Use XMP Sidecar For Writing={write}
Save FaceTags={write}
Save Tags={write}
Rescan File If Modified={rescan}
[Notification Messages]
HelpBoxNotifSeen=true
[Database Settings]
Database Type=QSQLITE
Database Name={folder}/
Database Name Thumbnails={folder}/
Database Name Face={folder}/
Database Name Similarity={folder}/
Internal Database Server=false
"""
# Where things are in the maximised window, with the fonts of Debian.
FIRST_PERSON, FIRST_FACE = (150, 135), (525, 231)
CONFIRM, REMOVE, IGNORE = (470, 364), (530, 364), (585, 364)  # below the first face, while the mouse is over it


def settings(folder: Path, *, write: bool = False, rescan: bool = False) -> str:
    """A digikamrc for a database in a folder; `write`: confirmed faces go to sidecars."""
    flags = {"write": str(write).lower(), "rescan": str(rescan).lower()}
    return SETTINGS.format(size=SIZE, folder=folder, **flags)


class Screen:
    """A digiKam that runs and can be clicked."""

    def __init__(self, environment: Mapping[str, str], database: Path, shots: Path) -> None:
        self.environment, self.database, self.shots = environment, database, shots

    def run(self, *words: str | Path, check: bool = True) -> str:
        done = subprocess.run(
            [str(word) for word in words], env=self.environment, capture_output=True, text=True, check=check, timeout=60
        )
        return done.stdout

    def xdo(self, *words: str | float) -> None:
        self.run("xdotool", *map(str, words))

    def click(self, place: tuple[int, int], button: int = 1) -> None:
        self.xdo("mousemove", *place, "sleep", 0.4, "click", button, "sleep", 0.4)

    def shot(self, name: str) -> Path:
        path = self.shots / f"{name}.png"
        self.run("import", "-window", "root", path)
        return path

    def call(self, method: str, action: str) -> str:
        """A method of digiKam's main window over D-Bus."""
        names = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]
        listed = self.run(*names, "org.freedesktop.DBus.ListNames", check=False)
        name = next((word.strip(' "') for word in listed.split("string") if "org.kde.digikam" in word), "none.yet")
        words = [f"--dest={name.strip()}".replace('"', "").split()[0], "/Digikam", f"org.kde.KMainWindow.{method}"]
        return self.run("dbus-send", "--session", "--print-reply", *words, f"string:{action}", check=False)

    def windows(self, name: str) -> list[str]:
        return self.run("xdotool", "search", "--onlyvisible", "--name", name, check=False).split()

    def ready(self) -> None:
        """It is up, and has asked whether to download models for its own recognition."""
        until(lambda: "boolean true" in self.call("actionIsEnabled", "browse_people"), 120)
        until_or_not(lambda: self.windows(QUESTION), 60)
        self.dismiss()

    def dismiss(self) -> None:
        """Close that question, whenever it comes."""
        for _ in range(5):
            for window in self.windows(QUESTION):
                self.run("xdotool", "windowactivate", window, "key", "Escape", check=False)
            if until_or_not(lambda: not self.windows(QUESTION), 5):
                return
        raise AssertionError("digiKam's question about models stays")

    def unconfirmed(self) -> None:
        """Open the People view at its list of unconfirmed faces, which is the first one."""
        self.call("activateAction", "browse_people")
        time.sleep(2)
        self.dismiss()
        self.click(FIRST_PERSON)
        self.xdo("key", "Right", "sleep", 0.5, "key", "Right", "sleep", 3)

    def on_first_face(self, button: tuple[int, int], happened: Callable[[], Any]) -> None:
        """Click a button below the first face until something has happened by it."""
        x, y = FIRST_FACE
        for _ in range(6):
            self.dismiss()
            self.xdo("mousemove", x + 300, y, "click", "--repeat", 20, "--delay", 20, 4, "sleep", 1)  # all the way up
            self.xdo("mousemove", x, y, "sleep", 1, "mousemove", x + 1, y + 1, "sleep", 1)
            self.click(button)
            if until_or_not(happened, 20):
                time.sleep(3)  # for what a second click may have done, too
                return
        raise AssertionError(f"the click had no effect: {self.shot('no-effect')}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says while digiKam runs."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute(query).fetchall()


@contextmanager
def digikam(
    profile: Path, database: Path, rc: str, shots: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Screen]:
    """digiKam with a database, until the block ends; then it is closed, and all that ran with it.

    `environment` is what its programs find besides the folders of `home`.
    """
    for program in ("digikam", "Xvfb", "openbox", "xdotool", "dbus-daemon", "import"):
        need(program)
    folders = home(profile)
    (Path(folders["XDG_CONFIG_HOME"]) / "digikamrc").write_text(rc)
    with ExitStack() as stack:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("QT_", "DISPLAY", "DBUS"))}
        env = clean | folders | (environment or {})
        env["DISPLAY"] = ":" + _told(stack, ["Xvfb", "-displayfd", "1", "-screen", "0", f"{SIZE}x24"], env)
        bus = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"]
        env["DBUS_SESSION_BUS_ADDRESS"] = _told(stack, bus, env)
        _started(stack, ["openbox"], env, profile / "openbox.log")
        program = _started(stack, ["digikam"], env, profile / "digikam.log")
        screen = Screen(env, database, shots)
        screen.ready()
        yield screen
        assert program.poll() is None, (profile / "digikam.log").read_text(errors="replace")[-3000:]


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


def _started(stack: ExitStack, command: list[str], env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """A program that ends with the stack, and whatever it started too."""
    file = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
    )
    stack.callback(_end, process)
    return process


def _told(stack: ExitStack, command: list[str], env: Mapping[str, str]) -> str:
    """The same, for a program that says something in its first line."""
    process = subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    stack.callback(_end, process)
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait()


def until(happened: Callable[[], Any], seconds: float) -> None:
    assert until_or_not(happened, seconds), "it never happened"


def until_or_not(happened: Callable[[], Any], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.3)
    return True


def without_other_programs(folder: Path) -> str:
    """XDG_DATA_DIRS with all that this machine has but programs to open files with."""
    folder.mkdir()
    for entry in Path("/usr/share").iterdir():
        if entry.name != "applications":
            (folder / entry.name).symlink_to(entry)
    return str(folder)
