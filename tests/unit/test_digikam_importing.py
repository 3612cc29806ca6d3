"""What an import tells Kith of each photo, by what Kith knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from kith_digikam import importing
from kith_digikam.albums import Root
from kith_digikam.importing import Figures, Plan
from kith_digikam.reading import Face, Library, Picture, State
from kith_digikam.regions import Rect, Size

A, B = Rect(300, 200, 300, 400), Rect(2100, 200, 300, 400)
BOX = {"x": 0.15, "y": 0.2, "w": 0.1, "h": 0.2}
STORED = Size(3000, 2000)


class Kith:
    """A Kith that knows photos by path, with their displayed sizes, and was told before of some of them."""

    def __init__(self, known: Mapping[bytes, tuple[int, int] | str], remembered: tuple[str, ...] = ()) -> None:
        self.known, self.remembered = known, list(remembered)
        self.told: list[dict[str, Any]] = []

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        assert (path, query) == ("/v1/import", {"source": "digikam"})
        return {"photos": self.remembered}

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        if path == "/v1/import":
            self.told.append(body)
            return {"act": 7, "counts": {"confirmed": 1}}
        return {"photos": [self._photo(asked) for asked in body["paths"]]}

    def _photo(self, path: bytes) -> dict[str, Any]:
        found = self.known.get(path, "not-watched")
        if isinstance(found, str):
            return {"id": None, "reason": found}
        return {"id": 1, "width": found[0], "height": found[1]}


class Quiet:
    def stage(self, title: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        return nullcontext(lambda: None)


def picture(name: str, *faces: Face, people: tuple[str, ...] = (), root: int = 1) -> Picture:
    return Picture(root, "/", name, STORED, 1, faces, people)


def confirmed(name: str, rect: Rect = A) -> Face:
    return Face(State.CONFIRMED, rect, name)


def planned(kith: Kith | None, *pictures: Picture, others: tuple[Picture, ...] = ()) -> Plan:
    library = Library(15, (Root(1, "Photos", "/p", Path("/p")),), pictures, others=others)
    return importing.plan(kith, library, {1: Path("/p")}, Quiet())


def test_answers_are_told_with_their_boxes_and_guesses_without_names() -> None:
    kith = Kith({b"/p/1.jpg": (3000, 2000)})
    found = planned(
        kith,
        picture(
            "1.jpg", confirmed("Anna"), Face(State.UNCONFIRMED, B, "Otto"), Face(State.IGNORED, B), people=("Max",)
        ),
    )
    (word,) = found.words
    assert (word["path"], word["people"]) == (b"/p/1.jpg", ["Max"])
    first, second, third = word["faces"]
    assert (first["state"], first["name"]) == ("confirmed", "Anna")
    assert all(abs(first["box"][side] - BOX[side]) < 1e-9 for side in BOX)
    assert (second["state"], "name" in second) == ("unknown", False)
    assert third["state"] == "ignored"


def test_a_photo_without_an_answer_is_not_told_unless_kith_remembers_one() -> None:
    known = {b"/p/1.jpg": (3000, 2000), b"/p/2.jpg": (3000, 2000)}
    guess, nothing = picture("1.jpg", Face(State.UNCONFIRMED, A, "Anna")), picture("2.jpg")
    assert planned(Kith(known), guess, others=(nothing,)).words == ()
    found = planned(Kith(known, ("/p/1.jpg", "/p/2.jpg", "/elsewhere/3.jpg")), guess, others=(nothing,))
    empty = [{"path": path, "faces": [], "people": []} for path in sorted(known)]
    assert sorted(found.words, key=lambda word: word["path"]) == empty


def test_faces_without_a_place_any_more_are_people_without_a_face() -> None:
    found = planned(Kith({b"/p/1.jpg": (2000, 2000)}), picture("1.jpg", confirmed("Anna"), Face(State.IGNORED, B)))
    assert found.words == ({"path": b"/p/1.jpg", "faces": [], "people": ["Anna"]},)
    assert found.people["Anna"] == Figures(confirmed=1, unplaced=1, photos=1, known=1)


def test_names_that_kith_cannot_take_are_left_out_and_counted_and_the_rest_is_told() -> None:
    kith = Kith({b"/p/1.jpg": (3000, 2000)})
    found = planned(kith, picture("1.jpg", confirmed("x" * 201), confirmed(" \u200b", B), confirmed("Anna", B)))
    assert [face["name"] for face in found.words[0]["faces"]] == ["Anna"]
    assert found.unnamed == 2


def test_photos_are_counted_by_why_they_cannot_be_told() -> None:
    kith = Kith({b"/p/1.jpg": (3000, 2000), b"/p/2.jpg": "not-analysed", b"/p/3.jpg": "gone"})
    pictures = [picture(f"{number}.jpg", confirmed("Anna")) for number in (1, 2, 3, 4)]
    found = planned(kith, *pictures, picture("5.jpg", confirmed("Anna"), root=2))
    assert (found.waiting, found.unknown, found.away, len(found.words)) == (1, 2, 1, 1)
    assert found.people["Anna"] == Figures(confirmed=4, photos=4, known=1)


def test_without_a_kith_all_is_counted_and_nothing_told() -> None:
    found = planned(None, picture("1.jpg", confirmed("Anna")))
    assert (found.words, found.unknown, found.people["Anna"].confirmed) == ((), 1, 1)


def test_people_come_with_most_faces_first() -> None:
    pictures = [
        picture("1.jpg", confirmed("Ben")),
        picture("2.jpg", confirmed("Anna")),
        picture("3.jpg", confirmed("Ben")),
    ]
    assert list(planned(Kith({}), *pictures).people) == ["Ben", "Anna"]


def test_all_parts_of_an_import_are_one_entry_and_only_the_last_has_none_after_it() -> None:
    known = {b"/p/%d.jpg" % number: (3000, 2000) for number in range(450)}
    kith = Kith(known)
    found = planned(kith, *(picture(f"{number}.jpg", confirmed("Anna")) for number in range(450)))
    told = importing.tell(kith, found, Quiet())
    assert [(part["act"], part["more"], len(part["photos"])) for part in kith.told] == [
        (None, True, 200),
        (7, True, 200),
        (7, False, 50),
    ]
    assert (told.act, told.counts) == (7, {"confirmed": 3})


def test_an_import_without_anything_to_say_asks_nothing() -> None:
    kith = Kith({})
    assert importing.tell(kith, planned(kith), Quiet()).act is None
    assert kith.told == []
