"""What watching promises: whatever changes is hinted at, nothing else is; a disk that is gone is not an empty one."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kith.errors import WatchUnavailable
from kith.watch import FolderTimes, Hint, Options, Settling, Watcher, mount_of

INOTIFY = Path("/proc/sys/fs/inotify")
QUICK = Options(settle=0.1, longest=2.0, check=0.3, look=0.3, even=frozenset({b".picasa.ini"}))


class Listener:
    """Keeps all that a watcher tells."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.offline: list[bytes] = []
        self.online: list[bytes] = []
        self.trouble: list[WatchUnavailable] = []

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < end, f"{self.hints} {self.offline} {self.online} {self.trouble}"
            time.sleep(0.02)

    def until_hint(self, folder: Path, *, deep: bool) -> None:
        self.until(lambda: Hint(os.fsencode(folder), deep) in self.hints)

    def settled(self, root: Path) -> list[Hint]:
        """All hints until one that is caused now has arrived."""
        mark = root / f"mark-{time.monotonic_ns()}"
        mark.mkdir()
        self.until(lambda: any(Hint(os.fsencode(folder), True) in self.hints for folder in (mark, root)))
        return [hint for hint in self.hints if hint.folder != os.fsencode(mark)]


@contextmanager
def watched(root: Path, options: Options = QUICK, homes: dict[bytes, bytes] | None = None) -> Iterator[Listener]:
    """Under watch, past the hint for the whole root at the start."""
    told = Listener()
    watcher = Watcher(
        [root],
        told.hints.extend,
        on_offline=told.offline.append,
        on_online=told.online.append,
        on_trouble=lambda _, error: told.trouble.append(error),
        homes=homes,
        options=options,
    )
    with watcher:
        told.until(lambda: bool(told.hints or told.offline))
        told.hints.clear()
        yield told


