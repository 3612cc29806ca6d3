"""A photo on the page: boxes drawn and moved, people without a face, and every answer taken back where it stands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from at_work import Opened

from required import need


def regions(sidecar: Path) -> dict[str, Any]:
    """What exiftool reads of the regions in a sidecar."""
    done = subprocess.run(["exiftool", "-json", "-XMP-mwg-rs:all", sidecar], capture_output=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)[0]
    return told


def sidecar_of(opened: Opened, photo: int) -> Path:
    return Path(opened.ask(f"/v1/photos/{photo}")["photo"]["path"] + ".xmp")


def test_a_drawn_box_is_in_the_sidecar(opened: Opened) -> None:
    need("exiftool")
    (photo, path, *_) = opened.ask("/v1/photos")["photos"][0]
    opened.go(f"photo/{photo}")
    layer = opened.page.locator(".layer")
    layer.wait_for()
    area = layer.bounding_box()
    assert area is not None
    left, top = area["x"] + area["width"] * 0.02, area["y"] + area["height"] * 0.8
    opened.page.mouse.move(left, top)
    opened.page.mouse.down()
    opened.page.mouse.move(left + area["width"] * 0.1, top + area["height"] * 0.15, steps=5)
    opened.page.mouse.up()
    opened.page.keyboard.type("Rex")
    opened.page.keyboard.press("Enter")
    sidecar = opened.folder / (path[len(str(opened.folder)) + 1 :] + ".xmp")
    opened.until(sidecar.exists)
    told = regions(sidecar)
    assert told["RegionName"] == "Rex"
    assert abs(float(told["RegionAreaX"]) - 0.07) < 0.01
    assert abs(float(told["RegionAreaW"]) - 0.10) < 0.01


def test_a_box_is_moved_with_the_arrows(opened: Opened) -> None:
    face = opened.ask("/v1/faces?limit=1")["faces"][0]
    opened.go(f"photo/{face['photo']['id']}?face={face['id']}")
    opened.page.locator(".box.asked").wait_for()
    opened.page.keyboard.press("e")
    opened.page.locator(".edited").wait_for()
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: opened.ask(f"/v1/faces/{face['id']}")["face"]["box"]["x"] > face["box"]["x"] + 0.005)


def test_a_drawn_face_has_its_picture_at_once(opened: Opened) -> None:
    opened.say("/v1/pause")  # so that nobody finds it meanwhile
    photo = opened.ask("/v1/photos")["photos"][0][0]
    opened.go(f"photo/{photo}")
    opened.page.locator(".on-photo img").first.wait_for()
    before = opened.page.locator(".on-photo img").count()
    opened.press("d")
    opened.page.locator(".edited").wait_for()
    opened.page.get_by_role("button", name="Without a name").click()
    opened.until(lambda: opened.page.locator(".on-photo img").count() == before + 1)
    opened.until(
        lambda: opened.page.evaluate(
            "[...document.querySelectorAll('.on-photo img')].every((image) => image.complete && image.naturalWidth)"
        )
    )
    opened.say("/v1/resume")


def test_somebody_without_a_face_is_put_on_a_photo_and_taken_off(opened: Opened) -> None:
    photo = opened.ask("/v1/photos")["photos"][0][0]
    opened.go(f"photo/{photo}")
    opened.page.get_by_label("Somebody on this photo without a face").click()
    opened.type("Rex")
    opened.page.locator(".present", has_text="Rex").get_by_role("button", name="Not here").click()
    opened.until(lambda: opened.ask(f"/v1/photos/{photo}")["photo"]["present"] == [])
    opened.page.locator(".present").wait_for(state="detached")


def test_why_a_face_has_its_name_is_shown_beside_it(opened: Opened) -> None:
    (faces,) = opened.named("Bruno", most=3)
    opened.until(lambda: [q for q in opened.ask("/v1/questions")["questions"] if q["person"]])
    (question, *_) = [q for q in opened.ask("/v1/questions")["questions"] if q["person"]]
    face = question["shown"][0]
    opened.go(f"photo/{face['photo']['id']}?face={face['id']}")
    reasons = opened.page.locator(".asked-about .reason")
    reasons.nth(1).wait_for()
    because = opened.ask(f"/v1/faces/{face['id']}/explain")["face"]["because"]
    assert {one["id"] for one in because} <= set(faces)
    shown = [one.get_attribute("href") for one in reasons.all()]
    assert shown == [f"#/photo/{one['photo']['id']}?face={one['id']}" for one in (face, *because)]


def test_strangers_and_non_faces_are_put_away_and_can_be_taken_back_there(opened: Opened) -> None:
    count = opened.who_is_this()
    opened.page.keyboard.press("Alt+i")
    opened.until(lambda: len(opened.ask("/v1/faces?state=ignored")["faces"]) == count)
    opened.go("faces/ignored")
    opened.page.locator(".wall .tile").first.wait_for()
    assert opened.page.locator(".wall .tile").count() == count
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("Space")
    opened.page.keyboard.press("Enter")
    opened.page.keyboard.type("Otto")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: opened.people() == {"Otto": 1})
    opened.until(lambda: opened.page.locator(".wall .tile").count() == count - 1)


@pytest.mark.parametrize(("verb", "state"), [("ignore", "ignored"), ("not-a-face", "not-a-face")])
def test_what_was_put_away_is_asked_about_again_where_it_is_listed(opened: Opened, verb: str, state: str) -> None:
    faces = opened.ask("/v1/questions")["questions"][0]["faces"][:3]
    opened.say(f"/v1/faces/{verb}", faces=faces)
    opened.go(f"faces/{state}")
    opened.page.locator(".wall .tile").first.wait_for()
    opened.press("ArrowDown", "Space", "a")
    opened.until(lambda: [opened.face(face)["state"] for face in faces].count(state) == 2)
    opened.until(lambda: opened.page.locator(".wall .tile").count() == 2)
    opened.press("u")
    opened.until(lambda: opened.page.locator(".wall .tile").count() == 3)


def test_a_name_that_another_program_took_away_twice_is_kept_or_let_go(opened: Opened) -> None:
    need("exiftool")
    face = opened.ask("/v1/questions")["questions"][0]["shown"][0]
    opened.say("/v1/faces/name", faces=[face["id"]], name="Bruno")
    sidecar = sidecar_of(opened, face["photo"]["id"])

    def take_away() -> None:
        opened.until(lambda: sidecar.exists() and "RegionName" in regions(sidecar))
        drop = ["exiftool", "-q", "-overwrite_original", "-XMP-mwg-rs:RegionInfo=", str(sidecar)]
        subprocess.run(drop, check=True)
        opened.here.control.hint([(opened.folder, True)])  # type: ignore[attr-defined]

    take_away()
    take_away()
    opened.until(lambda: opened.ask("/v1/disputes")["faces"])
    opened.go("activity")
    opened.page.get_by_role("heading", name="Names that another program took away").wait_for()
    opened.page.get_by_role("button", name="Keep the name").click()
    opened.until(lambda: not opened.ask("/v1/disputes")["faces"])
    opened.until(lambda: regions(sidecar).get("RegionName") == "Bruno")
