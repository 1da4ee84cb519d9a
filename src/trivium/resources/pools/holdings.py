"""What pools keep from being deleted."""

from __future__ import annotations

from sqlalchemy import select

from trivium.resources.pools.table import ELSEWHERE, pools
from trivium.store import Read


class PoolHoldings:
    """A workspace with pools cannot be deleted: fulfils `workspaces.Holdings`."""

    def held_in(self, tx: Read, workspace: int) -> str | None:
        """That there are pools; None when there are none that were not deleted."""
        there = select(pools.c.id).where(pools.c.workspace == workspace, ELSEWHERE)
        return None if tx.first(there.limit(1)) is None else "pools"
