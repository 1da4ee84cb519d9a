"""Threads for work on whole directories: a few at a time, and none keeps the server from ending."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
AT_ONCE: Final = 2
NICE: Final = 10
SET_IO_PRIORITY: Final = {"x86_64": 251, "aarch64": 30}
"""The number of ioprio_set(2), which the C library has no function for."""

OWN_THREAD: Final = (1, 0)
LOWEST: Final = 2 << 13 | 7
"""The last of the eight best-effort classes: what waits for the disk besides comes first, but this is never starved."""


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


def give_way() -> None:
    """Let all others have processors and disks before the calling thread, for the rest of its life."""
    os.nice(NICE)  # of this thread, as Linux has it
    number = SET_IO_PRIORITY.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None).syscall(number, *OWN_THREAD, LOWEST)
