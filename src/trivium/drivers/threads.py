"""Threads for work on whole directories: a few at a time, and none keeps the server from ending."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
AT_ONCE: Final = 2


class DaemonThreads:
    """Runs functions that take minutes, beside the executor that short ones share.

    Its threads are daemons: what they had half done when the process ended is found and cleared by the next one.
    """

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function gives or raises. Where the wait is cancelled, the function goes on by itself."""
        async with self._room:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[T] = loop.create_future()

            def settle(result: T | None, error: BaseException | None) -> None:
                if future.done():
                    return
                if error is None:
                    future.set_result(result)  # pyright: ignore[reportArgumentType] - without an error it is a T
                else:
                    future.set_exception(error)

            def carry_out() -> None:
                result: T | None = None
                fault: BaseException | None = None
                try:
                    result = work(*args, **kwargs)
                except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
                    fault = error
                with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                    loop.call_soon_threadsafe(settle, result, fault)

            threading.Thread(target=carry_out, name="heavy", daemon=True).start()
            return await future
