"""The right sidecar is found, read when it is whole, and replaced so that nobody ever sees half of one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from kith_xmp.files import (
    Changed,
    find,
    is_duplicate,
    is_quiet,
    is_temp,
    keep_original,
    load,
    originals,
    photo_of,
    replace,
    snapshot,
    sweep,
    target,
)
from kith_xmp.packet import Unreadable
from kith_xmp.seed import seed

OLD, NEW = seed(None), seed(None).replace(b"Kith", b"new!")


def folder(path: Path, *names: str, **sidecars: str) -> set[str]:
    """A folder with empty photos, and sidecars that say which extension they are for."""
    for name in names:
        (path / name).write_bytes(OLD if name.casefold().endswith(".xmp") else b"")
    for name, extension in sidecars.items():
        said = f' xmlns:p="http://ns.adobe.com/photoshop/1.0/" p:SidecarForExtension="{extension}"'
        (path / f"{name}.xmp").write_bytes(OLD.replace(b' rdf:about=""', f' rdf:about=""{said}'.encode()))
    return {p.name for p in path.iterdir()}


@pytest.mark.parametrize(
    ("photo", "names", "sidecars", "expected"),
    [
        ("a.jpg", ["a.jpg", "a.jpg.xmp", "a.xmp"], {}, "a.jpg.xmp"),
        ("a.jpg", ["a.jpg", "a.jpg.XMP"], {}, "a.jpg.XMP"),
        ("a.jpg", ["a.jpg", "a.xmp"], {}, "a.xmp"),
        ("a.NEF", ["a.NEF", "a.jpg", "a.xmp"], {}, "a.xmp"),
        ("a.jpg", ["a.NEF", "a.jpg", "a.xmp"], {}, None),
        ("a.jpg", ["a.NEF", "a.jpg"], {"a": "JPG"}, "a.xmp"),
        ("a.NEF", ["a.NEF", "a.jpg"], {"a": "JPG"}, None),
        ("a.jpg", ["a.jpg", "a.mp3", "a.Xmp"], {}, "a.Xmp"),
        ("a.jpg", ["a.jpg", "b.jpg.xmp", "ab.xmp"], {}, None),
        ("a.jpg", ["a.jpg", "a_01.jpg.xmp"], {}, None),
    ],
)
def test_a_photos_sidecar_is_found(
    tmp_path: Path, photo: str, names: list[str], sidecars: dict[str, str], expected: str | None
) -> None:
    """Rule 12."""
    siblings = folder(tmp_path, *names, **sidecars)
    found = find(tmp_path / photo, siblings)
    assert (found.name if found else None) == expected
    if found:
        assert photo_of(found, siblings) == tmp_path / photo


def test_sidecars_of_darktables_duplicates_belong_to_no_photo() -> None:
    """Rules 12, 13: unless a photo of that very name is there."""
    siblings = {"a.jpg", "a_01.jpg.xmp", "b_01.jpg", "b_01.jpg.xmp", "b.jpg"}
    assert is_duplicate("a_01.jpg.xmp", siblings)
    assert photo_of(Path("a_01.jpg.xmp"), siblings) is None
    assert not is_duplicate("b_01.jpg.xmp", siblings)
    assert photo_of(Path("b_01.jpg.xmp"), siblings) == Path("b_01.jpg")
    assert photo_of(Path("a.txt"), siblings) is None


def test_new_sidecars_carry_the_whole_name_of_the_photo() -> None:
    """Rule 13."""
    assert target(Path("/p/IMG.1.CR2")) == Path("/p/IMG.1.CR2.xmp")
    assert target(Path("/p/IMG.1.CR2"), short=True) == Path("/p/IMG.1.xmp")


def test_a_half_written_sidecar_is_read_again_and_then_given_up(tmp_path: Path) -> None:
    """Rule 2: others write in place; three times, two seconds apart."""
    path = tmp_path / "a.xmp"
    waits: list[float] = []
    path.write_bytes(OLD[: len(OLD) // 2])
    with pytest.raises(Unreadable):
        load(path, sleep=waits.append)
    assert waits == [2.0, 2.0, 2.0]

    def finish(_: float) -> None:
        path.write_bytes(OLD)

    path.write_bytes(b"")
    loaded = load(path, sleep=finish)
    assert loaded is not None
    assert loaded.data == OLD
    assert loaded.snapshot == snapshot(path)
    assert load(tmp_path / "none.xmp") is None


def test_a_sidecar_just_written_waits() -> None:
    """Rule 24: the quiet period."""
    path = Path(__file__)
    state = snapshot(path)
    assert state is not None
    assert not is_quiet(state, state.mtime_ns + 9 * 10**9)
    assert is_quiet(state, state.mtime_ns + 10 * 10**9)


def test_a_sidecar_is_replaced_whole_with_mode_and_attributes(tmp_path: Path) -> None:
    """Rules 23, 25: through links; its time is the time it was written."""
    real = tmp_path / "real.xmp"
    real.write_bytes(OLD)
    real.chmod(0o640)
    os.utime(real, (10**9, 10**9))
    try:
        os.setxattr(real, "user.note", b"mine")
    except OSError:
        pytest.skip("needs a file system with extended attributes")
    link = tmp_path / "a.jpg.xmp"
    link.symlink_to(real)
    steps: list[str] = []
    before = time.time()
    state = replace(link, NEW, snapshot(link), step=steps.append)
    assert link.is_symlink()
    assert real.read_bytes() == NEW
    assert real.stat().st_mode & 0o7777 == 0o640
    assert os.getxattr(real, "user.note") == b"mine"
    assert state == snapshot(link)
    assert real.stat().st_mtime > before - 5
    assert steps == [
        "check",
        "create",
        "write",
        "copy",
        "sync",
        "verify",
        "check again",
        "rename",
        "sync folder",
        "done",
    ]
    assert {p.name for p in tmp_path.iterdir()} == {"real.xmp", "a.jpg.xmp"}


def test_a_sidecar_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Rule 23: before and during; by another program's write, deletion or creation."""
    path = tmp_path / "a.xmp"
    foreign = OLD + b" "
    for when in ("check", "check again"):

        def write(step: str, when: str = when) -> None:
            if step == when:
                path.write_bytes(foreign)

        def delete(step: str, when: str = when) -> None:
            if step == when:
                path.unlink()

        for meddle, left in ((write, foreign), (delete, None)):
            path.write_bytes(OLD)
            with pytest.raises(Changed):
                replace(path, NEW, snapshot(path), step=meddle)
            assert (path.read_bytes() if path.exists() else None) == left
    for when in ("check", "check again", "rename"):
        path.unlink(missing_ok=True)

        def create(step: str, when: str = when) -> None:
            if step == when:
                path.write_bytes(foreign)

        with pytest.raises(Changed):
            replace(path, NEW, None, step=create)
        assert path.read_bytes() == foreign
    assert [p.name for p in tmp_path.iterdir()] == ["a.xmp"]


