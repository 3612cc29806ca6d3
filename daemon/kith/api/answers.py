"""What a person says: each answer is one transaction that first looks whether what was answered is what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from kith.api import asked, wire
from kith.catalogue import Catalogue, faces, journal, listing, people
from kith.errors import BadRequest, NotFound, Stale
from kith.files import show
from kith.geometry import edges
from kith.service import commands, views
from kith.service.app import App
from kith.types import PERSON, Answer, Box, Decision, Face, FaceId, Person, PersonId, Photo, PhotoId

if TYPE_CHECKING:
    from kith.api.routes import Api

EDGE = 1e-6  # by how much rounding may put a box outside the photo

Which = Sequence[asked.Seen | str]


def say(api: Api, tell: Callable[[App], Any]) -> dict[str, Any]:
    """Say something in one transaction; gives what that settled, besides what `tell` gives."""
    app = api.app

    def within(catalogue: Catalogue) -> dict[str, Any]:
        result = tell(replace(app, catalogue=catalogue))
        act = catalogue.read(journal.history, 1)[0].id
        count, reached = catalogue.read(listing.reach, act)
        photos = [{"id": photo, "rev": rev} for photo, rev in reached]
        return {"act": act, "faces": count, "photos": photos} | _also(catalogue, result)

    settled = app.catalogue.together(within)
    api.control.wake()
    return settled


def _also(catalogue: Catalogue, result: Any) -> dict[str, Any]:
    match result:
        case Person():
            return {"person": views.somebody(catalogue.read(people.get, result.id))}
        case dict():
            return result
    return {}


def _seen(app: App, which: Which) -> list[str]:
    """The ids of what is answered. Raises Stale where a face was seen at another revision of its photo."""
    words = []
    for item in which:
        seen = asked.Seen(id=item) if isinstance(item, str) else item
        if seen.rev is not None:
            face = app.catalogue.read(faces.get, FaceId(wire.number("f", seen.id)))
            _not_stale(app, face.photo, seen.rev, seen.id)
        words.append(seen.id)
    return words


def _not_stale(app: App, photo: PhotoId, rev: int | None, what: str) -> None:
    now = app.catalogue.read(listing.facts, [photo])[photo].rev
    if rev not in (None, now):
        raise Stale(f"What is known of {what} has changed meanwhile; look again.")


def _one(face: str, rev: int | None) -> Which:
    return [asked.Seen(id=f"f{wire.number('f', face)}", rev=rev)]


# -- of faces -----------------------------------------------------------------------------------------------------


def name(api: Api, which: Which, called: str) -> dict[str, Any]:
    """These faces are the person called so."""
    return say(api, lambda app: commands.name(app, _seen(app, which), called)[0])


def confirm(api: Api, which: Which, person: str | None) -> dict[str, Any]:
    """The suggestions are right; with a person, these faces are that one."""

    def tell(app: App) -> Person | None:
        words = _seen(app, which)
        if person is None:
            commands.confirm(app, words)
            return None
        return commands.name(app, words, _person(app, person).name)[0]

    return say(api, tell)


def reject(api: Api, which: Which, person: str | None) -> dict[str, Any]:
    """These faces are not who they are taken for; with a person, not that one."""

    def tell(app: App) -> None:
        words = _seen(app, which)
        if person is None:
            commands.reject(app, words)
            return
        who = _person(app, person)
        wrong = [(face.id, who.id) for face in commands.meant_by(app, words)]
        said = f"reject {' '.join(words)} {who.name}"
        app.catalogue.write(journal.answer, wrong, Answer.REJECTED, PERSON, said)

    return say(api, tell)


def dismiss(api: Api, which: Which, kind: Answer) -> dict[str, Any]:
    """These faces are strangers, or no faces."""
    return say(api, lambda app: commands.dismiss(app, _seen(app, which), kind))


def name_one(api: Api, given: asked.NameOne, face: str) -> dict[str, Any]:
    return name(api, _one(face, given.rev), given.name)


def confirm_one(api: Api, given: asked.AboutOne, face: str) -> dict[str, Any]:
    return confirm(api, _one(face, given.rev), given.person)


def reject_one(api: Api, given: asked.AboutOne, face: str) -> dict[str, Any]:
    return reject(api, _one(face, given.rev), given.person)


def ignore_one(api: Api, given: asked.One, face: str) -> dict[str, Any]:
    return dismiss(api, _one(face, given.rev), Answer.IGNORED)


def not_a_face_one(api: Api, given: asked.One, face: str) -> dict[str, Any]:
    return dismiss(api, _one(face, given.rev), Answer.NOT_A_FACE)


def name_many(api: Api, given: asked.NameMany) -> dict[str, Any]:
    return name(api, given.faces, given.name)


def confirm_many(api: Api, given: asked.AboutMany) -> dict[str, Any]:
    return confirm(api, given.faces, given.person)


def reject_many(api: Api, given: asked.AboutMany) -> dict[str, Any]:
    return reject(api, given.faces, given.person)


def ignore_many(api: Api, given: asked.Many) -> dict[str, Any]:
    return dismiss(api, given.faces, Answer.IGNORED)


def not_a_face_many(api: Api, given: asked.Many) -> dict[str, Any]:
    return dismiss(api, given.faces, Answer.NOT_A_FACE)


def reopen_many(api: Api, given: asked.Many) -> dict[str, Any]:
    """These faces are to be asked about again."""
    return say(api, lambda app: commands.reopen(app, _seen(app, given.faces)))


def divide(api: Api, given: asked.Divide) -> dict[str, Any]:
    """The faces of one part are somebody else than those of the other."""
    one, other = given.parts
    return say(api, lambda app: commands.divide(app, _seen(app, one), _seen(app, other)))


def feature(api: Api, given: asked.One, face: str) -> dict[str, Any]:
    """This face shows the person it is."""
    return say(api, lambda app: commands.feature(app, _seen(app, _one(face, given.rev))[0]))


def move(api: Api, given: asked.PlaceOne, face: str) -> dict[str, Any]:
    """This face is elsewhere on its photo."""
    box = _inside(given.box)

    def tell(app: App) -> dict[str, Any]:
        (word,) = _seen(app, _one(face, given.rev))
        (moved,) = commands.meant_by(app, [word])
        decision = replace(app.catalogue.read(journal.about, moved.id, Answer.MOVED), to=box)
        app.catalogue.write(journal.say, [decision], PERSON, f"move {word}")
        return {"face": views.shown_faces(app, [moved.id])[0]}

    return say(api, tell)


# -- of photos ----------------------------------------------------------------------------------------------------


def draw(api: Api, given: asked.DrawOne, photo: str) -> dict[str, Any]:
    """There is a face in this box of a photo, and whose it is if that is known."""
    box = _inside(given.box)

    def tell(app: App) -> dict[str, Any]:
        known = _photo(app, wire.number("", photo), given.rev)
        if not known.width:
            raise BadRequest(f"{show(known.path)} has not been analysed yet.")
        said = f"draw {show(known.path)}" + (f" {people.clean(given.name)}" if given.name is not None else "")
        app.catalogue.write(journal.draw, known.content_key, box, given.name, PERSON, said)
        drawn = min(app.catalogue.read(faces.on_photo, known.id), key=lambda face: _distance(face, box))
        return {"face": views.shown_faces(app, [drawn.id])[0]}

    return say(api, tell)


def tag_one(api: Api, given: asked.NameOne, photo: str) -> dict[str, Any]:
    return tag(api, [asked.SeenPhoto(id=wire.number("", photo), rev=given.rev)], given.name)


def untag_one(api: Api, given: asked.NameOne, photo: str) -> dict[str, Any]:
    return untag(api, [asked.SeenPhoto(id=wire.number("", photo), rev=given.rev)], given.name)


def tag_many(api: Api, given: asked.TagMany) -> dict[str, Any]:
    return tag(api, given.photos, given.name)


def untag_many(api: Api, given: asked.TagMany) -> dict[str, Any]:
    return untag(api, given.photos, given.name)


def absent_many(api: Api, given: asked.AbsentMany) -> dict[str, Any]:
    """Somebody is on none of these photos. Raises NotFound where that is so already."""

    def tell(app: App) -> Person:
        known, person = _photos(app, given.photos), _person(app, given.person)
        if not app.catalogue.write(journal.absent, known, person.id, PERSON, f"absent {_shown(known)} {person.name}"):
            raise NotFound(f"{person.name} is on none of these photos anyway.", person.name)
        return person

    return say(api, tell)


def tag(api: Api, which: Sequence[asked.SeenPhoto | int], called: str) -> dict[str, Any]:
    """Somebody is on these photos without a face that shows it."""

    def tell(app: App) -> Person:
        known = _photos(app, which)
        person = app.catalogue.write(people.named, called)
        said = f"tag {_shown(known)} {people.clean(called)}"
        told = [Decision(Answer.PRESENT, photo.content_key, person=person) for photo in known]
        app.catalogue.write(journal.say, told, PERSON, said)
        return Person(person, called)

    return say(api, tell)


def untag(api: Api, which: Sequence[asked.SeenPhoto | int], called: str) -> dict[str, Any]:
    """Somebody is not on these photos after all. Raises NotFound where they are on none without a face."""

    def tell(app: App) -> Person:
        person = app.catalogue.read(people.called, called)
        known = [photo for photo in _photos(app, which) if _is_present(app, photo, person.id)]
        if not known:
            raise NotFound(
                f"{person.name} is not there without a face; where a face is taken for them, reject that.", person.name
            )
        told = [Decision(Answer.ABSENT, photo.content_key, person=person.id) for photo in known]
        app.catalogue.write(journal.say, told, PERSON, f"untag {_shown(known)} {person.name}")
        return person

    return say(api, tell)


def _is_present(app: App, photo: Photo, person: PersonId) -> bool:
    return person in {there.person.id for there in app.catalogue.read(people.present, photo.content_key)}


def _photos(app: App, which: Sequence[asked.SeenPhoto | int]) -> list[Photo]:
    seen = [asked.SeenPhoto(id=item) if isinstance(item, int) else item for item in which]
    return list({item.id: _photo(app, item.id, item.rev) for item in seen}.values())


def _photo(app: App, number: int, rev: int | None) -> Photo:
    known = app.catalogue.read(listing.photo, number)
    _not_stale(app, known.id, rev, show(known.path))
    return known


def _shown(known: Sequence[Photo]) -> str:
    return show(known[0].path) if len(known) == 1 else f"{len(known)} photos"


def _inside(area: asked.Area) -> Box:
    left, top, right, bottom = edges([area.box()])[0]
    if min(left, top) < -EDGE or max(right, bottom) > 1 + EDGE:
        raise BadRequest("The box has to lie inside the photo: x and y are its centre, in fractions of the photo.")
    return area.box()


def _distance(face: Face, box: Box) -> float:
    return abs(face.box.x - box.x) + abs(face.box.y - box.y) + abs(face.box.w - box.w) + abs(face.box.h - box.h)


# -- of people ----------------------------------------------------------------------------------------------------


def _person(app: App, number: str) -> Person:
    return app.catalogue.read(listing.person, PersonId(wire.number("p", number)))


def rename(api: Api, given: asked.Rename, person: str) -> dict[str, Any]:
    """What a person is really called."""
    return say(api, lambda app: commands.rename(app, _person(app, person).name, given.name))


def merge(api: Api, given: asked.Into, person: str) -> dict[str, Any]:
    """Two people are one, who keeps the name of the one merged `into`."""
    return say(api, lambda app: commands.merge(app, _person(app, person).name, _person(app, given.into).name))


def tell_apart(api: Api, given: asked.Other, person: str) -> dict[str, Any]:
    """Two people are two."""
    return say(api, lambda app: commands.tell_apart(app, _person(app, person).name, _person(app, given.other).name))


def born(api: Api, given: asked.Born, person: str) -> dict[str, Any]:
    """When a person was born; an empty day: it isn't known."""
    return say(api, lambda app: commands.born(app, _person(app, person).name, given.day))


def hide(api: Api, given: asked.Shape, person: str) -> dict[str, Any]:
    return say(api, lambda app: commands.hide(app, _person(app, person).name, away=True))


def unhide(api: Api, given: asked.Shape, person: str) -> dict[str, Any]:
    return say(api, lambda app: commands.hide(app, _person(app, person).name, away=False))


def undo(api: Api, given: asked.Undo) -> dict[str, Any]:
    """Take back the last answer, or an entry of the history; taking that back again brings the answer back."""
    return say(api, lambda app: {"undone": asdict(replace(commands.undo(app, given.act), live=False))})
