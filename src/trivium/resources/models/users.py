"""What models keep from being deleted."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy import text as sql

from trivium.base.caller import Caller
from trivium.resources.models.table import models
from trivium.resources.owning import Deletion
from trivium.store import Read, Write


class ModelsInStores:
    """A store with models cannot be deleted, however it is asked for: fulfils `owning.Dependents`."""

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:  # noqa: ARG002 - whichever
        """Whether a model is in the store."""
        return tx.first(select(models.c.id).where(models.c.store_uuid == uuid).limit(1)) is not None

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:
        """Nothing goes along with a store."""


class ModelHoldings:
    """A workspace with models cannot be deleted: fulfils `workspaces.Holdings`."""

    def held_in(self, tx: Read, workspace: int) -> str | None:
        """That there are models; None when there are none."""
        # The index's own words: it has no models of default workspaces.
        there = select(models.c.id).where(models.c.workspace == workspace, sql("workspace <> 0"))
        return None if tx.first(there.limit(1)) is None else "models"
