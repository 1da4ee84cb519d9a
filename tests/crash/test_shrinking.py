"""A failing run of the crash tests is made small."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.crash.shrinking import Befalls, Plan, Shrinker, smallest

WHOLE = Plan(seed=7, rounds=tuple(range(1, 41)), hands=("a", "b", "c", "d"))


@pytest.mark.parametrize("needed", [(), (0,), (39,), (3, 17), (0, 1, 2, 39), tuple(range(40))])
def test_what_is_not_needed_is_left_out(needed: Sequence[int]) -> None:
    assert smallest(range(40), lambda part: set(needed) <= set(part)) == tuple(needed)


def test_the_smallest_run_has_the_rounds_the_hands_and_the_faults_that_are_needed() -> None:
    def breaks(plan: Plan) -> bool:
        return {30, 38} <= set(plan.rounds) and "c" in plan.hands and Befalls.KEEPER in plan.befalls

    shrunk = Shrinker(breaks, seconds=60).shrink(WHOLE)
    assert shrunk.plan == Plan(seed=7, rounds=(30, 38), hands=("c",), befalls=(Befalls.KEEPER,))
    assert shrunk.reproduced


def test_a_run_that_breaks_now_and_then_is_tried_again() -> None:
    asked: list[Plan] = []

    def breaks(plan: Plan) -> bool:
        asked.append(plan)
        return 40 in plan.rounds and asked.count(plan) > 1

    shrunk = Shrinker(breaks, seconds=60).shrink(WHOLE)
    assert (shrunk.plan.rounds, shrunk.plan.hands, shrunk.plan.befalls) == ((40,), (), ())


def test_one_that_never_breaks_again_stays_whole_and_says_so() -> None:
    shrunk = Shrinker(lambda _: False, seconds=60).shrink(WHOLE)
    assert (shrunk.plan, shrunk.reproduced) == (WHOLE, False)


def test_when_time_is_over_nothing_more_is_tried() -> None:
    shrunk = Shrinker(lambda _: True, seconds=0).shrink(WHOLE)
    assert (shrunk.plan, shrunk.attempts) == (WHOLE, 0)
