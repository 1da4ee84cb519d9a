"""What services and groups keep from being deleted, and what goes along with it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import delete, select

from trivium.resources.datasets import DatasetsInStores
from trivium.resources.models import ModelsInStores
from trivium.resources.owning import Deletion, Dependents
from trivium.resources.services.table import dataset_refs, groups, refs, services
from trivium.store import Read, Write


class ServicesInStores:
    """A store with services cannot be deleted, however it is asked for: fulfils `owning.Dependents`."""

    def hinder(self, tx: Read, uuid: UUID, mode: Deletion) -> bool:  # noqa: ARG002 - whichever it is
        """Whether a service is in the store."""
        return tx.first(select(services.c.id).where(services.c.store_uuid == uuid).limit(1)) is not None

    def let_go(self, tx: Write, uuid: UUID) -> None:
        """Nothing goes along with a store."""


class BoundModels:
    """Bindings go along with a model where that is asked for; groups of instances do not."""

    def hinder(self, tx: Read, uuid: UUID, mode: Deletion) -> bool:
        """Whether a group has the model, or it is bound and is not to be let go."""
        if tx.first(select(groups.c.id).where(groups.c.model_uuid == uuid).limit(1)) is not None:
            return True
        bound = select(refs.c.id).where(refs.c.model_uuid == uuid).limit(1)
        return mode is Deletion.PERMISSIVE and tx.first(bound) is not None

    def let_go(self, tx: Write, uuid: UUID) -> None:
        """Take away the bindings of the model."""
        tx.run(delete(refs).where(refs.c.model_uuid == uuid))


class HeldDatasets:
    """A dataset that a group has is let go where that is asked for."""

    def hinder(self, tx: Read, uuid: UUID, mode: Deletion) -> bool:
        """Whether a group has the dataset, and is not to let it go."""
        held = select(dataset_refs.c.id).where(dataset_refs.c.dataset_uuid == uuid).limit(1)
        return mode is Deletion.PERMISSIVE and tx.first(held) is not None

    def let_go(self, tx: Write, uuid: UUID) -> None:
        """Take the dataset from the groups that have it."""
        tx.run(delete(dataset_refs).where(dataset_refs.c.dataset_uuid == uuid))


STORE_USERS: Final[tuple[Dependents, ...]] = (ModelsInStores(), DatasetsInStores(), ServicesInStores())
MODEL_USERS: Final[tuple[Dependents, ...]] = (BoundModels(),)
DATASET_USERS: Final[tuple[Dependents, ...]] = (HeldDatasets(),)
"""Who is asked when a store, a model or a dataset is to be deleted."""
