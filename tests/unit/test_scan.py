"""What a walk over folders promises: every photo once, by one path, whatever its name, and loops are no trap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kith import config
from kith.errors import FileVanished, KithError
from kith.files import show
from kith.scan import KEY_BYTES, FileSeen, NotSeen, content_key, walk


def is_photo(name: bytes) -> bool:
    return name.endswith(b".jpg")


def seen(root: Path, *, hidden: bool = False, ignore: tuple[str, ...] = ()) -> list[bytes]:
    top = os.path.realpath(os.fsencode(root)) + b"/"
    found = walk(root, is_photo, hidden=hidden, ignore=ignore)
    return [f.path.removeprefix(top) for f in found if isinstance(f, FileSeen)]


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def missed(root: Path) -> dict[str, KithError]:
    return {Path(os.fsdecode(f.path)).name: f.error for f in walk(root, is_photo) if isinstance(f, NotSeen)}


def test_every_photo_is_met_once_in_name_order(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "b/1.jpg", "a/c/3.jpg", "0.jpg", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert seen(tmp_path) == [b"0.jpg", b"a/c/3.jpg", b"b/1.jpg", b"b/2.jpg"]


def test_hidden_files_and_folders_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / ".trash").mkdir()
    for name in (".trash/1.jpg", ".2.jpg", "3.jpg"):
        (tmp_path / name).write_bytes(b"x")
    assert seen(tmp_path) == [b"3.jpg"]
    assert seen(tmp_path, hidden=True) == [b".2.jpg", b"3.jpg", b".trash/1.jpg"]


@pytest.mark.parametrize("name", [b"line\nbreak.jpg", b"not utf-8 \xff\xfe.jpg", "smile 😀.jpg".encode(), b" .jpg"])
def test_any_name_a_file_can_have_is_met_and_can_be_shown(tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(b"x")
    assert seen(tmp_path) == [name]
    assert show(path).isprintable()
    show(path).encode()


def test_a_link_to_a_folder_is_followed_and_gives_real_paths(tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "far" / "away" / "1.jpg").write_bytes(b"x")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "link").symlink_to(tmp_path / "far" / "away")
    found = list(walk(tmp_path / "near", is_photo))
    assert [f.path for f in found] == [os.fsencode(tmp_path.resolve() / "far" / "away" / "1.jpg")]


def test_a_folder_reached_twice_is_entered_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(b"x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert seen(tmp_path) == [b"a/1.jpg"]


def test_a_link_into_its_own_parents_is_reported_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(b"x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    assert seen(tmp_path) == [b"a/1.jpg"]
    assert {name: error.code for name, error in missed(tmp_path).items()} == {
        "up": "symlink-loop",
        "self.jpg": "symlink-loop",
    }


def test_a_link_that_leads_nowhere_is_reported_if_it_looks_like_a_photo(tmp_path: Path) -> None:
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "lost.txt").symlink_to(tmp_path / "nothing")
    assert {name: error.code for name, error in missed(tmp_path).items()} == {"lost.jpg": "file-vanished"}


def test_things_that_are_no_files_are_not_photos(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert seen(tmp_path) == []


@pytest.mark.parametrize(
    "folder", ["@eaDir", "#recycle", ".stversions", ".Trash-1000", "$RECYCLE.BIN", "lost+found", "a/Previews.lrdata"]
)
def test_bins_caches_and_old_versions_are_left_alone_by_default(tmp_path: Path, folder: str) -> None:
    make(tmp_path, f"{folder}/b/1.jpg", "2.jpg")
    assert seen(tmp_path, hidden=True, ignore=config.load().photos.ignore) == [b"2.jpg"]


def test_a_kithignore_counts_in_its_folder_and_below_and_the_innermost_decides(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "draft-1.jpg", "a/draft-2.jpg", "b/draft-3.jpg", "b/private/4.jpg", "private/5.jpg")
    (tmp_path / ".kithignore").write_text("# mine\ndraft-*\n/private/\n")
    (tmp_path / "b" / ".kithignore").write_text("!draft-3.jpg\n")
    assert seen(tmp_path) == [b"1.jpg", b"b/draft-3.jpg", b"b/private/4.jpg"]


@pytest.mark.parametrize("rules", ["a/b/\n", "*\n!c/\n", "/a/b/1.jpg\n", "b\n", "!a\n", "**/1.jpg\n", ""])
@pytest.mark.parametrize("ignore", [(), ("b/",), ("/b/",), ("/a/",)])
def test_a_folder_gives_the_same_alone_as_in_a_walk_from_the_top(
    tmp_path: Path, rules: str, ignore: tuple[str, ...]
) -> None:
    make(tmp_path, "a/b/1.jpg", "a/b/2.jpg", "a/c/1.jpg", "a/3.jpg", "b/1.jpg", ".d/1.jpg")
    (tmp_path / ".kithignore").write_text(rules)
    whole = {f for f in walk(tmp_path, is_photo, ignore=ignore) if isinstance(f, FileSeen)}
    for folder in ("", "a", "a/b", "a/c", "b", ".d"):
        here = os.fsencode(tmp_path.resolve() / folder)
        alone = set(walk(tmp_path / folder, is_photo, ignore=ignore, top=tmp_path, deep=False))
        assert alone == {f for f in whole if os.path.split(f.path)[0] == here}
        below = set(walk(tmp_path / folder, is_photo, ignore=ignore, top=tmp_path))
        assert below == {f for f in whole if f.path.startswith(here + b"/")}


def test_a_line_that_is_no_pattern_is_told_and_the_others_count(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / ".kithignore").write_text("!\n2.jpg\n")
    assert seen(tmp_path) == [b"1.jpg"]
    assert {name: error.code for name, error in missed(tmp_path).items()} == {".kithignore": "ignore-invalid"}


def test_a_folder_whose_rules_cannot_be_read_is_not_looked_into(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "2.jpg")
    (tmp_path / "a" / ".kithignore").mkdir()
    assert seen(tmp_path) == [b"2.jpg"]
    assert list(missed(tmp_path)) == ["a"]


def test_the_content_key_tells_content_from_name_and_time(tmp_path: Path) -> None:
    def key(content: bytes) -> bytes:
        path = tmp_path / "x"
        path.write_bytes(content)
        return content_key(os.fsencode(path), len(content))

    long = b"a" * (3 * KEY_BYTES)
    assert key(long) == key(long)
    assert len({key(long), key(long + b"a"), key(b"b" + long[1:]), key(long[:-1] + b"b"), key(b""), key(b"a")}) == 6


def test_a_file_that_vanishes_meanwhile_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileVanished, match="gone"):
        content_key(os.fsencode(tmp_path / "gone"), 10)
