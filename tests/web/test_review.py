"""The review page in a real browser, on a real daemon."""

from __future__ import annotations

import re

from at_work import Opened, logged_in


def test_a_name_typed_and_entered_names_every_face_in_question(opened: Opened) -> None:
    count = opened.who_is_this()
    opened.page.keyboard.type("Bruno Bär")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: opened.people() == {"Bruno Bär": count})
    opened.until(lambda: f"Named {count} faces of Bruno Bär" in opened.said())


def test_the_next_question_is_there_without_waiting(opened: Opened) -> None:
    opened.who_is_this()
    first = opened.first_face()
    opened.page.keyboard.type("Bruno")
    opened.page.route("**/v1/faces/name", lambda route: None)  # the answer never arrives
    opened.page.keyboard.press("Enter")
    opened.until(lambda: opened.first_face() != first, seconds=2)
    opened.page.unroute_all(behavior="ignoreErrors")


def test_a_face_taken_out_is_not_named(opened: Opened) -> None:
    count = opened.who_is_this()
    odd = opened.page.locator(".tile").nth(1).get_attribute("data-face")
    opened.page.keyboard.press("Shift+Digit2")
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: opened.people() == {"Bruno": count - 1})
    opened.until(lambda: opened.ask(f"/v1/faces/{odd}/explain")["face"]["not"] == ["Bruno"])


def test_undo_takes_an_answer_back_and_asks_again(opened: Opened) -> None:
    opened.who_is_this()
    first = opened.first_face()
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.until(opened.people)
    opened.until(lambda: "Named" in opened.said())
    opened.page.keyboard.press("Alt+u")
    opened.until(lambda: not opened.people())
    opened.page.locator(f".tile[data-face='{first}']").wait_for()


def test_a_question_put_off_comes_last(opened: Opened) -> None:
    opened.who_is_this()
    first = opened.first_face()
    opened.page.keyboard.press("Alt+s")
    opened.until(lambda: opened.first_face() != first)
    for _ in range(40):
        if opened.page.get_by_role("button", name="Ask them now").is_visible():
            break
        opened.page.keyboard.press("Alt+s")
        opened.page.wait_for_timeout(100)
    opened.page.get_by_role("button", name="Ask them now").click()
    opened.page.locator(f".tile[data-face='{first}']").wait_for()


def test_what_another_program_answers_is_not_asked_any_more(opened: Opened) -> None:
    opened.who_is_this()
    faces = opened.ask("/v1/questions")["questions"][0]["faces"]
    assert opened.first_face() in faces
    opened.say("/v1/faces/name", faces=faces, name="Clara")
    opened.until(lambda: opened.first_face() not in faces)


def test_an_answer_to_what_changed_meanwhile_is_withdrawn(opened: Opened) -> None:
    opened.who_is_this()
    faces = opened.ask("/v1/questions")["questions"][0]["faces"]
    opened.page.keyboard.type("Br")  # whoever has begun is not interrupted
    opened.say("/v1/faces/name", faces=faces, name="Clara")
    opened.page.wait_for_timeout(600)
    opened.page.keyboard.type("uno")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: "meanwhile" in opened.said())
    assert opened.people() == {"Clara": len(faces)}


def test_what_was_answered_is_not_to_be_seen_while_the_next_question_is_on_its_way(opened: Opened) -> None:
    told = opened.ask("/v1/questions")
    only = told | {"questions": told["questions"][:1]}
    opened.page.route("**/v1/questions?*", lambda route: route.fulfill(json=only))
    opened.go("people")
    opened.go("review")
    opened.who_is_this()
    with opened.held("**/v1/questions?*") as held:
        opened.type("Bruno")
        assert opened.first_face() is None
        opened.press("Alt+i")
        opened.until(lambda: opened.people() and held)
    opened.until(lambda: opened.first_face() not in (None, told["questions"][0]["faces"][0]))
    assert len(opened.ask("/v1/history")["acts"]) == 1


