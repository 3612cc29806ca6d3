"""People a photo is said to show without saying where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from kith_xmp import keywords, names
from kith_xmp.settings import Settings


def named(lists: Mapping[str, tuple[str, ...]], known: Collection[str], settings: Settings) -> tuple[str, ...]:
    """Everybody whom PersonInImage, a path under the people root, or a known bare keyword names."""
    found: list[str] = []
    for one in keywords.LISTS:
        for text in lists.get(one.name, ()):
            if one.name == keywords.PERSON_IN_IMAGE:
                who = names.person(text, settings.nobody)
            else:
                who = keywords.person_of(text, one, settings)
            if who:
                found.append(who)
    knows = {names.key(k) for k in known}
    found += [names.clean(k) for k in lists.get("subject", ()) if names.key(names.clean(k)) in knows]
    return names.unique(found)


def without_box(everybody: Iterable[str], with_box: Iterable[str | None]) -> tuple[str, ...]:
    """Those of `everybody` who have no region."""
    boxed = {names.key(n) for n in with_box}
    return tuple(n for n in names.unique(everybody) if names.key(n) not in boxed)
