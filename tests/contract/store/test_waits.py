"""Whoever watches the store hears how long each use of it waited for its thread."""

from __future__ import annotations

import asyncio
import threading

from tests.waiting import until_async
from trivium.base.clock import SystemClock
from trivium.store import Read, Store, Write


async def test_each_use_tells_what_it_was_and_how_long_it_waited(tmp_path: object) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/trivium.db", SystemClock(), "cli")
    waits: list[tuple[str, float]] = []
    store.on_wait = lambda use, seconds: waits.append((use, seconds))
    began, go_on = threading.Event(), threading.Event()

    def long(_tx: Write) -> None:
        began.set()
        go_on.wait()

    def short(_tx: Read) -> None:
        """Nothing."""

    try:
        first = asyncio.create_task(store.write(long))
        second = asyncio.create_task(store.write(short))
        await until_async(lambda: asyncio.to_thread(began.is_set))
        await store.search(short)
        go_on.set()
        await asyncio.gather(first, second)
    finally:
        go_on.set()
        store.close()
    assert [use for use, _ in waits] == ["write", "search", "write"]
    assert waits[2][1] > waits[0][1]
