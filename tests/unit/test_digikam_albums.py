"""Album roots are found where their volume or share is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from kith_digikam import albums
from kith_digikam.albums import Root, Volumes
from kith_digikam.errors import RootMissing

UUID = "C4B2BF2A-d877-46dd-8af0-9dc3bdf1e860"
LINE = "{number} 30 8:{number} {inside} {at} rw,relatime shared:1 - ext4 {device} rw\n"


@pytest.fixture
def here(tmp_path: Path) -> Volumes:
    """A machine with a disk of which a folder is mounted, and then all of it, at a place with a blank."""
    disks, mounts = tmp_path / "disk", tmp_path / "mountinfo"
    (tmp_path / "sdb1").touch()
    for kind, name in (("by-uuid", UUID.lower()), ("by-label", "My\\x20Photos")):
        (disks / kind).mkdir(parents=True)
        (disks / kind / name).symlink_to(tmp_path / "sdb1")
    (tmp_path / "the disk" / "2019").mkdir(parents=True)
    (tmp_path / "part").mkdir()
    at = str(tmp_path / "the disk").replace(" ", "\\040")
    rows = (("/sub", tmp_path / "part", tmp_path / "sdb1"), ("/", at, tmp_path / "sdb1"), ("/", "/", "/dev/root"))
    mounts.write_text(
        "".join(LINE.format(number=n, inside=i, at=a, device=d) for n, (i, a, d) in enumerate(rows)) + "broken line\n"
    )
    return albums.volumes(mounts, disks)


def found(identifier: str, specific: str, here: Volumes) -> Path | None:
    return albums.resolved(1, "Photos", identifier, specific, here).path


def test_a_path_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "50% & more # + ü").mkdir()
    written = f"volumeid:?path={tmp_path}/50%25 %26 more %23 + %C3%BC"
    assert found(written, "/", Volumes()) == tmp_path / "50% & more # + ü"
    assert found(written.replace("ü", "%C3%BC"), "/", Volumes()) == tmp_path / "50% & more # + ü"


def test_a_volume_is_found_by_its_uuid_wherever_it_is_mounted(here: Volumes, tmp_path: Path) -> None:
    assert found(f"volumeid:?uuid={UUID}", "/2019", here) == tmp_path / "the disk" / "2019"
    assert found(f"volumeid:?uuid={UUID}&fileuuid=39d5a212", "/2019", here) == tmp_path / "the disk" / "2019"
    assert found(f"volumeid:?uuid={UUID}", "/", here) == tmp_path / "the disk"


def test_a_volume_is_found_by_its_label(here: Volumes, tmp_path: Path) -> None:
    assert found("volumeid:?label=My%20Photos", "/2019", here) == tmp_path / "the disk" / "2019"


def test_a_share_is_where_one_of_its_mount_points_is(tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    written = f"networkshareid:?mountpath=/mnt/gone&mountpath={tmp_path}/nas"
    assert found(written, "/", Volumes()) == tmp_path / "nas"


@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        ("volumeid:?path=/gone/away", "/gone/away"),
        ("volumeid:?uuid=1234", "/2019 on the volume 1234"),
        ("volumeid:?label=Stick", "/2019 on the volume 'Stick'"),
        ("networkshareid:?mountpath=/mnt/gone", "/mnt/gone"),
        ("something:else", "something:else"),
        ("", ""),
    ],
)
def test_what_is_not_there_is_told_in_words(identifier: str, told: str) -> None:
    root = albums.resolved(1, None, identifier, "/2019", Volumes())
    assert root.path is None
    assert root.told == (f"{told}/2019" if told.startswith("/") and "volume" not in told else told)


def test_a_machine_without_these_files_has_no_volumes(tmp_path: Path) -> None:
    assert albums.volumes(tmp_path / "mountinfo", tmp_path / "disk") == Volumes()


ROOTS = (Root(1, "Photos", "/old/photos", None), Root(2, "Stick", "/ on the volume 1234", None))


@pytest.mark.parametrize("name", ["Photos", "1", "/old/photos"])
def test_a_moved_root_is_named_by_label_number_or_old_path(tmp_path: Path, name: str) -> None:
    moved = albums.moved(ROOTS, {name: tmp_path})
    assert [root.path for root in moved] == [tmp_path, None]


def test_a_root_that_digikam_does_not_have_is_refused_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(RootMissing, match=r"no collection Foto.*Photos \(/old/photos\), Stick"):
        albums.moved(ROOTS, {"Foto": tmp_path})


def test_a_new_place_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(RootMissing, match="not a folder"):
        albums.moved(ROOTS, {"Photos": tmp_path / "nowhere"})