def test_a_new_sidecar_is_created(tmp_path: Path) -> None:
    """Rule 23."""
    path = tmp_path / "a.jpg.xmp"
    assert replace(path, NEW, None) == snapshot(path)
    assert path.read_bytes() == NEW
    assert path.stat().st_nlink == 1
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert path.stat().st_mode == plain.stat().st_mode


def test_what_a_crash_left_is_swept_later(tmp_path: Path) -> None:
    """Rule 23: only our temporary files, only old ones."""
    temp = tmp_path / ".kith-0123456789abcdef.tmp"
    other = tmp_path / ".kith-notes.tmp"
    for path in (temp, other):
        path.write_bytes(b"")
    now = time.time()
    assert is_temp(temp.name)
    assert sweep(tmp_path, now) == 0
    assert sweep(tmp_path, now + 4000) == 1
    assert [p.name for p in tmp_path.iterdir()] == [other.name]


def test_originals_are_kept_once_and_can_be_put_back(tmp_path: Path) -> None:
    """Rule 26: the bytes before the first write; None for a sidecar that wasn't there."""
    store, path = tmp_path / "store", tmp_path / "a\udcff.jpg.xmp"
    keep_original(store, path, OLD)
    keep_original(store, path, NEW)
    keep_original(store, tmp_path / "b.xmp", None)
    assert dict(originals(store)) == {path: OLD, tmp_path / "b.xmp": None}
    path.write_bytes(NEW)
    for sidecar, data in originals(store):
        if data is not None:
            replace(sidecar, data, snapshot(sidecar))
    assert path.read_bytes() == OLD
