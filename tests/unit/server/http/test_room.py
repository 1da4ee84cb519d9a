"""The room for large bodies: who gives way when it is full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trivium.server.http.room import Held, Room

LIMIT = 100


class Hall:
    """A room in which bodies grow."""

    def __init__(self, size: int) -> None:
        self.room = Room(size)
        self.gone: list[Held] = []

    def come(self, holder: int, size: int) -> Held:
        held = Held(holder, lambda: self.gone.append(held))
        self.room.grow(held, size, limit=LIMIT)
        return held


def test_what_fits_stays() -> None:
    hall = Hall(300)
    for holder in range(3):
        hall.come(holder, 100)
    assert (hall.gone, hall.room.taken) == ([], 300)


def test_who_holds_most_loses_what_came_first() -> None:
    hall = Hall(300)
    few, first, _ = hall.come(1, 90), hall.come(2, 60), hall.come(2, 60)
    hall.come(3, 95)
    assert hall.gone == [first]
    assert hall.room.taken == 90 + 60 + 95
    hall.room.grow(few, 100, limit=LIMIT)
    assert hall.gone == [first]


def test_whoever_fills_the_room_alone_crowds_out_only_themselves() -> None:
    hall = Hall(300)
    other = hall.come(1, 100)
    for _ in range(50):
        hall.come(2, 100)
    assert other not in hall.gone
    assert len(hall.gone) == 48


def test_what_is_whole_does_not_give_way_and_counts_until_it_leaves() -> None:
    hall = Hall(300)
    whole = [hall.come(1, 100) for _ in range(3)]
    for held in whole:
        hall.room.settle(held)
    late = hall.come(2, 50)
    assert hall.gone == [late]
    for held in whole:
        hall.room.leave(held)
        hall.room.leave(held)
    assert hall.room.taken == 0
    hall.come(2, 50)
    assert hall.gone == [late]


def test_a_body_may_be_as_large_as_its_dialect_says_also_where_that_is_more_than_the_room() -> None:
    hall = Hall(10)
    hall.come(1, LIMIT)
    assert hall.gone == []


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, LIMIT), st.booleans()), max_size=60))
def test_never_more_is_held_than_there_is_room_for(coming: list[tuple[int, int, bool]]) -> None:
    hall = Hall(250)
    here: list[Held] = []
    for holder, size, leaves in coming:
        here.append(hall.come(holder, size))
        if leaves:
            hall.room.leave(here.pop(0))
        assert hall.room.taken <= 250
        assert hall.room.taken == sum(held.size for held in here)
    assert len(hall.gone) == len(set(hall.gone))
