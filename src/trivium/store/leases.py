"""Leases on rows: who works on something, until when. Used by workers of every room."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Column, Table, or_, update

from trivium.store.columns import Instant, text
from trivium.store.transactions import Write

LEASE: Final = timedelta(seconds=30)


def lease_columns() -> tuple[Column[Any], ...]:
    """The columns of a table whose rows workers lease."""
    return (Column("leased_by", text()), Column("leased_until", Instant))


def take(tx: Write, table: Table, row: int, *, holder: str) -> bool:
    """Lease the row for `LEASE`, unless another holds it; the same holder takes it again."""
    free = or_(table.c.leased_until.is_(None), table.c.leased_until < tx.now, table.c.leased_by == holder)
    values = {"leased_by": holder, "leased_until": tx.now + LEASE}
    return tx.run(update(table).where(table.c.id == row, free).values(values)) == 1


def is_held(tx: Write, table: Table, row: int, *, holder: str) -> bool:
    """Whether the lease is still the holder's; the row stays locked until the transaction ends."""
    found = tx.lock(table.select().where(table.c.id == row, table.c.leased_by == holder))
    return found is not None


def release(tx: Write, table: Table, row: int, *, holder: str) -> None:
    """End the lease, if it is still the holder's."""
    mine = (table.c.id == row, table.c.leased_by == holder)
    tx.run(update(table).where(*mine).values(leased_by=None, leased_until=None))
