"""Places are a dictionary of whole numbers, only smaller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kith.people.places import PAGE, Places

IDS = st.integers(0, 3) | st.integers(PAGE - 2, PAGE + 2) | st.integers(0, 2**40)


@given(st.lists(st.tuples(IDS, st.none() | st.integers(0, 1000))))
def test_places_hold_what_a_dictionary_holds(said) -> None:
    places: Places[int] = Places()
    held: dict[int, int] = {}
    for key, slot in said:
        if slot is not None:
            places[key] = held[key] = slot
        elif key in held:
            del places[key], held[key]
        else:
            with pytest.raises(KeyError):
                del places[key]
        assert (key in places, places.get(key), len(places)) == (key in held, held.get(key), len(held))
    assert dict(places) == held
    assert list(places) == sorted(held)
