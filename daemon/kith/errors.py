"""Everything that can go wrong, as a code, a retry class and a sentence for the user.

A code is what programs see (`photo-unreadable`), the message is what people read: what happened, to which file, and
what to do. `Retry` says what the work that met the error does next.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Retry(StrEnum):
    """When work that failed is tried again."""

    FATAL = "fatal"  # Kith stops
    DEGRADED = "degraded"  # the rest goes on without this part
    ON_CHANGE = "on-change"  # when the photo or the model changes
    BACKOFF = "backoff"  # by itself, after a while
    REQUEST = "request"  # the caller asked for something that can't be had


class KithError(Exception):
    """Base of all errors that Kith raises on purpose.

    `message` is for whoever asked. `str()` is for logs: there, the `names` of people that stand in it show as "…".
    """

    code: ClassVar[str] = "error"
    retry: ClassVar[Retry] = Retry.REQUEST
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *names: str) -> None:
        told = message
        for name in sorted(filter(None, names), key=len, reverse=True):
            told = told.replace(name, "…")
        super().__init__(told)
        self.message = message


class ConfigInvalid(KithError):
    code, retry, exit_code = "config-invalid", Retry.FATAL, 78


class CatalogueTooNew(KithError):
    code, retry, exit_code = "catalogue-too-new", Retry.FATAL, 78


class CatalogueCorrupt(KithError):
    code, retry = "catalogue-corrupt", Retry.FATAL


class AlreadyRunning(KithError):
    code, retry, exit_code = "already-running", Retry.FATAL, 75


class ModelMissing(KithError):
    code, retry = "model-missing", Retry.DEGRADED


class ModelCorrupt(KithError):
    code, retry = "model-corrupt", Retry.DEGRADED


class WatchUnavailable(KithError):
    """The kernel can't tell of changes in a folder; it is looked at every now and then instead."""

    code, retry = "watch-unavailable", Retry.DEGRADED


class PhotoUnreadable(KithError):
    code, retry = "photo-unreadable", Retry.ON_CHANGE


class PhotoTooLarge(KithError):
    code, retry = "photo-too-large", Retry.ON_CHANGE


class WorkerDied(KithError):
    code, retry = "worker-died", Retry.ON_CHANGE


class Unexpected(KithError):
    """A defect of Kith's, met on one file."""

    code, retry = "unexpected", Retry.ON_CHANGE


class WorkersFail(KithError):
    """Not one file's fault."""

    code, retry = "workers-fail", Retry.FATAL


class SidecarMalformed(KithError):
    code, retry = "sidecar-malformed", Retry.ON_CHANGE


class FileBusy(KithError):
    code, retry = "file-busy", Retry.BACKOFF


class FileVanished(KithError):
    code, retry = "file-vanished", Retry.BACKOFF


class SymlinkLoop(KithError):
    code, retry = "symlink-loop", Retry.ON_CHANGE


class IgnoreInvalid(KithError):
    code, retry = "ignore-invalid", Retry.ON_CHANGE


class SidecarChanged(KithError):
    code, retry = "sidecar-changed", Retry.BACKOFF


class DiskFull(KithError):
    code, retry = "disk-full", Retry.BACKOFF


class PermissionDenied(KithError):
    code, retry = "permission-denied", Retry.BACKOFF


class BadRequest(KithError):
    code, retry, exit_code = "bad-request", Retry.REQUEST, 2


class NotFound(KithError):
    code, retry = "not-found", Retry.REQUEST


class Stale(KithError):
    code, retry = "stale", Retry.REQUEST


class EventsGone(KithError):
    code, retry = "events-gone", Retry.REQUEST


class Unauthorised(KithError):
    """Whoever asks has not shown who they are."""

    code, retry = "unauthorised", Retry.REQUEST


class Forbidden(KithError):
    """Asked from a place that may not ask: another user, another web site."""

    code, retry = "forbidden", Retry.REQUEST


class MethodNotAllowed(KithError):
    code, retry = "method-not-allowed", Retry.REQUEST


class TooLarge(KithError):
    """The body of a request."""

    code, retry = "too-large", Retry.REQUEST


class TooSlow(KithError):
    """The body of a request didn't arrive in time."""

    code, retry = "too-slow", Retry.REQUEST


class UnknownFormat(KithError):
    """The body of a request is neither msgpack nor JSON."""

    code, retry = "unknown-format", Retry.REQUEST


class Busy(KithError):
    """Too many requests wait already."""

    code, retry = "busy", Retry.REQUEST


class NotRunning(KithError):
    """No Kith answers at the socket."""

    code, retry = "not-running", Retry.REQUEST
