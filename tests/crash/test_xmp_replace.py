"""Replacing a sidecar is interrupted everywhere: there are the old bytes or the new ones, nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from disks import disk
from kith_xmp.files import Denied, DiskFull, Gone, NotReplaced, ReadOnly, replace, snapshot
from kith_xmp.seed import seed

OLD = seed(None)
NEW = OLD.replace(b"<rdf:Description", b" " * 50_000 + b"<rdf:Description")
STEPS = ("check", "create", "write", "copy", "sync", "verify", "check again", "rename", "sync folder", "done")

PROGRAM = """
import os, signal, sys
from pathlib import Path
from kith_xmp import files

path, at, create = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "create"
new = Path(sys.argv[4]).read_bytes()

def step(name):
    if name == at:
        os.kill(os.getpid(), signal.SIGKILL)

files.replace(path, new, None if create else files.snapshot(path), step=step)
"""


def killed(path: Path, at: str, new: Path, how: str) -> None:
    command = [sys.executable, "-c", PROGRAM, path, at, how, new]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("at", STEPS)
def test_a_kill_leaves_the_old_sidecar_or_the_new_one(tmp_path: Path, at: str) -> None:
    """Rule 23."""
    path, new = tmp_path / "a.xmp", tmp_path / "new"
    path.write_bytes(OLD)
    new.write_bytes(NEW)
    killed(path, at, new, "replace")
    assert path.read_bytes() == (NEW if at in ("sync folder", "done") else OLD)
    left = {p.name for p in tmp_path.iterdir()} - {"a.xmp", "new"}
    assert all(not name.endswith(".xmp") for name in left)
    replace(path, NEW, snapshot(path))
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("at", [s for s in STEPS if s != "copy"])
def test_a_kill_while_creating_leaves_no_sidecar_or_a_whole_one(tmp_path: Path, at: str) -> None:
    """Rule 23."""
    path, new = tmp_path / "a.xmp", tmp_path / "new"
    new.write_bytes(NEW)
    killed(path, at, new, "create")
    assert (path.read_bytes() if path.exists() else None) == (NEW if at in ("sync folder", "done") else None)


def test_a_kill_at_any_moment_leaves_a_whole_sidecar(tmp_path: Path) -> None:
    """Rule 23: replacing as fast as it can until it is killed, a reader looking on."""
    path, new = tmp_path / "a.xmp", tmp_path / "new"
    path.write_bytes(OLD)
    new.write_bytes(NEW)
    endless = (
        "import sys\nfrom pathlib import Path\nfrom kith_xmp.files import replace, snapshot\n"
        "path, new = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()\nold = path.read_bytes()\n"
        "print('go', flush=True)\n"
        "while True:\n    replace(path, new, snapshot(path))\n    replace(path, old, snapshot(path))\n"
    )
    for reads in range(8):
        path.write_bytes(OLD)
        process = subprocess.Popen([sys.executable, "-c", endless, path, new], stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(reads * 20):
                assert path.read_bytes() in (OLD, NEW)
        finally:
            process.kill()
            process.wait(60)
            process.stdout.close()  # type: ignore[union-attr]
        assert path.read_bytes() in (OLD, NEW)


def test_a_full_disk_leaves_the_sidecar_as_it_was(tmp_path: Path) -> None:
    """Rule 23: ENOSPC, and nothing is left lying about."""
    with disk(tmp_path / "small", "48k") as small:
        path = small / "a.xmp"
        path.write_bytes(OLD)
        before = snapshot(path)
        with pytest.raises(DiskFull) as caught:
            replace(path, NEW, before)
        assert str(path) in str(caught.value)
        with pytest.raises(DiskFull):
            replace(small / "b.xmp", NEW, None)
        assert path.read_bytes() == OLD
        assert snapshot(path) == before
        assert [p.name for p in small.iterdir()] == ["a.xmp"]


def test_a_read_only_disk_is_told_from_missing_rights(tmp_path: Path) -> None:
    """Rule 23: EROFS."""
    with disk(tmp_path / "disk", "1m") as place:
        path = place / "a.xmp"
        path.write_bytes(OLD)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True, timeout=60)
        with pytest.raises(ReadOnly):
            replace(path, NEW, snapshot(path))
        assert path.read_bytes() == OLD


def test_a_folder_that_may_not_be_written_keeps_its_sidecar(tmp_path: Path) -> None:
    """Rule 23: EACCES; root, who may do anything, becomes nobody for it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "a.xmp"
    path.write_bytes(OLD)
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom kith_xmp.files import Denied, replace, snapshot\n"
        "import kith_xmp.seed\npath = Path(sys.argv[1])\nif os.getuid() == 0: os.setuid(65534)\n"
        "try: replace(path, b'new', snapshot(path))\nexcept Denied: print('denied')\n"
    )
    for above in [folder, *folder.parents]:
        if above.stat().st_uid == os.getuid() and above != Path("/"):
            above.chmod(0o755 if above != folder else 0o555)
        if above.name.startswith("pytest-of"):
            break
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "denied\n", done.stderr
    assert path.read_bytes() == OLD


def test_a_folder_that_went_away_is_told_apart(tmp_path: Path) -> None:
    """Rule 23: an unplugged disk is no lost sidecar."""
    with pytest.raises(Gone):
        replace(tmp_path / "gone" / "a.xmp", NEW, None)
    assert issubclass(ReadOnly, Denied)
    assert issubclass(Denied, NotReplaced)


def test_a_failing_write_leaves_the_sidecar_as_it_was(tmp_path: Path) -> None:
    """Rule 23: an error at any step removes the temporary file."""
    path = tmp_path / "a.xmp"
    path.write_bytes(OLD)
    for at in STEPS[:-2]:

        def fail(step: str, at: str = at) -> None:
            if step == at:
                raise OSError(28, "No space left on device")

        with pytest.raises(DiskFull):
            replace(path, NEW, snapshot(path), step=fail)
        assert path.read_bytes() == OLD
        assert [p.name for p in tmp_path.iterdir()] == ["a.xmp"]
