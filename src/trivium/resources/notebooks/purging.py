"""Forgetting notebooks that were deleted long ago."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from trivium.resources.notebooks.table import notebooks
from trivium.store import Write

AT_ONCE: Final = 500


def purge(tx: Write, before: datetime) -> bool:
    """Forget some of the notebooks of which nothing was left then already; whether there may be more."""
    old = select(notebooks.c.id).where(notebooks.c.deleted_at < before).order_by(notebooks.c.deleted_at)
    ids = [id for (id,) in tx.all(old.limit(AT_ONCE))]
    tx.run(delete(notebooks).where(notebooks.c.id.in_(ids)))
    return len(ids) == AT_ONCE
