"""One question for all who ask at the same time, and none that was begun before one of them asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from trivium.store.single_flight import SingleFlight


async def test_who_asks_while_a_question_is_under_way_gets_a_later_one() -> None:
    begun = 0
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def question(_wanted: Sequence[int]) -> int:
        nonlocal begun
        begun += 1
        under_way.set()
        mine = begun
        await go_on.wait()
        return mine

    together = SingleFlight(question)
    first = asyncio.create_task(together.ask())
    await under_way.wait()
    others = [asyncio.create_task(together.ask()) for _ in range(5)]
    await asyncio.sleep(0)
    assert begun == 1
    go_on.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [2] * 5
    assert await together.ask() == 3


async def test_a_question_that_fails_fails_for_those_who_asked_it_and_for_nobody_else() -> None:
    failures = [ValueError("once")]

    async def question(_wanted: Sequence[int]) -> str:
        if failures:
            raise failures.pop()
        return "fine"

    together = SingleFlight(question)
    asked = await asyncio.gather(together.ask(), together.ask(), return_exceptions=True)
    assert [type(one) for one in asked] == [ValueError, ValueError]
    assert await together.ask() == "fine"


async def test_who_stops_waiting_takes_the_answer_from_nobody() -> None:
    go_on = asyncio.Event()

    async def question(_wanted: Sequence[int]) -> str:
        await go_on.wait()
        return "fine"

    together = SingleFlight(question)
    one, other = asyncio.create_task(together.ask()), asyncio.create_task(together.ask())
    await asyncio.sleep(0)
    one.cancel()
    go_on.set()
    assert await other == "fine"
    with pytest.raises(asyncio.CancelledError):
        await one


async def test_what_several_want_is_asked_once() -> None:
    asked: list[Sequence[int]] = []

    async def question(wanted: Sequence[int]) -> None:
        asked.append(wanted)

    together = SingleFlight(question)
    await asyncio.gather(together.ask(), together.ask([1]), together.ask([2, 1]))
    assert asked == [(1, 2)]
