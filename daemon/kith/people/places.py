"""Where faces and photos are, by id, at four bytes an id."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

K = TypeVar("K", bound=int)
PAGE = 1024  # ids that lie together
NOWHERE = -1


class Places(MutableMapping[K, int]):
    """Slots by id. Ids are given one after the other, so those in use lie in pages that are mostly full."""

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}
        self._count = 0

    def __getitem__(self, key: K) -> int:
        slot = self._at(key)
        if slot == NOWHERE:
            raise KeyError(key)
        return slot

    def __setitem__(self, key: K, slot: int) -> None:
        page, row = divmod(key, PAGE)
        slots = self._pages.get(page)
        if slots is None:
            slots = self._pages[page] = array("i", [NOWHERE]) * PAGE
        self._count += slots[row] == NOWHERE
        slots[row] = slot

    def __delitem__(self, key: K) -> None:
        page, row = divmod(key, PAGE)
        if self._at(key) == NOWHERE:
            raise KeyError(key)
        self._pages[page][row] = NOWHERE
        self._count -= 1

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and self._at(key) != NOWHERE

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[K]:
        for page, slots in sorted(self._pages.items()):
            yield from (page * PAGE + row for row, slot in enumerate(slots) if slot != NOWHERE)  # type: ignore[misc]

    def _at(self, key: int) -> int:
        slots = self._pages.get(key // PAGE)
        return NOWHERE if slots is None else slots[key % PAGE]
