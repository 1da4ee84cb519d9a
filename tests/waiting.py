"""Waiting in tests: poll for a condition until a deadline, never for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
STEP = 0.02


def until(condition: Callable[[], T], *, within: float = 20.0, what: str = "the condition") -> T:
    """The first truthy value of `condition`, asked again and again; AssertionError when `within` seconds are over."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        left = deadline - time.monotonic()
        if left <= 0:
            message = f"{what} did not come true within {within} s; last value: {value!r}"
            raise AssertionError(message)
        time.sleep(min(STEP, left))


async def until_async(condition: Callable[[], Awaitable[T]], *, within: float = 20.0, what: str = "the condition") -> T:
    """The same for a condition that is awaited."""
    deadline = time.monotonic() + within
    while True:
        value = await condition()
        if value:
            return value
        left = deadline - time.monotonic()
        if left <= 0:
            message = f"{what} did not come true within {within} s; last value: {value!r}"
            raise AssertionError(message)
        await asyncio.sleep(min(STEP, left))
