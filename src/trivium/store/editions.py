"""Whether anything was committed: what is made of rows may be kept as long as that can be ruled out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy import text

from trivium.store.transactions import Read

SNAPSHOT: Final = text("SELECT pg_current_snapshot()::text")


def edition_of(tx: Read) -> str:
    """PostgreSQL's snapshot: which transactions are seen. Two equal ones see the same rows."""
    return str(tx.value(SNAPSHOT))


class Together:
    """One question for all who ask at the same time: whoever asks gets an answer that was not begun before."""

    def __init__(self, question: Callable[[], Awaitable[Any]]) -> None:
        self._question = question
        self._under_way: asyncio.Task[Any] | None = None
        self._next: asyncio.Task[Any] | None = None

    async def ask(self) -> Any:
        """The answer. Raises what the question raises."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._after(self._under_way))
        return await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[Any] | None) -> Any:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        return await self._question()
