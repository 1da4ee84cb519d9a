"""What goes on beside answering requests, each thing again and again until the server ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def repeat(name: str, seconds: float, step: Callable[[], Awaitable[object]]) -> None:
    """Take the step, wait so long, and again; one that fails is logged and taken again at its time."""
    while True:
        try:
            await step()
        except Exception:  # an edge: what fails once may go well the next time
            log.exception("background.failed", task=name)
        await asyncio.sleep(seconds)
