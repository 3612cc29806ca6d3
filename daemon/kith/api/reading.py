"""What can be looked at: each function takes what was asked and gives plain values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from kith import paths
from kith.api import asked, wire
from kith.catalogue import events, faces, journal, listing, people
from kith.service import commands, packs, views
from kith.types import FaceId, FaceState, GroupId, PersonId, PhotoId

if TYPE_CHECKING:
    from kith.api.routes import Api

API = 1
CAPABILITIES = ("answers", "bulk", "crops", "events", "jobs", "lookup", "pictures", "poll", "questions", "rev", "undo")
SHOWN = 12  # faces of a question that come in full
KNOWN = 6  # faces that speak for a suggestion
ENOUGH = 0.95  # share of named faces that the progress counts questions to


def hello(api: Api, _: asked.Shape) -> dict[str, Any]:
    """Who answers, and what it can."""
    return {"name": "Kith", "version": version("kith"), "api": API, "capabilities": list(CAPABILITIES)}


def status(api: Api, _: asked.Shape) -> dict[str, Any]:
    """Counts of everything, and what is going on."""
    last = api.app.catalogue.read(events.last)
    return {"counts": views.status(api.app), "doing": api.control.status(), "last_event": last}


# -- photos -------------------------------------------------------------------------------------------------------


def lookup(api: Api, given: asked.Lookup) -> dict[str, Any]:
    """The photos at some paths."""
    roots = {os.fsencode(root["path"]): bool(root["online"]) for root in api.control.status()["roots"]}
    return {"photos": views.photos_at(api.app, [path.raw for path in given.paths], roots)}


def all_photos(api: Api, _: asked.Shape) -> dict[str, Any]:
    """All photos that are there, oldest first, each as a short row."""
    rows = api.app.catalogue.read(listing.photos)
    shown = [[photo, os.fsdecode(path), *rest] for photo, path, *rest in rows]
    return {"fields": ["photo", "path", "taken", "faces", "unnamed"], "photos": shown}


def photo(api: Api, _: asked.Shape, number: str) -> dict[str, Any]:
    """One photo."""
    known = api.app.catalogue.read(listing.photo, wire.number("", number))
    return {"photo": views.photo(api.app, known)}


# -- faces --------------------------------------------------------------------------------------------------------


def some_faces(api: Api, wanted: asked.FacesWanted) -> dict[str, Any]:
    """Faces by id, or by filter and order."""
    if wanted.ids:
        ids = [FaceId(wire.number("f", word)) for word in wanted.ids.split(",")]
        return {"faces": views.shown_faces(api.app, ids), "cursor": None}
    filters = listing.Wanted(
        person=PersonId(wire.number("p", wanted.person)) if wanted.person else None,
        state=wanted.state,
        group=GroupId(wire.number("g", wanted.group)) if wanted.group else None,
        photo=None if wanted.photo is None else PhotoId(wanted.photo),
    )
    place = wire.after(wanted.cursor, str, float, int)
    after = (place[1], FaceId(place[2])) if place and place[0] == wanted.order else None
    found = api.app.catalogue.read(listing.faces, filters, wanted.order, after, wanted.limit + 1)
    page = found[: wanted.limit]
    more = wire.cursor(wanted.order, *page[-1]) if len(found) > len(page) else None
    return {"faces": views.shown_faces(api.app, [face for _, face in page]), "cursor": more}


def outline(api: Api, wanted: asked.Outlined) -> dict[str, Any]:
    """All faces of a filter, oldest first, each as a short row: enough to lay out a wall of any length at once."""
    filters = listing.Wanted(
        person=PersonId(wire.number("p", wanted.person)) if wanted.person else None,
        state=wanted.state,
        group=GroupId(wire.number("g", wanted.group)) if wanted.group else None,
    )
    rows = api.app.catalogue.read(listing.outline, filters)
    return {"fields": list(listing.OUTLINE), "faces": rows}


def one_face(api: Api, _: asked.Shape, face: str) -> dict[str, Any]:
    """One face."""
    return {"face": views.shown_faces(api.app, [FaceId(wire.number("f", face))])[0]}


def explain(api: Api, _: asked.Shape, face: str) -> dict[str, Any]:
    """Why a face is taken for whom it is taken."""
    return {"face": views.explained(api.app, FaceId(wire.number("f", face)))}


# -- people and groups --------------------------------------------------------------------------------------------


def everybody(api: Api, wanted: asked.PeopleWanted) -> dict[str, Any]:
    """People, most photographed first."""
    known = [person for person in views.everybody(api.app) if wanted.hidden or not person["hidden"]]
    return _page("people", known, wanted, lambda person: (-person["faces"], wire.number("p", person["id"])))


def person(api: Api, _: asked.Shape, number: str) -> dict[str, Any]:
    """One person; whoever was merged is whom they were merged into."""
    known = api.app.catalogue.read(listing.person, PersonId(wire.number("p", number)))
    return {"person": views.somebody(known)}


def called(api: Api, wanted: asked.Called) -> dict[str, Any]:
    """The person of this name, however it is spelled."""
    return {"person": views.somebody(api.app.catalogue.read(people.called, wanted.name))}


def groups(api: Api, wanted: asked.Page) -> dict[str, Any]:
    """Groups that wait for a name, the largest first."""
    found = [group | {"faces": [face["id"] for face in group["faces"]]} for group in views.groups(api.app)]
    return _page("groups", found, wanted, lambda group: (-group["size"], wire.number("g", group["id"])))


# -- what to ask --------------------------------------------------------------------------------------------------


def questions(api: Api, wanted: asked.FewAtOnce) -> dict[str, Any]:
    """What is worth asking, without what was answered since it was thought of; and how far one is."""
    if packs.in_use(api.app) is None:
        return {"questions": [], "cursor": None, "progress": _progress(api, []), "fresh": True}
    version = api.bus.version
    thought_of = api.questions.get(version)
    key = _question_key
    rest = _behind(thought_of, wire.after(wanted.cursor, float, int), key)
    still = list(islice(_still_open(api, rest), wanted.limit + 1))
    page = still[: wanted.limit]
    return {
        "questions": [_shown(api, question) for question in page],
        "cursor": wire.cursor(*key(page[-1])) if len(still) > len(page) else None,
        "progress": _progress(api, thought_of),
        "fresh": api.questions.is_fresh(version),
    }


def _question_key(question: Mapping[str, Any]) -> tuple[float, int]:
    return -float(question["value"]), wire.number("f", question["first"])


def _still_open(api: Api, thought_of: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for question in thought_of:
        ids = [FaceId(wire.number("f", face)) for face in question["faces"]]
        waiting = api.app.catalogue.read(listing.waiting, ids)
        who = question["person"] and wire.number("p", question["person"]["id"])
        left = [f"f{face}" for face in ids if face in waiting and waiting[face] == who]
        if left:
            yield {**question, "faces": left}


def _shown(api: Api, question: Mapping[str, Any]) -> dict[str, Any]:
    """A question with its first faces in full, and the known ones that speak for the person it asks about."""
    ids = [FaceId(wire.number("f", face)) for face in question["faces"]]
    first = [api.app.catalogue.read(faces.get, face) for face in ids[:SHOWN]]
    known = dict.fromkeys(other for face in first if face.suggestion for other in face.suggestion.because)
    some = views.shown_faces(api.app, ids)
    taken = [face["photo"]["taken"] for face in some if face["photo"]["taken"] is not None]
    return {
        "person": question["person"],
        "group": question["group"],
        "value": question["value"],
        "likely": question["likely"],
        "faces": question["faces"],
        "shown": some[:SHOWN],
        "known": views.shown_faces(api.app, list(known)[:KNOWN]),
        "taken": [min(taken), max(taken)] if taken else None,
    }


def _progress(api: Api, thought_of: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many of the faces that are worth a name have one, and how many questions lead to nearly all of them."""
    counts = api.app.catalogue.read(listing.by_state)
    named = counts.get(FaceState.CONFIRMED, 0) + counts.get(FaceState.AUTO, 0)
    sizes = [len(question["faces"]) for question in thought_of]
    worth, sum_, asked_ = named + sum(sizes), named, 0
    while sum_ < ENOUGH * worth:
        sum_ += sizes[asked_]
        asked_ += 1
    return {"named": named, "of": worth, "questions": len(sizes), "questions_to_enough": asked_, "enough": ENOUGH}


