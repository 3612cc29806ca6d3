"""Where something changed, as hints: what changed, and whether, only a look at the folder tells.

Each root has a thread and an inotify observer (watchdog). Network file systems tell only what this machine does to
them, so their folders' modification times are looked at too, every minute; and so are those of a root that inotify
can't watch. Such looks don't see a file that another machine writes in place: the daily scan does.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyObserver

from kith.errors import WatchUnavailable
from kith.files import show

# Opening and reading are not among them: looking must not look like a change.
EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]
# File systems that others may change without this kernel being told; so may all of FUSE but for local disks (fuseblk).
REMOTE = frozenset(
    b"9p acfs afs autofs beegfs ceph cifs coda davfs gfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs "
    b"prl_fs smb3 smbfs virtiofs vboxsf vmhgfs".split()
)
MOUNTS = Path("/proc/self/mountinfo")
LIMITS = {errno.ENOSPC: "fs.inotify.max_user_watches", errno.EMFILE: "fs.inotify.max_user_instances"}
FRESH_NS = 2_000_000_000  # a folder changed so lately may change again without its time telling (FAT counts in 2 s)
LOOK_SHARE = 20  # looking takes at most one part in so many of the time

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hint:
    """Something may have changed in this folder (its real path), or if `deep` anywhere below it."""

    folder: bytes
    deep: bool


@dataclass(frozen=True, slots=True)
class Options:
    """What to heed, and when. Times in seconds.

    Files and folders whose names begin with a dot are no matter unless `hidden`, but for files called as one of `even`,
    and for `rules`, a file which concerns all that is below its folder. A folder is told once it was quiet for
    `settle`, and at the latest after `longest`. Every `check` seconds roots are looked for, and every `look` seconds
    the folders that inotify doesn't tell enough of; those on other machines are looked for no more often.
    """

    hidden: bool = False
    even: frozenset[bytes] = frozenset()
    rules: bytes = b".kithignore"
    settle: float = 1.0
    longest: float = 10.0
    check: float = 5.0
    look: float = 60.0

    def heeds(self, below: bytes) -> bool:
        """Whether to heed a change of this path, counted from the watched folder."""
        *folders, name = below.split(b"/")
        return not any(map(self.is_hidden, folders)) and (
            not self.is_hidden(name) or name in self.even or name == self.rules
        )

    def is_hidden(self, name: bytes) -> bool:
        return name.startswith(b".") and (not self.hidden or name.startswith(b".kith-"))


# -- mounts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: the kernel's number for this mounting, the folder it is at, and the kind (`ext4`)."""

    number: int
    point: bytes
    kind: bytes

    @property
    def is_remote(self) -> bool:
        return self.kind in REMOTE or self.kind.startswith(b"fuse.")


def mount_of(path: bytes, mounts: Path = MOUNTS) -> Mount:
    """The mount that a real path lies on, whether there is such a file or not. See proc_pid_mountinfo(5)."""
    found = Mount(0, b"/", b"")
    for line in mounts.read_bytes().splitlines():
        left, right = line.split(b" - ", 1)
        number, _, _, _, point = left.split(b" ")[:5]
        point = re.sub(rb"\\(\d{3})", lambda octal: bytes([int(octal[1], 8)]), point)
        if _is_within(path, point) and len(point) >= len(found.point):  # of two at one place the later hides the other
            found = Mount(int(number), point, right.split(b" ", 1)[0])
    return found


