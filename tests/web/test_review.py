"""The review page in a real browser, on a real daemon."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from at_work import Opened, logged_in

from programs import need

pytestmark = pytest.mark.begun


def who_is_this(opened: Opened) -> int:
    """Wait for a question that asks for a name; gives of how many faces."""
    opened.page.get_by_role("heading", name="Who is this?").wait_for()
    opened.until(lambda: opened.page.evaluate("document.activeElement.matches('input')"))
    return int(re.match(r"(\d+)", opened.page.locator(".about").inner_text())[1])


def said(opened: Opened) -> str:
    return str(opened.page.locator("#said").inner_text())


def first_face(opened: Opened) -> str | None:
    """The first face in question."""
    face = opened.page.evaluate("document.querySelector('.tile')?.dataset.face ?? null")
    return face if face is None else str(face)


def regions(sidecar: Path) -> dict[str, Any]:
    """What exiftool reads of the regions in a sidecar."""
    done = subprocess.run(["exiftool", "-json", "-XMP-mwg-rs:all", sidecar], capture_output=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)[0]
    return told


def people(opened: Opened) -> dict[str, int]:
    return {person["name"]: person["faces"] for person in opened.ask("/v1/people")["people"]}


def test_a_name_typed_and_entered_names_every_face_in_question(opened: Opened) -> None:
    count = who_is_this(opened)
    opened.page.keyboard.type("Bruno Bär")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: people(opened) == {"Bruno Bär": count})
    opened.until(lambda: f"Named {count} faces of Bruno Bär" in said(opened))


def test_the_next_question_is_there_without_waiting(opened: Opened) -> None:
    who_is_this(opened)
    first = first_face(opened)
    opened.page.keyboard.type("Bruno")
    opened.page.route("**/v1/faces/name", lambda route: None)  # the answer never arrives
    opened.page.keyboard.press("Enter")
    opened.until(lambda: first_face(opened) != first, seconds=2)
    opened.page.unroute_all(behavior="ignoreErrors")


def test_a_face_taken_out_is_not_named(opened: Opened) -> None:
    count = who_is_this(opened)
    odd = opened.page.locator(".tile").nth(1).get_attribute("data-face")
    opened.page.keyboard.press("2")
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: people(opened) == {"Bruno": count - 1})
    opened.until(lambda: opened.ask(f"/v1/faces/{odd}/explain")["face"]["not"] == ["Bruno"])


def test_undo_takes_an_answer_back_and_asks_again(opened: Opened) -> None:
    who_is_this(opened)
    first = first_face(opened)
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: people(opened))
    opened.until(lambda: "Named" in said(opened))
    opened.page.keyboard.press("Alt+u")
    opened.until(lambda: not people(opened))
    opened.page.locator(f".tile[data-face='{first}']").wait_for()


def test_strangers_and_non_faces_are_put_away_and_can_be_taken_back_there(opened: Opened) -> None:
    count = who_is_this(opened)
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
    opened.until(lambda: people(opened) == {"Otto": 1})
    opened.until(lambda: opened.page.locator(".wall .tile").count() == count - 1)


def test_a_question_put_off_comes_last(opened: Opened) -> None:
    who_is_this(opened)
    first = first_face(opened)
    opened.page.keyboard.press("Alt+s")
    opened.until(lambda: first_face(opened) != first)
    for _ in range(40):
        if opened.page.get_by_role("button", name="Ask them now").is_visible():
            break
        opened.page.keyboard.press("Alt+s")
        opened.page.wait_for_timeout(100)
    opened.page.get_by_role("button", name="Ask them now").click()
    opened.page.locator(f".tile[data-face='{first}']").wait_for()


def test_what_another_program_answers_is_not_asked_any_more(opened: Opened) -> None:
    who_is_this(opened)
    faces = opened.ask("/v1/questions")["questions"][0]["faces"]
    assert first_face(opened) in faces
    opened.say("/v1/faces/name", faces=faces, name="Clara")
    opened.until(lambda: first_face(opened) not in faces)


def test_an_answer_to_what_changed_meanwhile_is_withdrawn(opened: Opened) -> None:
    who_is_this(opened)
    faces = opened.ask("/v1/questions")["questions"][0]["faces"]
    opened.page.keyboard.type("Br")  # whoever has begun is not interrupted
    opened.say("/v1/faces/name", faces=faces, name="Clara")
    opened.page.wait_for_timeout(600)
    opened.page.keyboard.type("uno")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: "meanwhile" in said(opened))
    assert people(opened) == {"Clara": len(faces)}
    opened.told.clear()  # the browser tells of the 409


def test_two_open_pages_stay_in_step(opened: Opened) -> None:
    who_is_this(opened)
    other = opened.page.context.new_page()
    other.goto(f"http://127.0.0.1:{opened.here.port}/#/people")
    other.get_by_role("heading", name="Nobody yet").wait_for()
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    other.locator(".cards a", has_text="Bruno").wait_for()


def test_a_suggestion_shows_known_faces_and_takes_y(opened: Opened) -> None:
    who_is_this(opened)
    faces = opened.ask("/v1/questions")["questions"][0]["faces"]
    opened.say("/v1/faces/name", faces=faces[:3], name="Bruno")
    opened.until(lambda: any(q["person"] for q in opened.ask("/v1/questions")["questions"]))
    opened.go("people")
    opened.go("review")
    for _ in range(10):
        opened.page.locator(".tile").first.wait_for()
        if opened.question().startswith("Is this"):
            break
        opened.page.keyboard.press("Alt+s")
        opened.page.wait_for_timeout(200)
    assert opened.question() == "Is this Bruno?"
    assert opened.page.locator(".known img").count() >= 1
    before = people(opened)["Bruno"]
    opened.page.keyboard.press("y")
    opened.until(lambda: people(opened)["Bruno"] > before)


def test_merging_two_people_can_be_undone(opened: Opened) -> None:
    questions = opened.ask("/v1/questions")["questions"]
    for question, name in zip(questions, ("Bruno", "Brunno"), strict=False):
        opened.say("/v1/faces/name", faces=question["faces"], name=name)
    before = people(opened)
    opened.go("people")
    opened.page.locator(".cards a", has_text="Brunno").focus()
    opened.page.keyboard.press("m")
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.page.get_by_role("button", name="They are one: Bruno").press("Enter")
    opened.until(lambda: people(opened) == {"Bruno": sum(before.values())})
    opened.until(lambda: "is Bruno now" in said(opened))
    opened.page.keyboard.press("u")
    opened.until(lambda: people(opened) == before)


def test_a_person_is_renamed_hidden_and_split(opened: Opened) -> None:
    (question, *_) = opened.ask("/v1/questions")["questions"]
    opened.say("/v1/faces/name", faces=question["faces"], name="Brno")
    (person,) = opened.ask("/v1/people")["people"]
    opened.go(f"person/{person['id']}")
    opened.page.get_by_role("heading", name="Brno", exact=True).wait_for()
    opened.page.locator(".wall .tile").first.wait_for()
    opened.page.keyboard.press("r")
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.page.get_by_role("heading", name="Bruno", exact=True).wait_for()
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("Space")
    opened.page.keyboard.press("Enter")
    opened.page.keyboard.type("Otto")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: people(opened).get("Otto") == 1)
    opened.page.keyboard.press("Escape")
    opened.page.keyboard.press("h")
    opened.until(lambda: list(people(opened)) == ["Otto"])


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
    opened.told.clear()  # there is no picture of the new face until its photo is looked at again


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


def test_pausing_and_the_history_are_on_the_activity_page(opened: Opened) -> None:
    (question, *_) = opened.ask("/v1/questions")["questions"]
    opened.say("/v1/faces/name", faces=question["faces"], name="Bruno")
    opened.go("activity")
    opened.page.get_by_role("button", name=re.compile("^Undo: ")).first.click()
    opened.until(lambda: not people(opened))
    opened.page.keyboard.press("p")
    opened.until(lambda: opened.ask("/v1/status")["doing"]["paused_by"] == ["you"])
    opened.page.keyboard.press("p")
    opened.until(lambda: opened.ask("/v1/status")["doing"]["paused_by"] == [])


def test_answers_given_while_kith_is_away_are_sent_when_it_is_back(opened: Opened) -> None:
    count = who_is_this(opened)
    opened.page.context.set_offline(True)
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.page.get_by_text("1 answer will be sent when it is back").wait_for()
    opened.page.context.set_offline(False)
    opened.until(lambda: people(opened) == {"Bruno": count})
    opened.until(lambda: opened.page.locator("#lost").inner_text() == "")
    opened.told.clear()  # the browser tells of failed requests


def test_a_question_mark_shows_the_keys(opened: Opened) -> None:
    who_is_this(opened)
    opened.page.keyboard.press("?")
    panel = opened.page.get_by_role("region", name="Keys")
    panel.wait_for()
    assert "A stranger" in panel.inner_text()
    opened.page.keyboard.press("Escape")
    panel.wait_for(state="detached")


def test_a_phone_can_answer_by_touch(opened: Opened) -> None:
    browser = opened.page.context.browser
    assert browser is not None
    page, told = logged_in(browser, opened.here, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator(".tile").first.wait_for()
    page.get_by_role("combobox").tap()
    page.get_by_role("combobox").fill("Bruno")
    page.get_by_role("option", name="new person").tap()
    opened.until(lambda: "Bruno" in people(opened))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing may stick out"
    assert not told
    page.context.close()