def test_a_key_meant_for_a_question_that_another_program_answers_does_not_answer_the_next(opened: Opened) -> None:
    opened.who_is_this()
    faces = opened.ask("/v1/questions")["questions"][0]["faces"]
    opened.page.evaluate(
        """first => new MutationObserver((_, seen) => {
        if (document.querySelector(".tile")?.dataset.face === first) return;
        seen.disconnect();
        const key = { key: "i", code: "KeyI", altKey: true, bubbles: true };
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", key));
    }).observe(document.getElementById("main"), { subtree: true, childList: true })""",
        opened.first_face(),
    )
    opened.say("/v1/faces/name", faces=faces, name="Clara")
    opened.until(lambda: opened.first_face() not in (None, *faces))
    second = opened.first_face()
    opened.press("ArrowRight")
    opened.until(lambda: opened.page.locator(".tile.at").count())
    assert opened.first_face() == second
    assert len(opened.ask("/v1/history")["acts"]) == 1


def test_whoever_types_a_name_is_not_disturbed_by_an_answer_that_comes_back(opened: Opened) -> None:
    opened.who_is_this()
    faces = opened.ask("/v1/questions")["questions"][0]["faces"]
    opened.page.context.set_offline(True)
    opened.type("Bruno")
    opened.until(lambda: opened.first_face() not in (None, *faces))
    second = opened.first_face()
    opened.page.keyboard.type("An")
    opened.say("/v1/faces/name", faces=faces, name="Clara")
    opened.page.context.set_offline(False)
    opened.until(lambda: "meanwhile" in opened.said())
    assert opened.first_face() == second
    opened.type("na")
    opened.until(lambda: set(opened.people()) == {"Anna", "Clara"})
    assert opened.people()["Clara"] == len(faces)


def test_two_open_pages_stay_in_step(opened: Opened) -> None:
    opened.who_is_this()
    other = opened.page.context.new_page()
    other.goto(f"http://127.0.0.1:{opened.here.port}/#/people")
    other.get_by_role("heading", name="Nobody yet").wait_for()
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    other.locator(".cards a", has_text="Bruno").wait_for()


def test_a_suggestion_shows_known_faces_and_takes_y(opened: Opened) -> None:
    opened.who_is_this()
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
    before = opened.people()["Bruno"]
    opened.page.keyboard.press("y")
    opened.until(lambda: opened.people()["Bruno"] > before)


def test_answers_given_while_kith_is_away_are_sent_when_it_is_back(opened: Opened) -> None:
    count = opened.who_is_this()
    opened.page.context.set_offline(True)
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.page.get_by_text("1 answer will be sent when it is back").wait_for()
    opened.page.context.set_offline(False)
    opened.until(lambda: opened.people() == {"Bruno": count})
    opened.until(lambda: opened.page.locator("#lost").inner_text() == "")


def test_a_number_chooses_one_of_the_people_it_may_be(opened: Opened) -> None:
    opened.who_is_this()
    opened.type("Bruno")
    opened.until(opened.people)
    opened.until(lambda: any(not q["person"] for q in opened.ask("/v1/questions")["questions"]))
    opened.go("people")
    opened.go("review")
    for _ in range(20):
        opened.page.locator(".tile").first.wait_for()
        if opened.question() == "Who is this?":
            break
        opened.press("Alt+s" if opened.page.evaluate("document.activeElement.matches('input')") else "s")
        opened.page.wait_for_timeout(200)
    faces = [tile.get_attribute("data-face") for tile in opened.page.locator(".review .tile").all()]
    (question,) = [q for q in opened.ask("/v1/questions?limit=50")["questions"] if set(faces) & set(q["faces"])]
    option = opened.page.get_by_role("option").first
    opened.until(lambda: "Bruno" in option.inner_text())
    likely = {one["person"]["name"]: one["probability"] for one in question["likely"]}
    assert ("%" in option.inner_text()) == ("Bruno" in likely), "it says how likely that is"
    before = opened.people()["Bruno"]
    opened.press("1")
    opened.until(lambda: opened.people()["Bruno"] == before + len(question["faces"]))


