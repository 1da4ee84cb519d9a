"""Ids: 63-bit snowflakes in the layout that SCNet's ids have, and how ids are written."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Final
from uuid import UUID

from trivium.base.clock import Clock, microseconds

SNOWFLAKE_EPOCH: Final = 1288834974657  # milliseconds; SCNet's documented ids decode with it
WORKERS: Final = 1024
SEQUENCES: Final = 4096
MOST_DIGITS: Final = 19
UUIDS: Final = 1024
"""UUIDs that are remembered as read: most requests name the same few projects."""


class Ids:
    """Gives ids that are unique while `worker` is ours alone, and that grow even when the clock goes back.

    An id is 41 bits of milliseconds, 10 bits of worker and 12 bits of sequence. `floor` is the largest id that is in
    use; no id at or below it is given. Safe to call from several threads.
    """

    def __init__(self, clock: Clock, worker: int, floor: int = 0) -> None:
        self._clock = clock
        self._worker = worker
        self._last = floor
        self._lock = threading.Lock()

    def next(self) -> int:
        """The next id, larger than every one before."""
        with self._lock:
            tick = microseconds(self._clock.now()) // 1000 - SNOWFLAKE_EPOCH
            candidate = (tick << 22) | (self._worker << 12)
            if candidate <= self._last:
                candidate = self._after(self._last)
            self._last = candidate
            return candidate

    def _after(self, last: int) -> int:
        """The smallest id of this worker above `last`: the next sequence, or the next millisecond's first."""
        own = (last >> 12) & (WORKERS - 1) == self._worker
        if own and (last & (SEQUENCES - 1)) + 1 < SEQUENCES:
            return last + 1
        return ((last >> 22) + 1 << 22) | (self._worker << 12)


def hex_of(value: UUID) -> str:
    """32 lower-case hex digits."""
    return value.hex


def uuid_of(text: str) -> UUID | None:
    """The UUID that 32 hex digits or the form with dashes name; None for anything else."""
    return _uuid_of(text) if len(text) in (32, 36) else None


@lru_cache(UUIDS)
def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def decimal_id(text: str) -> int | None:
    """The id that decimal text names; None for anything that no row can have."""
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        return None
    value = int(text)
    return value if 0 < value < 1 << 63 else None
