"""What notebooks keep for a user."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from trivium.resources.notebooks.table import THERE, notebooks
from trivium.store import Read

COUNTED: Final = 1000
"""Notebooks up to which a user's are counted: more are many, whoever asks."""


class NotebookHoldings:
    """A user with notebooks cannot be deleted: fulfils `users.Holdings`."""

    def held_by(self, tx: Read, user: int) -> str | None:
        """How many notebooks the user has that are not gone; None when there are none."""
        some = select(notebooks.c.owner_id).where(notebooks.c.owner_id == user, THERE).limit(COUNTED + 1).subquery()
        count = tx.value(select(func.count()).select_from(some))
        if count > COUNTED:
            return f"more than {COUNTED} notebooks"
        return f"{count} notebook{'s' if count > 1 else ''}" if count else None
