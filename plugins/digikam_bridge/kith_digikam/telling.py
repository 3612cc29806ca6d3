"""Telling the user what came of a menu action, where there is no terminal to tell it in."""

from __future__ import annotations

import shutil
import subprocess

TITLE, ICON, PATIENCE = "Kith", "system-users", 10


def notify(words: str, *, bad: bool = False) -> bool:
    """Show a notification of the desktop; whether there was a way to."""
    for command in (_notify_send(words, bad), _gdbus(words, bad)):
        if shutil.which(command[0]) is None:
            continue
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def _notify_send(words: str, bad: bool) -> list[str]:
    return ["notify-send", f"--app-name={TITLE}", f"--icon={ICON}", f"--urgency={'critical' if bad else 'normal'}",
            "--", TITLE, _plain(words)]  # fmt: skip


def _gdbus(words: str, bad: bool) -> list[str]:
    """org.freedesktop.Notifications.Notify, of the Desktop Notifications Specification."""
    hints = f"@a{{sv}} {{'urgency': <byte {2 if bad else 1}>}}"
    return [
        "gdbus", "call", "--session", "--dest", "org.freedesktop.Notifications",
        "--object-path", "/org/freedesktop/Notifications", "--method", "org.freedesktop.Notifications.Notify",
        "--", _text(TITLE), "uint32 0", _text(ICON), _text(TITLE), _text(_plain(words)), "@as []", hints, "int32 -1",
    ]  # fmt: skip


def _text(words: str) -> str:
    """A text as gdbus reads it, a GVariant."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _plain(words: str) -> str:
    """Words without markup, which the body of a notification may hold."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