def split(api: Api, given: asked.Many) -> dict[str, Any]:
    """Some faces in two parts, for somebody who says that they are two people; nothing is said by that."""
    from kith.service import recognition  # slow to load, and most calls don't need it

    words = [item if isinstance(item, str) else item.id for item in given.faces]
    some = [face.id for face in commands.meant_by(api.app, words)]
    parts = recognition.in_two(api.app, packs.manifest(api.app), some)
    return {"parts": [[f"f{face}" for face in part] for part in parts]}


def doubts(api: Api, wanted: asked.Doubted) -> dict[str, Any]:
    """Answers that look wrong, the most doubtful first."""
    found: list[dict[str, Any]] = []
    if packs.in_use(api.app) is not None:
        found = views.doubts(api.app) if wanted.now else api.doubts.get(api.bus.version)
    page = _page("doubts", found, wanted, lambda doubt: (-float(doubt["gap"]), wire.number("f", doubt["face"])))
    return page | {"total": len(found)}


def merges(api: Api, _: asked.Shape) -> dict[str, Any]:
    """Who may be one person; those first that settle most faces."""
    return {"merges": [] if packs.in_use(api.app) is None else api.merges.get(api.bus.version)}


def disputes(api: Api, _: asked.Shape) -> dict[str, Any]:
    """Names that another program took away twice."""
    found = views.disputes(api.app)
    ids = [FaceId(wire.number("f", face["id"])) for face in found["faces"]]
    present = [
        {"person": {"id": there["id"], "name": there["name"]}, "path": there["photo"]} for there in found["present"]
    ]
    return {"faces": views.shown_faces(api.app, ids), "present": present}


