"""What notebooks keep for a user, and in a pool."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, func, select

from trivium.resources.notebooks.table import THERE, notebooks
from trivium.store import Read

COUNTED: Final = 1000
"""Notebooks up to which they are counted: more are many, whoever asks."""


class NotebookHoldings:
    """A user with notebooks cannot be deleted: fulfils `users.Holdings`."""

    def held_by(self, tx: Read, user: int) -> str | None:
        """How many notebooks the user has that are not gone; None when there are none."""
        return _told(tx, notebooks.c.owner_id == user)


class NotebookOccupants:
    """A pool with notebooks cannot be deleted: fulfils `shares.Occupants`."""

    def in_pool(self, tx: Read, pool: int) -> str | None:
        """How many notebooks are in the pool that are not gone, stopped ones too; None when there are none."""
        return _told(tx, notebooks.c.pool_id == pool)


def _told(tx: Read, which: ColumnElement[bool]) -> str | None:
    some = select(notebooks.c.id).where(which, THERE).limit(COUNTED + 1).subquery()
    count = tx.value(select(func.count()).select_from(some))
    if count > COUNTED:
        return f"more than {COUNTED} notebooks"
    return f"{count} notebook{'s' if count > 1 else ''}" if count else None
