"""What datasets keep from being deleted."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from trivium.resources.datasets.table import datasets
from trivium.resources.owning import Deletion
from trivium.store import Read, Write


class DatasetsInStores:
    """A store with datasets cannot be deleted, however it is asked for: fulfils `owning.Dependents`."""

    def hinder(self, tx: Read, uuid: UUID, mode: Deletion) -> bool:  # noqa: ARG002 - whichever it is
        """Whether a dataset is in the store."""
        return tx.first(select(datasets.c.id).where(datasets.c.store_uuid == uuid).limit(1)) is not None

    def let_go(self, tx: Write, uuid: UUID) -> None:
        """Nothing goes along with a store."""
