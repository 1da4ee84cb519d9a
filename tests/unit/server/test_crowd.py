"""Who gives way, who is turned away, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from trivium.server.crowd import APIS, BLIND, LINGERING, NOTEBOOKS, QUIET, STALLED, Crowd, Crowding, holder_of, room

HERE = "127.0.0.1"


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class One:
    """A client's connection; idle from its beginning unless told otherwise."""

    is_owing = False

    def __init__(self, time: Time) -> None:
        self.idle_since: float | None = time()
        self.stuck_since: float | None = None
        self.gone = False

    def untaken_since(self, now: float) -> float | None:
        del now
        return self.stuck_since

    def give_way(self) -> None:
        self.gone = True


class Hall:
    """A crowd of at most `most`, and what it counts."""

    def __init__(self, most: int) -> None:
        self.time = Time()
        self.counts = Crowding()
        log: Any = structlog.get_logger()
        self.crowd = Crowd("apis", most, counts=self.counts, log=log, now=self.time)

    def come(self, peer: str = HERE, *, busy: bool = False) -> One:
        """One more, a second after the last; `gone` where there was no room."""
        self.time.now += 1
        one = One(self.time)
        one.gone = not self.crowd.admits(one, peer)
        if busy:
            one.idle_since = None
        return one


@pytest.mark.parametrize("descriptors", [64, 256, 1024, 4096, 20_000, 65_536, 1 << 30])
def test_both_listeners_together_leave_descriptors_for_the_rest(descriptors: int) -> None:
    found = room(descriptors)
    assert 0 < found.apis < found.notebooks
    assert 2 * (found.apis + found.notebooks) <= descriptors * 3 // 4 or descriptors >= 4 * 2048
    assert 2 * (found.apis + found.notebooks) <= descriptors - min(2048, descriptors // 4)


def test_with_descriptors_enough_a_listener_has_its_most() -> None:
    for descriptors in (65_536, -1):  # the latter: there is no limit
        assert (room(descriptors).apis, room(descriptors).notebooks) == (APIS, NOTEBOOKS)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", "unknown"])
def test_this_machine_is_nobody_in_particular(peer: str) -> None:
    assert holder_of(peer) is None


def test_an_address_of_ipv6_is_counted_with_its_network() -> None:
    assert holder_of("2001:db8::1") == holder_of("2001:db8::ffff:2") != holder_of("2001:db8:0:1::1")
    assert holder_of("::ffff:10.0.0.1") == holder_of("10.0.0.1") != holder_of("10.0.0.2")
    assert holder_of("fe80::1%lo") == holder_of("fe80::2%lo")


def test_who_was_used_last_stays_longest() -> None:
    hall = Hall(3)
    first, second, third = hall.come(), hall.come(), hall.come()
    hall.time.now += 1
    first.idle_since = third.idle_since = hall.time()
    hall.time.now += 1
    third.idle_since = hall.time()
    comers = [hall.come(), hall.come(), hall.come()]
    assert [one.gone for one in (first, second, third)] == [True, True, True]
    assert [one.gone for one in comers] == [False, False, False]
    assert hall.come().gone is False
    assert [one.gone for one in comers] == [True, False, False]


def test_a_newcomer_outlasts_all_who_asked_before_it() -> None:
    hall = Hall(10)
    crowd = [hall.come() for _ in range(10)]
    for one in crowd:
        hall.time.now += 1
        one.idle_since = hall.time()  # each had a request since
    newcomer = hall.come()
    for _ in range(9):
        hall.come()
    assert [one.gone for one in crowd] == [True] * 10
    assert newcomer.gone is False


def test_who_is_busy_stays_and_the_newcomer_is_turned_away() -> None:
    hall = Hall(2)
    busy = [hall.come(busy=True), hall.come(busy=True)]
    assert hall.come().gone is True
    assert [one.gone for one in busy] == [False, False]
    busy[1].idle_since = hall.time()
    hall.time.now += BLIND
    assert hall.come().gone is False
    assert [one.gone for one in busy] == [False, True]
    assert (hall.counts.displaced, hall.counts.refused) == (1, 1)


def test_who_rests_since_this_very_moment_gives_way() -> None:
    hall = Hall(2)
    hall.come(busy=True)
    idle = hall.come()
    idle.idle_since = hall.time() + 1  # when the next one comes
    assert hall.come().gone is False
    assert idle.gone is True


def test_who_owes_a_body_gives_way_where_nobody_is_idle() -> None:
    hall = Hall(2)
    owing, idle = hall.come(busy=True), hall.come()
    owing.is_owing = True
    hall.come(busy=True)
    assert (owing.gone, idle.gone) == (False, True)
    assert hall.come().gone is False
    assert owing.gone is True


def test_who_does_not_take_the_answer_is_idle_after_a_while() -> None:
    hall = Hall(2)
    stuck, slow = hall.come(busy=True), hall.come(busy=True)
    stuck.stuck_since = slow.stuck_since = hall.time()
    assert hall.come().gone is True
    hall.time.now += STALLED
    slow.stuck_since = hall.time()  # it took some
    assert hall.come().gone is False
    assert (stuck.gone, slow.gone) == (True, False)


def test_of_the_stuck_and_the_idle_the_one_who_did_something_last_stays() -> None:
    hall = Hall(3)
    idle, stuck, slow = hall.come(), hall.come(busy=True), hall.come(busy=True)
    stuck.stuck_since = hall.time()
    hall.time.now += STALLED
    slow.stuck_since = hall.time()
    comers = [hall.come(), hall.come(), hall.come()]
    assert [one.gone for one in (idle, stuck, slow)] == [True, True, False]
    assert [one.gone for one in comers] == [True, False, False]


def test_who_has_taken_the_answer_at_last_is_idle_from_then_on() -> None:
    hall = Hall(2)
    late, idle = hall.come(busy=True), hall.come()
    late.stuck_since = hall.time()
    hall.time.now += STALLED
    late.stuck_since, late.idle_since = None, hall.time()
    hall.come()
    assert (late.gone, idle.gone) == (False, True)


def test_one_address_has_half_of_the_room() -> None:
    hall = Hall(8)
    other = hall.come("10.0.0.1")
    greedy = [hall.come("10.0.0.2") for _ in range(6)]
    assert [one.gone for one in greedy] == [True, True, False, False, False, False]
    assert other.gone is False
    for one in greedy:
        one.idle_since = None
    assert hall.come("10.0.0.2").gone is True
    assert hall.come("10.0.0.3").gone is False
    local = [hall.come() for _ in range(20)]
    assert sum(not one.gone for one in local) == 4


def test_who_has_left_takes_no_room() -> None:
    hall = Hall(4)
    for _ in range(3):
        crowd = [hall.come("10.0.0.2", busy=True) for _ in range(2)]
        assert [one.gone for one in crowd] == [False, False]
        for one in crowd * 2:
            hall.crowd.left(one)
    assert hall.counts.displaced == hall.counts.refused == 0


def test_of_many_who_come_and_leave_nothing_is_kept() -> None:
    hall = Hall(4)
    for _ in range(10_000):
        hall.crowd.left(hall.come("10.0.0.2"))
    held = hall.crowd.__dict__
    assert len(held["_all"].__dict__["_order"]) <= 2 * LINGERING
    assert held["_holders"] == held["_from"] == {}


def test_those_who_are_turned_away_linger_in_small_numbers() -> None:
    hall = Hall(1)
    hall.come(busy=True)
    turned = [One(hall.time) for _ in range(LINGERING + 5)]
    assert not any(hall.crowd.admits(one, HERE) for one in turned)
    assert [one.gone for one in turned] == [True] * 5 + [False] * LINGERING


def test_a_full_listener_is_told_of_now_and_then_with_all_since() -> None:
    hall = Hall(1)
    with capture_logs() as lines:
        hall.come()
        for _ in range(5):
            hall.come()
        hall.time.now += QUIET
        hall.come()
    told = [(line["event"], line["listener"], line["most"], line["displaced"], line["refused"]) for line in lines]
    assert told == [("listener.full", "apis", 1, 1, 0), ("listener.full", "apis", 1, 5, 0)]
