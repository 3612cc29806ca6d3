"""Faces and photos can be looked at, the right way up, and are sent only once."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from served import SIZE, Reply, Served, running, served


@pytest.fixture(scope="module")
def kith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("kith")
    with running(home, [(0, 1)] * 8) as control, served(control) as here:
        yield here


def opened(reply: Reply) -> Image.Image:
    assert reply.status == 200, reply.body
    return Image.open(io.BytesIO(reply.body)).convert("RGB")


@pytest.mark.parametrize(("form", "start"), [("jpeg", b"\xff\xd8"), ("webp", b"RIFF")])
def test_a_face_is_a_square_with_the_eyes_where_they_always_are(kith: Served, form: str, start: bytes) -> None:
    reply = kith.http("GET", f"/v1/faces/f1/crop?size=200&form={form}")
    assert reply.body.startswith(start)
    assert reply.headers["Content-Type"] == f"image/{form}"
    picture = opened(reply)
    assert picture.size == (200, 200)
    for x in (0.37, 0.63):
        assert min(picture.getpixel((round(x * 200), round(0.43 * 200)))) > 200  # type: ignore[arg-type, type-var]
    assert max(picture.getpixel((100, 20))) < 120  # type: ignore[arg-type, type-var]


def test_a_picture_that_the_browser_has_is_not_sent_again(kith: Served) -> None:
    for path in ("/v1/faces/f1/crop", "/v1/photos/1/picture?size=100"):
        tag = kith.http("GET", path).headers["ETag"]
        for sent in (tag, f'"other", {tag}', f"W/{tag}"):
            again = kith.http("GET", path, headers={"If-None-Match": sent})
            assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert kith.http("GET", path, headers={"If-None-Match": '"other"'}).status == 200
    assert (
        kith.http("GET", "/v1/faces/f1/crop?size=50").headers["ETag"]
        != kith.http("GET", "/v1/faces/f1/crop?size=60").headers["ETag"]
    )


@pytest.mark.parametrize("number", range(1, 9))
def test_a_photo_is_the_right_way_up_in_all_orientations(kith: Served, number: int) -> None:
    picture = opened(kith.http("GET", f"/v1/photos/{number}/picture?size=240"))
    assert picture.size == (SIZE[0] // 2, SIZE[1] // 2)
    red, *_ = picture.getpixel((30, 30))  # type: ignore[misc]
    other, *_ = picture.getpixel((210, 130))  # type: ignore[misc]
    assert red > 200 > 60 > other


def test_a_photo_is_never_made_larger(kith: Served) -> None:
    assert opened(kith.http("GET", "/v1/photos/1/picture?size=4096")).size == SIZE


def test_a_photo_that_can_not_be_read_says_so_and_the_next_can(kith: Served) -> None:
    path = Path(os.fsdecode(kith.client.get("/v1/photos/2")["photo"]["path"]))
    sound = path.read_bytes()
    path.write_bytes(sound[:2000])
    reply = kith.http("GET", "/v1/photos/2/picture?size=111")
    assert (reply.status, reply.json["error"]["code"]) == (422, "photo-unreadable")
    path.unlink()
    reply = kith.http("GET", "/v1/photos/2/picture?size=111")
    assert (reply.status, reply.json["error"]["code"]) == (503, "file-vanished")
    path.write_bytes(sound)
    opened(kith.http("GET", "/v1/photos/2/picture?size=111"))


def test_only_pictures_that_kith_knows_are_sent(kith: Served) -> None:
    for path in ("/v1/faces/f99/crop", "/v1/photos/99/picture", "/v1/faces/1/crop"):
        assert kith.http("GET", path).status == 404
    for query in ("size=0", "size=5000", "size=x", "form=png", "path=/etc/passwd"):
        assert kith.http("GET", f"/v1/faces/f1/crop?{query}").status == 400


def test_a_photo_that_became_something_else_gives_nothing_away(kith: Served, tmp_path: Path) -> None:
    path = Path(os.fsdecode(kith.client.get("/v1/photos/3")["photo"]["path"]))
    (tmp_path / "secret").write_text("the secret")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    reply = kith.http("GET", "/v1/photos/3/picture?size=222")
    assert reply.status == 422
    assert b"the secret" not in reply.body


def test_a_box_that_was_only_just_drawn_is_cut_out_of_its_photo(kith: Served) -> None:
    drawn = kith.client.post("/v1/photos/1/draw", box={"x": 0.5, "y": 0.25, "w": 0.1, "h": 0.15})["face"]["id"]
    picture = opened(kith.http("GET", f"/v1/faces/{drawn}/crop?size=100"))
    assert picture.size == (100, 100)
    left, right = (picture.getpixel((x, 20)) for x in (20, 80))  # the photo is red up to its middle
    assert left[0] > 180 > right[0]  # type: ignore[index]