def test_a_group_of_two_people_is_asked_about_apart(opened: Opened) -> None:
    count = opened.who_is_this()
    odd = [opened.page.locator(".tile").nth(number).get_attribute("data-face") for number in (0, 2)]
    opened.press("Shift+Digit1", "Shift+Digit3", "Alt+x")
    opened.until(lambda: f"{count - 2} face" in opened.page.locator(".about").inner_text())
    opened.type("Bruno")
    opened.until(lambda: opened.people() == {"Bruno": count - 2})
    opened.until(lambda: opened.first_face() == odd[0])
    assert [tile.get_attribute("data-face") for tile in opened.page.locator(".review .tile").all()] == odd
    assert opened.ask(f"/v1/faces/{odd[0]}/explain")["face"]["not"] == ["Bruno"]
    opened.type("Clara")
    opened.until(lambda: opened.people() == {"Bruno": count - 2, "Clara": 2})


def test_two_people_without_names_stay_two_when_the_page_is_opened_again_until_it_is_taken_back(opened: Opened) -> None:
    count = opened.who_is_this()
    odd = {opened.page.locator(".tile").nth(number).get_attribute("data-face") for number in (0, 2)}
    whole = next(set(question["faces"]) for question in opened.ask("/v1/questions")["questions"])
    assert odd < whole
    assert len(whole) == count

    def are_two() -> bool:
        faces = [set(question["faces"]) & whole for question in opened.ask("/v1/questions?limit=50")["questions"]]
        return {frozenset(some) for some in faces if some} == {frozenset(odd), frozenset(whole - odd)}

    def is_asked(faces: int) -> bool:
        return f"{faces} face" in opened.page.locator(".about").inner_text()

    opened.press("Shift+Digit1", "Shift+Digit3", "Alt+x")
    opened.until(lambda: is_asked(count - 2) and are_two())
    opened.press("Alt+u")
    opened.until(lambda: is_asked(count) and not are_two())
    opened.press("Shift+Digit1", "Shift+Digit3", "Alt+x")
    opened.until(lambda: is_asked(count - 2) and are_two())
    opened.page.reload()
    opened.who_is_this()
    assert are_two()
    opened.press("Alt+u")
    opened.until(lambda: not are_two())


def test_kith_divides_a_group_of_two_people_where_they_look_apart(opened: Opened) -> None:
    faces = [faces[:4] for faces in opened.named("Bruno", "Clara")]
    for act in opened.ask("/v1/history")["acts"]:
        opened.say("/v1/undo", act=act["id"])
    parts = opened.say("/v1/faces/split", faces=[*faces[0], *faces[1]])["parts"]
    assert sorted(map(sorted, parts)) == sorted(map(sorted, faces))


def test_faces_seen_only_once_are_asked_about_when_everybody_else_has_a_name(opened: Opened) -> None:
    photo = opened.ask("/v1/photos")["photos"][0][0]
    opened.say(f"/v1/photos/{photo}/draw", box={"x": 0.06, "y": 0.08, "w": 0.08, "h": 0.1})  # like nobody else
    while questions := opened.ask("/v1/questions?limit=50")["questions"]:
        for question in questions[1:]:
            opened.say("/v1/faces/ignore", faces=question["faces"])
        opened.say("/v1/faces/name", faces=questions[0]["faces"], name="Anna")
    opened.page.get_by_role("heading", name="That’s everybody").wait_for()
    opened.page.get_by_role("button", name=re.compile("seen only once")).wait_for()
    opened.press("o")
    opened.page.get_by_role("heading", name="Who is this?").wait_for()
    lonely = opened.ask("/v1/faces/outline?state=unknown")["faces"]
    assert opened.first_face() in [f"f{row[0]}" for row in lonely]


def test_a_question_mark_shows_the_keys(opened: Opened) -> None:
    opened.who_is_this()
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
    opened.until(lambda: "Bruno" in opened.people())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing may stick out"
    assert not told
    page.context.close()
