"""What images keep from being deleted."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy import text as sql

from trivium.resources.images.table import images
from trivium.store import Read


class ImageHoldings:
    """A workspace with images cannot be deleted: fulfils `workspaces.Holdings`."""

    def held_in(self, tx: Read, workspace: int) -> str | None:
        """That there are images; None when there are none that were not removed."""
        # The index's own words: it has no images of default workspaces, and no removed ones.
        there = select(images.c.id).where(images.c.workspace == workspace, sql("workspace <> 0 AND deleted_at IS NULL"))
        return None if tx.first(there.limit(1)) is None else "images"
