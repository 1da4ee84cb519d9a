"""Coalescing of concurrent calls: one call serves every caller that was waiting when it began."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
W = TypeVar("W", bound=Hashable)


class SingleFlight(Generic[W, T]):
    """Runs a call once for all that ask while the call before it is in progress.

    The call is given what all of them want, each once. Nobody gets the result of a call that began before they asked.
    """

    def __init__(self, call: Callable[[Sequence[W]], Awaitable[T]]) -> None:
        self._call = call
        self._waiting: list[tuple[Sequence[W], asyncio.Future[T]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def ask(self, wanted: Sequence[W] = ()) -> T:
        """The call's result. Raises what the call raises."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        self._waiting.append((wanted, result))
        if self._runner is None:
            self._runner = loop.create_task(self._run())
        return await result

    async def _run(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._serve(waiting)
        finally:
            self._runner = None

    async def _serve(self, waiting: Sequence[tuple[Sequence[W], asyncio.Future[T]]]) -> None:
        wanted = tuple(dict.fromkeys(one for each, _ in waiting for one in each))
        try:
            found = await self._call(wanted)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised to those who asked
            for _, result in waiting:
                if not result.done():  # cancelled
                    result.set_exception(error)
        else:
            for _, result in waiting:
                if not result.done():
                    result.set_result(found)
