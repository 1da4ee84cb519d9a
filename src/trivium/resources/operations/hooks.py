"""Telling those who asked for it that an operation has ended, as often as it takes and not for ever.

Whoever takes an operation to tell of has the time until the next try to do so; where they die meanwhile, somebody else
tries then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import select, update

from trivium.base.values import Value
from trivium.resources.operations.table import operation_of, operations
from trivium.resources.operations.types import Operation
from trivium.store import Read, Write

TRIES: Final = 8
PAUSE: Final = timedelta(seconds=15)
"""Until the second try; each later pause is twice as long."""

AT_ONCE: Final = 16
TELLING: Final = 7_239_514_605_131_043
"""The number of the lock on choosing what to tell."""


class Hook(Value, frozen=True):
    """An operation that ended, and the address to tell it to."""

    operation: Operation
    address: str


def any_due(tx: Read) -> bool:
    """Whether there is something to tell now."""
    return tx.value(select(operations.c.id).where(operations.c.hook_due <= tx.now).limit(1)) is not None


def take_due(tx: Write) -> Sequence[Hook]:
    """What is to be told now, `AT_ONCE` at most; the same is not taken again before its next try is due."""
    if not tx.try_advisory_lock(TELLING):
        return []
    due = select(operations).where(operations.c.hook_due <= tx.now).order_by(operations.c.hook_due).limit(AT_ONCE)
    rows = tx.all(due)
    for row in rows:
        tries = row.hook_tries + 1
        again = None if tries >= TRIES else tx.now + PAUSE * 2**row.hook_tries
        tx.run(update(operations).where(operations.c.id == row.id).values(hook_tries=tries, hook_due=again))
    return [Hook(operation=operation_of(row), address=row.hook) for row in rows]


def note_told(tx: Write, id: int) -> None:
    """It was told, and need not be again."""
    tx.run(update(operations).where(operations.c.id == id).values(hook_due=None))
