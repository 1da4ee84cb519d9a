"""What notebooks keep from being deleted: their users, and the pools and workspaces that they are in."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Select, func, select

from trivium.resources.notebooks.table import ELSEWHERE, THERE, notebooks
from trivium.store import Read

COUNTED: Final = 1000
"""Notebooks up to which they are counted: more are many, whoever asks."""


class NotebookHoldings:
    """Users and workspaces with notebooks cannot be deleted: fulfils `users.Holdings` and `workspaces.Holdings`."""

    def held_by(self, tx: Read, user: int) -> str | None:
        """How many notebooks the user has that are not gone; None when there are none."""
        return _number(tx, select(notebooks.c.owner_id).where(notebooks.c.owner_id == user, THERE))

    def held_in(self, tx: Read, workspace: int) -> str | None:
        """How many notebooks are in the workspace that are not deleted; None when there are none."""
        there = (notebooks.c.workspace == workspace, ELSEWHERE, notebooks.c.listed)
        return _number(tx, select(notebooks.c.id).where(*there))


class NotebookOccupants:
    """A pool with notebooks cannot be deleted: fulfils `shares.Occupants`."""

    def in_pool(self, tx: Read, pool: int) -> str | None:
        """How many notebooks are in the pool that are not gone, stopped ones too; None when there are none."""
        return _number(tx, select(notebooks.c.id).where(notebooks.c.pool_id == pool, THERE))


def _number(tx: Read, found: Select[tuple[int]]) -> str | None:
    count = tx.value(select(func.count()).select_from(found.limit(COUNTED + 1).subquery()))
    if count > COUNTED:
        return f"more than {COUNTED} notebooks"
    return f"{count} notebook{'s' if count > 1 else ''}" if count else None