def _is_within(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


# -- settling -----------------------------------------------------------------------------------------------------


class Settling:
    """Hints until their folders are quiet. Knows no clock: `now` is in seconds of any."""

    def __init__(self, settle: float, longest: float) -> None:
        self._settle, self._longest = settle, longest
        self._pending: dict[bytes, _Pending] = {}

    def add(self, hint: Hint, now: float) -> None:
        """What is below a folder that is told as a whole only keeps that one unquiet."""
        folder = self._covering(hint.folder) or hint.folder
        pending = self._pending.setdefault(folder, _Pending(now))
        pending.last = now
        pending.deep |= hint.deep

    def due(self, now: float) -> frozenset[Hint]:
        """Takes out what is to be told by now."""
        ready = [folder for folder, pending in self._pending.items() if self._time(pending) <= now]
        covered = {folder for folder in ready if self._covering(folder) not in (None, folder)}
        hints = frozenset(Hint(folder, self._pending[folder].deep) for folder in ready if folder not in covered)
        for folder in ready:
            del self._pending[folder]
        return hints

    def next(self) -> float | None:
        """When something is due; None while nothing waits."""
        return min(map(self._time, self._pending.values()), default=None)

    def _time(self, pending: _Pending) -> float:
        return min(pending.last + self._settle, pending.first + self._longest)

    def _covering(self, folder: bytes) -> bytes | None:
        """The outermost folder waiting to be told as a whole which this one is or lies in."""
        return next((above for above in _down_to(folder) if above in self._pending and self._pending[above].deep), None)


@dataclass(slots=True)
class _Pending:
    first: float
    last: float = 0.0
    deep: bool = False


def _down_to(path: bytes) -> Iterator[bytes]:
    """A path's parents from the outermost, and itself."""
    for at in range(1, len(path)):
        if path[at : at + 1] == b"/":
            yield path[:at]
    yield path


# -- watching -----------------------------------------------------------------------------------------------------


class Watcher:
    """Watches photo folders; all calls come from its own threads.

    `on_hint` gets a set of hints, none of which covers another. A root is hinted as a whole when it comes under watch,
    at the start as well, and when events were lost: whoever follows the hints needs no scan at the start. A folder that
    was removed is told by a deep hint of the one it was in. `on_offline` and `on_online` tell when a root is gone and
    back, by its real path; a root is gone when it is missing, or when the file system it lay on is not mounted: `homes`
    says for real paths of roots at which folder that was, in earlier runs (`mount_of(root).point`). A root that is gone
    is not hinted at. `on_trouble` gets WatchUnavailable when a root can only be looked at every now and then.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        on_hint: Callable[[frozenset[Hint]], None],
        *,
        on_offline: Callable[[bytes], None] = lambda _: None,
        on_online: Callable[[bytes], None] = lambda _: None,
        on_trouble: Callable[[bytes, WatchUnavailable], None] = lambda *_: None,
        homes: Mapping[bytes, bytes] | None = None,
        options: Options | None = None,
        mounts: Path = MOUNTS,
    ) -> None:
        options = options or Options()
        self._on_hint = on_hint
        self._settling = Settling(options.settle, options.longest)
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._tell, name="watch-hints", daemon=True)
        tell = _Tell(self._add, on_offline, on_online, on_trouble)
        real = dict.fromkeys(os.path.realpath(os.fsencode(root)) for root in roots)
        self._roots = [_Root(path, (homes or {}).get(path), tell, options, mounts) for path in real]

    def start(self) -> None:
        self._thread.start()
        for root in self._roots:
            root.start()

    def stop(self) -> None:
        """Ends the threads. What was not told yet is not told any more."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        for root in self._roots:
            root.stop()
        self._thread.join()

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _add(self, hint: Hint) -> None:
        with self._changed:
            self._settling.add(hint, time.monotonic())
            self._changed.notify()

    def _tell(self) -> None:
        while not self._stopping:
            with self._changed:
                due = self._settling.due(time.monotonic())
                soon = self._settling.next()
                if not due and not self._stopping:
                    self._changed.wait(None if soon is None else max(0.0, soon - time.monotonic()))
            if there := frozenset(hint for hint in due if self._is_there(hint.folder)):
                _call(self._on_hint, there)

    def _is_there(self, folder: bytes) -> bool:
        return all(root.is_mounted() for root in self._roots if _is_within(folder, root.path))


def _call(function: Callable[..., None], *arguments: object) -> None:
    """A listener that fails must not end the watching."""
    try:
        function(*arguments)
    except Exception:
        logger.exception("What follows a change in a photo folder failed; it is made up for by the next scan.")


@dataclass(frozen=True, slots=True)
class _Tell:
    hint: Callable[[Hint], None]
    offline: Callable[[bytes], None]
    online: Callable[[bytes], None]
    trouble: Callable[[bytes, WatchUnavailable], None]


_Standing = tuple[int, int, int]  # mount number, device, inode


@dataclass(slots=True)
class _Root:
    """One root: whether it is there, and who watches it. A thread each, since a dead network share blocks its own."""

    path: bytes
    home: bytes | None
    tell: _Tell
    options: Options
    mounts: Path
    _watch: _Watch | None = None
    _standing: _Standing | None = None
    _offline: bool = False
    _pipe: tuple[int, int] = field(default_factory=os.pipe)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="watch-root", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(timeout=10)  # one that hangs in a dead share ends with the process

    def wake(self) -> None:
        with suppress(OSError):
            os.write(self._pipe[1], b"!")

    def _run(self) -> None:
        mounts = os.open(self.mounts, os.O_RDONLY)
        poll = select.poll()
        poll.register(mounts, select.POLLPRI | select.POLLERR)
        poll.register(self._pipe[0], select.POLLIN)
        try:
            while not self._stopping.is_set():
                try:
                    self._check()
                except OSError as error:
                    logger.warning("%s can't be watched: %s. It is tried again.", show(self.path), error.strerror)
                    self._close()
                if any(ready == self._pipe[0] for ready, _ in poll.poll(self._rest() * 1000)):
                    os.read(self._pipe[0], 4096)
        finally:
            self._close()
            for descriptor in (mounts, *self._pipe):
                os.close(descriptor)

    def _rest(self) -> float:
        return self.options.look if self._watch is not None and self._watch.remote else self.options.check

    def _check(self) -> None:
        mount = mount_of(self.path, self.mounts)
        standing = self._look_for(mount)
        if standing is None:
            self._close()
            if not self._offline:
                self._offline = True
                _call(self.tell.offline, self.path)
        elif standing == self._standing and self._watch is not None and self._watch.goes_on():
            self._watch.look()
        else:
            self._close()
            self.home, self._standing = mount.point, standing
            if self._offline:
                self._offline = False
                _call(self.tell.online, self.path)
            self._watch = _Watch(self.path, self.options, self.tell, self.wake, mount.is_remote)
            self.tell.hint(Hint(self.path, deep=True))

    def is_mounted(self) -> bool:
        """Asks only the kernel, never a file system that may not answer."""
        return not self._offline and self._is_home(mount_of(self.path, self.mounts))

    def _is_home(self, mount: Mount) -> bool:
        return self.home is None or _is_within(mount.point, self.home)

    def _look_for(self, mount: Mount) -> _Standing | None:
        """Where the root is; None if it is missing or only the empty folder that its disk is mounted at."""
        if not self._is_home(mount):
            return None
        try:
            info = os.stat(self.path)  # noqa: PTH116  paths are bytes
            os.scandir(self.path).close()
        except OSError:
            return None
        return mount.number, info.st_dev, info.st_ino

    def _close(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()


class _Watch:
    """An observer of a root and of the folders that links in it lead to, or looks, or both."""

    def __init__(self, root: bytes, options: Options, tell: _Tell, wake: Callable[[], None], remote: bool) -> None:
        self._root, self._options, self._tell, self._wake, self.remote = root, options, tell, wake, remote
        self._tops = _tops(root, options)
        self._grown = self._linked = False
        self._listener: _Overflows | None = None
        self._observer: BaseObserver | None = None
        self._looks: list[FolderTimes] = []
        self._look_at = 0.0
        try:
            self._observe()
        except OSError as error:
            self._give_up(error)
        if remote and not self._looks:
            self._begin_looks()

    def goes_on(self) -> bool:
        """False where it has to begin anew: a link leads to somewhere else, or a thread of watchdog's ended."""
        if self._linked:
            return False
        observer = self._observer
        return observer is None or (observer.is_alive() and all(e.is_alive() for e in observer.emitters))

    def look(self) -> None:
        """Whatever has to be looked at from time to time."""
        if self._grown and self._observer is not None:
            self._grown = False
            try:
                _room(self._root)
            except OSError as error:
                self._give_up(error)
        if not self._looks or time.monotonic() < self._look_at:
            return
        begun = time.monotonic()
        for times in self._looks:
            for hint in times.look():
                self._tell.hint(hint)
        took = time.monotonic() - begun
        self._look_at = begun + max(self._options.look, LOOK_SHARE * took)

    def close(self) -> None:
        observer, self._observer = self._observer, None
        if self._listener is not None:
            self._listener.end()
        if observer is not None:
            observer.stop()
            with suppress(RuntimeError):  # it was never started
                observer.join()

    def _observe(self) -> None:
        self._listener = _Overflows(self._tops, self._lost)
        self._observer = observer = InotifyObserver()
        for top in self._tops:
            observer.schedule(_Handler(top, self._saw), os.fsdecode(top), recursive=True, event_filter=EVENTS)
        observer.start()
        _room(self._root)

    def _lost(self) -> None:
        self._grown = True
        self._tell.hint(Hint(self._root, deep=True))

    def _give_up(self, error: OSError) -> None:
        self.close()
        self._begin_looks()
        _call(self._tell.trouble, self._root, _unavailable(self._root, error, self._options.look))

    def _begin_looks(self) -> None:
        self._looks = [FolderTimes(top, self._options) for top in self._tops]
        for times in self._looks:
            times.look()
        self._look_at = time.monotonic() + self._options.look

    def _saw(self, top: bytes, path: bytes, event: FileSystemEvent, *, there: bool) -> None:
        if path == top:
            self._wake()
            return
        if not self._options.heeds(path[len(top) :].lstrip(b"/")):
            return
        folder, name = os.path.split(path)
        if not event.is_directory:
            self._tell.hint(Hint(folder, deep=name == self._options.rules))
            if there and os.path.islink(path) and os.path.isdir(path):  # noqa: PTH112, PTH114  paths are bytes
                self._linked = True
                self._wake()
        else:
            self._grown |= there
            self._tell.hint(Hint(path if there else folder, deep=True))


class _Handler(FileSystemEventHandler):
    def __init__(self, top: bytes, saw: Callable[..., None]) -> None:
        self._top, self._saw = top, saw

    def on_any_event(self, event: FileSystemEvent) -> None:
        gone = isinstance(event, FileDeletedEvent | DirDeletedEvent | FileMovedEvent | DirMovedEvent)
        for path, there in ((event.src_path, not gone), (event.dest_path, True)):
            if path:
                self._saw(self._top, os.fsencode(path), event, there=there)


class _Overflows(logging.Handler):
    """watchdog tells of lost events only in its log."""

    def __init__(self, tops: list[bytes], lost: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._tops, self._lost = tops, lost
        self._log = logging.getLogger("watchdog.observers.inotify")
        if not self._log.isEnabledFor(logging.WARNING):
            self._log.setLevel(logging.WARNING)
        self._log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        about = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if about in self._tops:
            self._lost()

    def end(self) -> None:
        self._log.removeHandler(self)


def _room(root: bytes) -> None:
    """Raises OSError where no more folders can be watched: watchdog doesn't tell for those below the first."""
    try:
        probe = InotifyObserver()
    except OSError as error:
        if error.errno == errno.EMFILE:  # another observer can't be had, which says nothing of the one there is
            return
        raise
    try:
        probe.schedule(FileSystemEventHandler(), os.fsdecode(root), event_filter=EVENTS)
        probe.start()
    finally:
        probe.stop()
        with suppress(RuntimeError):  # it was never started
            probe.join()


def _unavailable(root: bytes, error: OSError, every: float) -> WatchUnavailable:
    limit = LIMITS.get(error.errno or 0)
    until = f"Until then Kith looks for changes there every {every:.0f} seconds."
    if limit is None:
        return WatchUnavailable(f"{show(root)} can't be watched: {error.strerror}. {until}")
    value = int(Path("/proc/sys", limit.replace(".", "/")).read_text())
    return WatchUnavailable(
        f"{show(root)} can't be watched for changes: the limit {limit} = {value} is reached. Raise it, as in "
        f"`sudo sysctl {limit}={2 * value}` (and in /etc/sysctl.d, to keep it so), and start Kith again. {until}"
    )


# -- looking ------------------------------------------------------------------------------------------------------


class FolderTimes:
    """Which folders changed since the last look, by one stat each; only changed ones are read."""

    def __init__(self, top: bytes, options: Options) -> None:
        self._top, self._options = top, options
        self._known: dict[bytes, _Times] = {}

    def look(self) -> set[Hint]:
        """Where files or folders came or went since the last look; the first finds nothing."""
        before, self._known = self._known, {}
        hints = set()
        folders = [self._top]
        for folder in folders:
            try:
                now = _Times.of(folder, before.get(folder), self._options)
            except OSError:
                continue
            self._known[folder] = now
            folders += now.folders
            if folder not in before:
                hints.add(Hint(folder, deep=True))
            elif now is not before[folder]:
                left = not set(before[folder].folders) <= set(now.folders)
                hints.add(Hint(folder, deep=left))
        return hints if before else set()


@dataclass(frozen=True, slots=True)
class _Times:
    mtime_ns: int  # 0 where it is too fresh to be trusted
    folders: tuple[bytes, ...]

    @classmethod
    def of(cls, folder: bytes, before: _Times | None, options: Options) -> _Times:
        mtime_ns = os.stat(folder).st_mtime_ns  # noqa: PTH116  paths are bytes
        if before is not None and before.mtime_ns == mtime_ns:
            return before
        fresh = abs(time.time_ns() - mtime_ns) < FRESH_NS
        with os.scandir(folder) as entries:
            folders = (e.path for e in entries if e.is_dir(follow_symlinks=False) and not options.is_hidden(e.name))
            return cls(0 if fresh else mtime_ns, tuple(sorted(folders)))


def _tops(root: bytes, options: Options) -> list[bytes]:
    """The root, and the folders outside it that links in it lead to."""
    tops = [root]
    for top in tops:
        for link in _links(top, options):
            target = os.path.realpath(link)
            if os.path.isdir(target) and not any(_is_within(target, known) for known in tops):  # noqa: PTH112
                tops.append(target)
    return tops


def _links(top: bytes, options: Options) -> Iterator[bytes]:
    folders = [top]
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if options.is_hidden(entry.name):
                    continue
                if entry.is_symlink():
                    yield entry.path
                elif entry.is_dir():
                    folders.append(entry.path)
