"""The real digiKam on a screen of its own, driven as its user does: clicks, keys, and a look at what it shows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from headless import Seat, seat, until, until_or_not
from programs import call
from required import need

QUESTION = "Download required"
# Where things are in the maximised window, with the fonts of Debian.
FIRST_PERSON, FIRST_FACE = (150, 135), (525, 231)
CONFIRM, REMOVE, IGNORE = (470, 364), (530, 364), (585, 364)  # below the first face, while the mouse is over it


class Screen:
    """A digiKam that runs and can be clicked."""

    def __init__(self, seat: Seat, database: Path, shots: Path) -> None:
        self.seat, self.database, self.shots = seat, database, shots

    def xdo(self, *words: str | float) -> None:
        self.seat.run("xdotool", *map(str, words))

    def click(self, place: tuple[int, int], button: int = 1) -> None:
        self.xdo("mousemove", *place, "sleep", 0.4, "click", button, "sleep", 0.4)

    def shot(self, name: str) -> Path:
        return self.seat.shot(self.shots / f"{name}.png")

    def call(self, method: str, action: str) -> str:
        return call(self.seat, method, action)

    def ready(self) -> None:
        """It is up, and has asked whether to download models for its own recognition."""
        until(lambda: "boolean true" in self.call("actionIsEnabled", "browse_people"), 120)
        until_or_not(lambda: self.seat.windows(QUESTION), 60)
        self.dismiss()

    def dismiss(self) -> None:
        """Close that question, whenever it comes."""
        for _ in range(5):
            for window in self.seat.windows(QUESTION):
                self.seat.run("xdotool", "windowactivate", window, "key", "Escape", check=False)
            if until_or_not(lambda: not self.seat.windows(QUESTION), 5):
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
    with seat(profile, environment) as place:
        (Path(place.environment["XDG_CONFIG_HOME"]) / "digikamrc").write_text(rc)
        program = place.start("digikam")
        screen = Screen(place, database, shots)
        screen.ready()
        yield screen
        assert program.poll() is None, (profile / "digikam.log").read_text(errors="replace")[-3000:]


def without_other_programs(folder: Path) -> str:
    """XDG_DATA_DIRS with all that this machine has but programs to open files with."""
    folder.mkdir()
    for entry in Path("/usr/share").iterdir():
        if entry.name != "applications":
            (folder / entry.name).symlink_to(entry)
    return str(folder)
