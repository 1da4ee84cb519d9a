"""What networks keep from being deleted."""

from __future__ import annotations

from sqlalchemy import select

from trivium.resources.networks.table import ELSEWHERE, networks
from trivium.store import Read


class NetworkHoldings:
    """A workspace with networks cannot be deleted: fulfils `workspaces.Holdings`."""

    def held_in(self, tx: Read, workspace: int) -> str | None:
        """That there are networks; None when there are none that were not deleted."""
        there = select(networks.c.id).where(networks.c.workspace == workspace, ELSEWHERE)
        return None if tx.first(there.limit(1)) is None else "networks"
