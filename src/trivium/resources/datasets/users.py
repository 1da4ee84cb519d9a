"""What datasets keep from being deleted: stores, and workspaces."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.resources import workspaces
from trivium.resources.datasets.table import datasets
from trivium.resources.owning import Deletion
from trivium.store import Read, Write


class DatasetsInStores:
    """A store with datasets cannot be deleted, however it is asked for: fulfils `owning.Dependents`."""

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:  # noqa: ARG002 - whichever
        """Whether a dataset is in the store."""
        return tx.first(select(datasets.c.id).where(datasets.c.store_uuid == uuid).limit(1)) is not None

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:
        """Nothing goes along with a store."""


class DatasetHoldings:
    """A workspace with datasets cannot be deleted: fulfils `workspaces.Holdings`."""

    def held_in(self, tx: Read, workspace: int) -> str | None:
        """That there are datasets; None when there are none."""
        every = workspaces.WORKSPACES.table
        project = (
            select(every.c.project_id).where(every.c.id == workspace).scalar_subquery()
        )  # by which there is an index
        there = select(datasets.c.id).where(datasets.c.project_id == project, datasets.c.workspace == workspace)
        return None if tx.first(there.limit(1)) is None else "datasets"
