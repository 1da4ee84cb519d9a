"""What goes on beside answering requests, each thing again and again until the server ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from trivium.base.errors import Unavailable

log = structlog.get_logger()


async def repeat(name: str, seconds: float, step: Callable[[], Awaitable[object]], *, after: float = 0.0) -> None:
    """Take the step, wait so long, and again; one that fails is logged and taken again at its time.

    `after`: seconds before the first time.
    """
    await asyncio.sleep(after)
    while True:
        try:
            await step()
        except Unavailable as error:
            log.warning("background.waits", task=name, error=str(error))
        except Exception:  # an edge: what fails once may go well the next time
            log.exception("background.failed", task=name)
        await asyncio.sleep(seconds)


async def once(name: str, seconds: float, step: Callable[[], Awaitable[object]]) -> None:
    """Take the step; while something that it needs is away, wait so long and take it again. Raises its faults."""
    while True:
        try:
            await step()
        except Unavailable as error:
            log.warning("background.waits", task=name, error=str(error))
        else:
            return
        await asyncio.sleep(seconds)


def watch(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Set `stop` when the task ends by a fault: a server that lacks one of its parts ends as a whole."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background.ended", task=task.get_name(), exc_info=error)
            stop.set()

    task.add_done_callback(ended)
