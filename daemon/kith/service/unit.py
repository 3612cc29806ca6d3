"""Kith as a systemd service of the user: what it tells systemd, and the unit file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from kith.errors import NotFound, PermissionDenied
from kith.files import show

NAME = "kith.service"
PLACEHOLDER = "%h/.local/bin/kith"


# -- telling systemd ----------------------------------------------------------------------------------------------


def notify(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell systemd how the service is, as sd_notify(3) does: `READY=1`, `STATUS=...`, `WATCHDOG=1`, one a line.

    Gives whether there is a systemd that listens; a service never fails because nobody does.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return False
    path = os.fsencode(address)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.connect(b"\0" + path[1:] if path.startswith(b"@") else path)
            out.sendall(state.encode())
    except OSError:
        return False
    return True


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often to say `WATCHDOG=1`: half of what systemd waits for it; None where it doesn't wait for this process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        return int(environment["WATCHDOG_USEC"]) / 2e6 or None
    except (KeyError, ValueError):
        return None


# -- the unit file ------------------------------------------------------------------------------------------------


def unit_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the user's unit belongs."""
    base = environment.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "systemd" / "user" / NAME


def unit_text(program: Path) -> str:
    """The unit with the path of the `kith` that it is to run. Raises NotFound if the path can't stand in a unit."""
    path = str(program)
    if not program.is_absolute() or not path.isprintable() or any(c in path for c in "\"'\\"):
        raise NotFound(f"{show(path)} can't stand in a systemd unit; install Kith at a simpler path.")
    quoted = path.replace("%", "%%").replace("$", "$$")
    return _shipped().replace(PLACEHOLDER, f'"{quoted}"' if " " in quoted else quoted)


def _shipped() -> str:
    packaged = files("kith").joinpath(NAME)
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return (Path(__file__).resolve().parents[3] / "systemd" / NAME).read_text("utf-8")  # an editable installation


def this_program() -> Path:
    """The `kith` command of the Python that runs. Raises NotFound."""
    beside = Path(sys.executable).with_name("kith")
    found = str(beside) if beside.is_file() else shutil.which("kith")
    if found is None:
        raise NotFound("There is no `kith` command that systemd could run; install Kith with pip or pipx.")
    return Path(found).absolute()


def install(program: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Write the unit, and start it now and at each login where systemd runs; gives what was done, in sentences.

    Raises PermissionDenied where the unit can't be written, NotFound where `program` is none.
    """
    if not os.access(program, os.X_OK):
        raise NotFound(f"{show(program)} is no program.")
    path, text = unit_path(environment), unit_text(program)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temp = path.with_name(f".{NAME}.tmp")
        temp.write_text(text, "utf-8")
        temp.replace(path)
    except OSError as error:
        raise PermissionDenied(f"{show(path)} can't be written: {error.strerror}.") from error
    told = [f"The unit is {show(path)}."]
    problem = _no_manager(environment)
    if problem:
        return [*told, f"{problem} Where there is a systemd: `systemctl --user enable --now {NAME}`."]
    for words in (["daemon-reload"], ["enable", NAME], ["restart", NAME]):
        done = _systemctl(environment, *words)
        if done.returncode:
            return [*told, f"`systemctl --user {' '.join(words)}` failed: {_why(done)}", _look_here()]
    return [
        *told,
        "Kith runs now, and from each login on.",
        "To have it run without a login too: `loginctl enable-linger`.",
    ]


def uninstall(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Stop the service and remove the unit; gives what was done, in sentences. Photos and the catalogue stay."""
    path = unit_path(environment)
    if not path.exists():
        return [f"There is no unit {show(path)}."]
    problem = _no_manager(environment)
    told = []
    if not problem:
        done = _systemctl(environment, "disable", "--now", NAME)
        told = (
            [f"`systemctl --user disable --now {NAME}` failed: {_why(done)}"] if done.returncode else ["Kith stopped."]
        )
    path.unlink()
    (path.parent / "default.target.wants" / NAME).unlink(missing_ok=True)
    if not problem:
        _systemctl(environment, "daemon-reload")
    return [*told, f"{show(path)} is removed. Your names and settings are kept."]


def status(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Whether the service is installed, enabled and running, in sentences."""
    path = unit_path(environment)
    if not path.exists():
        return ["The service is not installed; `kith service install` does it."]
    told = [f"The unit is {show(path)}."]
    problem = _no_manager(environment)
    if problem:
        return [*told, problem]
    wanted = ("ActiveState", "SubState", "Result", "UnitFileState", "StatusText", "ExecMainStatus")
    done = _systemctl(environment, "show", NAME, *(f"--property={name}" for name in wanted))
    if done.returncode:
        return [*told, f"systemd doesn't answer: {_why(done)}"]
    has = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    at_login = "starts at login" if has.get("UnitFileState") == "enabled" else "doesn't start at login"
    told.append(f"It is {has.get('ActiveState')} ({has.get('SubState')}) and {at_login}.")
    if has.get("StatusText"):
        told.append(has["StatusText"])
    if has.get("Result", "success") != "success":
        told += [f"It ended with {has['Result']} (exit code {has.get('ExecMainStatus')}).", _look_here()]
    return told


def _no_manager(environment: Mapping[str, str]) -> str | None:
    """Why nothing can be asked of the user's systemd, None if it can."""
    if shutil.which("systemctl", path=environment.get("PATH")) is None:
        return "There is no systemd on this system; start `kith run` by other means."
    if not environment.get("XDG_RUNTIME_DIR"):
        return "No systemd of yours runs here (XDG_RUNTIME_DIR is not set), as in a container or after `su`."
    done = _systemctl(environment, "is-system-running")
    if done.stdout.strip() in ("running", "degraded", "starting", "initializing", "maintenance"):
        return None
    return f"No systemd of yours runs here: {_why(done)}"


def _systemctl(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    words = ("systemctl", "--user", "--no-ask-password", *words)
    try:
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=180)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", "it didn't answer in time")


def _why(done: subprocess.CompletedProcess[str]) -> str:
    return ((done.stderr or done.stdout).strip().splitlines() or ["it didn't say why"])[0].rstrip(".") + "."


def _look_here() -> str:
    return f"`journalctl --user --unit {NAME}` tells more."