@contextmanager
def limit(name: str, value: int) -> Iterator[None]:
    """One of the kernel's limits, lowered."""
    file = INOTIFY / name
    before = file.read_text()
    try:
        file.write_text(str(value))
    except OSError:
        pytest.skip(f"may not change {file}")
    try:
        yield
    finally:
        file.write_text(before)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder where a file system is mounted."""
    point = tmp_path / "my disk"
    point.mkdir()
    if not mount(point):
        pytest.skip("may not mount")
    yield point
    unmount(point)


def mount(point: Path) -> bool:
    return subprocess.run(["mount", "-t", "tmpfs", "tmpfs", point], capture_output=True, check=False).returncode == 0


def unmount(point: Path) -> None:
    subprocess.run(["umount", point], capture_output=True, check=False)


# -- what is hinted at ----------------------------------------------------------------------------------------------


def test_a_root_that_comes_under_watch_is_hinted_as_a_whole(tmp_path: Path) -> None:
    told = Listener()
    with Watcher([tmp_path], told.hints.extend, options=QUICK):
        told.until_hint(tmp_path, deep=True)


def write(path: Path) -> None:
    path.write_bytes(b"new")


def replace_whole(path: Path) -> None:
    temp = path.with_name(".kith-0123456789abcdef.tmp")
    temp.write_bytes(b"new")
    temp.replace(path)


@pytest.mark.parametrize("change", [write, replace_whole, Path.unlink, os.utime, lambda p: p.rename(p.with_name("b"))])
def test_a_change_of_a_file_hints_at_its_folder_alone(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(b"old")
    with watched(tmp_path) as told:
        change(folder / "1.jpg")
        told.until_hint(folder, deep=False)
        assert set(told.hints) == {Hint(os.fsencode(folder), False)}


def test_reading_hidden_files_and_kiths_own_temporary_ones_are_no_change(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"x")
    (tmp_path / ".cache").mkdir()
    with watched(tmp_path) as told:
        (tmp_path / "1.jpg").read_bytes()
        os.listdir(tmp_path)
        (tmp_path / ".2.jpg").write_bytes(b"x")
        (tmp_path / ".kith-0123456789abcdef.tmp").write_bytes(b"x")
        (tmp_path / ".cache" / "3.jpg").write_bytes(b"x")
        (tmp_path / ".cache" / "deeper").mkdir()
        assert told.settled(tmp_path) == []


def test_hidden_files_count_where_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / ".a").mkdir()
    (tmp_path / "b").mkdir()
    with watched(tmp_path, replace(QUICK, hidden=True)) as told:
        (tmp_path / ".a" / ".1.jpg").write_bytes(b"x")
        told.until_hint(tmp_path / ".a", deep=False)
        (tmp_path / "b" / ".kith-0123456789abcdef.tmp").write_bytes(b"x")
        assert Hint(os.fsencode(tmp_path / "b"), False) not in told.settled(tmp_path)


def test_what_other_programs_say_in_hidden_files_and_new_rules_count(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with watched(tmp_path) as told:
        (tmp_path / "a" / ".picasa.ini").write_bytes(b"x")
        (tmp_path / "b" / ".kithignore").write_bytes(b"x")
        told.until_hint(tmp_path / "a", deep=False)
        told.until_hint(tmp_path / "b", deep=True)


def test_new_folders_in_new_folders_are_hinted_at_as_a_whole(tmp_path: Path) -> None:
    with watched(tmp_path) as told:
        for day in range(20):
            folder = tmp_path / "2024" / "05" / f"{day}"
            folder.mkdir(parents=True)
            for n in range(10):
                (folder / f"{n}.jpg").write_bytes(b"x")
        told.until_hint(tmp_path / "2024", deep=True)
        late = tmp_path / "2024" / "05" / "7" / "late.jpg"
        told.hints.clear()
        late.write_bytes(b"x")
        told.until(lambda: any(os.fsencode(late).startswith(hint.folder) for hint in told.hints))


def test_a_folder_moved_in_within_or_out_is_hinted_at_on_both_sides(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "a", root / "b", outside / "new"):
        folder.mkdir(parents=True)
        (folder / "1.jpg").write_bytes(b"x")
    with watched(root) as told:
        (outside / "new").rename(root / "b" / "new")
        told.until_hint(root / "b" / "new", deep=True)
        (root / "b" / "new").rename(root / "a" / "moved")
        told.until_hint(root / "a" / "moved", deep=True)
        told.until_hint(root / "b", deep=True)
        (root / "a" / "moved" / "2.jpg").write_bytes(b"x")
        told.until_hint(root / "a" / "moved", deep=False)
        (root / "a" / "moved").rename(outside / "gone")
        told.until_hint(root / "a", deep=True)


def test_names_that_are_not_utf_8_are_hinted_at_as_they_are(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff\xfe \n"
    with watched(tmp_path) as told:
        os.mkdir(folder)
        told.until(lambda: Hint(folder, True) in told.hints)


def test_what_lies_behind_a_link_is_watched_where_it_is(tmp_path: Path) -> None:
    root, far = tmp_path / "root", tmp_path / "far"
    for folder in (root, far / "early", far / "later"):
        folder.mkdir(parents=True)
    (root / "early").symlink_to(far / "early")
    (root / "loop").symlink_to(root)
    with watched(root) as told:
        (far / "early" / "1.jpg").write_bytes(b"x")
        told.until_hint(far / "early", deep=False)
        (root / "later").symlink_to(far / "later")
        told.until_hint(root, deep=True)
        (far / "later" / "1.jpg").write_bytes(b"x")
        told.until_hint(far / "later", deep=False)


def test_when_events_are_lost_the_whole_root_is_hinted_at(tmp_path: Path) -> None:
    for n in range(20):
        (tmp_path / f"{n}").mkdir()
    with limit("max_queued_events", 16), watched(tmp_path) as told:
        for n in range(2000):
            (tmp_path / f"{n % 20}" / f"{n}.jpg").touch()
        told.until_hint(tmp_path, deep=True)
        told.hints.clear()
        time.sleep(1)
        (tmp_path / "7" / "after.jpg").touch()
        told.until(lambda: bool(told.hints))


# -- disks ------------------------------------------------------------------------------------------------------------


def test_a_disk_that_is_unmounted_is_offline_and_back_when_it_is_mounted(disk: Path) -> None:
    with watched(disk) as told:
        unmount(disk)
        told.until(lambda: told.offline == [os.fsencode(disk)])
        assert told.hints == []
        mount(disk)
        told.until(lambda: told.online == [os.fsencode(disk)])
        told.until_hint(disk, deep=True)
        (disk / "1.jpg").write_bytes(b"x")
        told.until_hint(disk, deep=False)


def test_a_change_just_before_a_disk_is_unmounted_is_told_only_when_it_is_back(disk: Path) -> None:
    with watched(disk, replace(QUICK, settle=1.0)) as told:
        (disk / "1.jpg").write_bytes(b"x")
        unmount(disk)
        told.until(lambda: bool(told.offline))
        time.sleep(1.5)
        assert told.hints == []


def test_a_disk_that_was_not_mounted_at_the_start_is_offline(tmp_path: Path) -> None:
    point = tmp_path / "point"
    point.mkdir()
    with watched(point, homes={os.fsencode(point): os.fsencode(point)}) as told:
        assert told.offline == [os.fsencode(point)]
        assert told.hints == []


def test_a_root_that_is_moved_away_is_offline_and_a_new_one_in_its_place_is_watched(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with watched(root) as told:
        root.rename(tmp_path / "elsewhere")
        told.until(lambda: bool(told.offline))
        root.mkdir()
        told.until(lambda: bool(told.online))
        told.until_hint(root, deep=True)
        shutil.rmtree(root)
        told.until(lambda: len(told.offline) == 2)


def test_mounts_are_told_by_the_longest_path_and_the_last_at_it(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_bytes(
        b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        b"2 1 0:5 / /media/my\\040disk rw shared:1 - autofs systemd-1 rw\n"
        b"3 2 0:9 / /media/my\\040disk rw shared:2 master:1 - nfs4 nas:/photos rw\n"
    )
    assert mount_of(b"/media/my disk/2024", mounts).kind == b"nfs4"
    assert mount_of(b"/media/my disk", mounts).is_remote
    assert mount_of(b"/media/my disks", mounts).point == b"/"
    assert not mount_of(b"/home", mounts).is_remote


# -- limits -----------------------------------------------------------------------------------------------------------


def test_when_the_kernel_watches_no_more_folders_they_are_looked_at_and_the_limit_is_named(tmp_path: Path) -> None:
    for n in range(50):
        (tmp_path / f"{n}").mkdir()
    with limit("max_user_watches", 10), watched(tmp_path) as told:
        assert [error.code for error in told.trouble] == ["watch-unavailable"]
        assert "sysctl fs.inotify.max_user_watches=20" in told.trouble[0].message
        (tmp_path / "49" / "1.jpg").write_bytes(b"x")
        told.until(lambda: any(os.fsencode(tmp_path / "49").startswith(hint.folder) for hint in told.hints))


def test_folders_that_grow_beyond_the_limit_are_looked_at_too(tmp_path: Path) -> None:
    with watched(tmp_path) as told, limit("max_user_watches", 10):
        for n in range(30):
            (tmp_path / f"{n}").mkdir()
        told.until(lambda: bool(told.trouble))


def test_without_another_observer_folders_are_looked_at(tmp_path: Path) -> None:
    with limit("max_user_instances", 0), watched(tmp_path) as told:
        assert "fs.inotify.max_user_instances" in told.trouble[0].message


# -- looking ----------------------------------------------------------------------------------------------------------


def old(*folders: Path) -> None:
    for folder in folders:
        os.utime(folder, (1, 1))


def test_looks_find_what_came_and_went_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a/b", "c"):
        (tmp_path / name).mkdir(parents=True)
    old(tmp_path, tmp_path / "a", tmp_path / "a" / "b", tmp_path / "c")
    times = FolderTimes(os.fsencode(tmp_path), QUICK)
    assert times.look() == times.look() == set()
    (tmp_path / "a" / "b" / "1.jpg").write_bytes(b"x")
    assert times.look() == {Hint(os.fsencode(tmp_path / "a" / "b"), False)}
    (tmp_path / "c").rename(tmp_path / "a" / "d")
    assert times.look() >= {Hint(os.fsencode(tmp_path), True), Hint(os.fsencode(tmp_path / "a" / "d"), True)}


def test_a_file_that_comes_right_after_a_look_is_found_by_the_next(tmp_path: Path) -> None:
    times = FolderTimes(os.fsencode(tmp_path), QUICK)
    times.look()
    for n in range(20):
        (tmp_path / f"{n}.jpg").write_bytes(b"x")
        assert times.look() == {Hint(os.fsencode(tmp_path), False)}


# -- settling ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_told_when_it_is_quiet_and_at_the_latest_after_the_longest_time() -> None:
    settling = Settling(settle=1.0, longest=10.0)
    told = []
    for tenth in range(0, 300, 5):
        settling.add(Hint(b"/busy", False), tenth / 10)
        told += [(tenth / 10, hint.folder) for hint in settling.due(tenth / 10)]
    assert [at for at, _ in told] == [10.0, 20.5]
    assert settling.due(29.6) == frozenset()
    assert settling.due(30.5) == {Hint(b"/busy", False)}
    assert settling.next() is None


def test_what_lies_in_a_new_folder_is_told_with_it() -> None:
    settling = Settling(1.0, 10.0)
    settling.add(Hint(b"/a/new/deep", False), 0.0)
    settling.add(Hint(b"/a/new", True), 0.1)
    settling.add(Hint(b"/a/new/other", True), 0.2)
    settling.add(Hint(b"/a/newer", False), 0.3)
    assert settling.due(2.0) == {Hint(b"/a/new", True), Hint(b"/a/newer", False)}


FOLDERS = st.lists(st.sampled_from([b"a", b"b"]), max_size=3).map(lambda parts: b"/" + b"/".join([b"r", *parts]))
STEPS = st.tuples(st.builds(Hint, FOLDERS, st.booleans()), st.floats(0, 3))


@given(st.lists(STEPS, max_size=20))
def test_every_hint_is_told_in_time_by_itself_or_by_one_that_covers_it(steps: list[tuple[Hint, float]]) -> None:
    settling = Settling(1.0, 4.0)
    now, given_at, told = 0.0, [], []
    for hint, pause in steps:
        settling.add(hint, now)
        given_at.append((hint, now))
        for _ in range(8):
            now += pause / 8
            told += [(now, due) for due in settling.due(now)]
    for _ in range(100):
        now += 0.1
        told += [(now, due) for due in settling.due(now)]
    for hint, at in given_at:
        assert any(at <= when <= at + 2 * 4.0 + 0.5 and covers(due, hint) for when, due in told)


def covers(told: Hint, hint: Hint) -> bool:
    return told == hint or (told.deep and (hint.folder + b"/").startswith(told.folder + b"/"))