# -- the rest -----------------------------------------------------------------------------------------------------


def history(api: Api, wanted: asked.Page) -> dict[str, Any]:
    """What was said, newest first."""
    place = wire.after(wanted.cursor, int)
    found = api.app.catalogue.read(journal.history, wanted.limit + 1, place[0] if place else None)
    page = found[: wanted.limit]
    return {
        "acts": [asdict(act) for act in page],
        "cursor": wire.cursor(page[-1].id) if len(found) > len(page) else None,
    }


def trouble(api: Api, wanted: asked.Page) -> dict[str, Any]:
    """What went wrong with which file."""
    found = views.troubles(api.app)
    return _page("trouble", found, wanted, lambda entry: (os.fsencode(entry["path"]).hex(), entry["stage"]))


def settings(api: Api, _: asked.Shape) -> dict[str, Any]:
    """The settings in effect."""
    return {"settings": msgspec.to_builtins(api.app.config), "file": str(api.app.paths.config_file)}


def folders(api: Api, _: asked.Shape) -> dict[str, Any]:
    """The folders that are watched, and others in which photos may be."""
    watched = api.control.status()["roots"]
    usual = [str(path) for path in paths.usual_for_photos()]
    return {"folders": watched, "usual": [path for path in usual if path not in {root["path"] for root in watched}]}


def models(api: Api, _: asked.Shape) -> dict[str, Any]:
    """The model packs there are."""
    return {"models": packs.listed(api.app)}


def job(api: Api, _: asked.Shape, number: str) -> dict[str, Any]:
    """How something goes that was started."""
    return {"job": api.control.job(wire.number("", number))}


# -- pages --------------------------------------------------------------------------------------------------------


def _page(
    name: str,
    entries: Iterable[dict[str, Any]],
    wanted: asked.Page,
    key: Callable[[Any], tuple[float | str, int | str]],
) -> dict[str, Any]:
    """One page in the order of `key`; the next begins behind its last entry, whatever came or went meanwhile."""
    ranked = sorted(entries, key=key)
    place = wire.after(wanted.cursor, *map(type, key(ranked[0]))) if ranked else None
    rest = _behind(ranked, place, key)
    page = list(islice(rest, wanted.limit))
    more = wire.cursor(*key(page[-1])) if page and next(rest, None) is not None else None
    return {name: page, "cursor": more}


def _behind(
    ranked: Iterable[dict[str, Any]], place: tuple[Any, ...] | None, key: Callable[[Any], tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    return (entry for entry in ranked if place is None or key(entry) > place)


def thought_of_questions(api: Api) -> list[dict[str, Any]]:
    """All questions, the answer that settles most faces first."""
    found = [question | {"first": question["faces"][0]} for question in views.questions(api.app)]
    return sorted(found, key=_question_key)
