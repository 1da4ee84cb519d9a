"""Coalescing of concurrent calls: one call serves every caller that was waiting when it began."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs a call once for all that ask while the call before it is in progress.

    Nobody gets the result of a call that began before they asked.
    """

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._in_progress: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def ask(self) -> T:
        """The call's result. Raises what the call raises."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._after(self._in_progress))
        return await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._in_progress, self._next = self._next, None
        return await self._call()
