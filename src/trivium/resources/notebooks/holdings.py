"""What notebooks keep for a user."""

from __future__ import annotations

from sqlalchemy import func, select

from trivium.resources.notebooks.table import THERE, notebooks
from trivium.store import Read


class NotebookHoldings:
    """A user with notebooks cannot be deleted: fulfils `users.Holdings`."""

    def held_by(self, tx: Read, user: int) -> str | None:
        """How many notebooks the user has that are not gone; None when there are none."""
        mine = notebooks.c.owner_id == user
        count = tx.value(select(func.count()).select_from(notebooks).where(mine, THERE))
        return f"{count} notebook{'s' if count > 1 else ''}" if count else None
