"""Time, handed in: UTC for what is kept, monotonic seconds for how long something takes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, whatever is done to the wall clock."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The kernel's monotonic clock."""
        return time.monotonic()


class ManualClock:
    """A clock that is moved by hand."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Where the clock was put."""
        return self._now

    def monotonic(self) -> float:
        """Seconds by which the clock was moved forward in all."""
        return self._monotonic

    def move(self, by: timedelta) -> None:
        """Move the wall clock; a move forward is time that passes, a move back is a clock that was set."""
        self._now += by
        self._monotonic += max(by.total_seconds(), 0.0)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970, as times are kept in the store."""
    return (at - EPOCH) // MICROSECOND


def instant(count: int) -> datetime:
    """The time that `microseconds` gave, in UTC."""
    return EPOCH + timedelta(microseconds=count)
