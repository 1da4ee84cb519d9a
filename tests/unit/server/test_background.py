"""What goes on beside answering requests."""

from __future__ import annotations

import asyncio

from trivium.server.background import repeat, watch


async def test_a_step_that_fails_is_taken_again() -> None:
    taken: list[int] = []
    enough = asyncio.Event()

    async def step() -> None:
        taken.append(len(taken))
        if len(taken) == 1:
            raise OSError
        enough.set()

    task = asyncio.create_task(repeat("test", 0, step))
    await asyncio.wait_for(enough.wait(), 5)
    task.cancel()
    assert taken[:2] == [0, 1]


async def test_a_first_time_can_wait() -> None:
    taken: list[int] = []

    async def step() -> None:
        taken.append(len(taken))

    waits = asyncio.create_task(repeat("test", 3600, step, after=3600))
    at_once = asyncio.create_task(repeat("test", 3600, step))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert taken == [0]
    waits.cancel()
    at_once.cancel()


async def test_a_part_that_ends_by_a_fault_ends_the_server() -> None:
    stop = asyncio.Event()

    async def part() -> None:
        raise ValueError

    task = asyncio.create_task(part())
    watch(task, stop)
    await asyncio.wait_for(stop.wait(), 5)
    assert isinstance(task.exception(), ValueError)


async def test_a_part_that_is_done_or_told_to_end_ends_nothing_else() -> None:
    stop = asyncio.Event()

    async def short() -> None:
        pass

    async def endless() -> None:
        await asyncio.Event().wait()

    done, cancelled = asyncio.create_task(short()), asyncio.create_task(endless())
    watch(done, stop)
    watch(cancelled, stop)
    await done
    cancelled.cancel()
    await asyncio.wait({cancelled})
    await asyncio.sleep(0)
    assert not stop.is_set()
