"""What services and groups keep from being deleted, and what goes along with it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import delete, select

from trivium.base.caller import Caller
from trivium.resources import owning
from trivium.resources.datasets import DatasetsInStores
from trivium.resources.models import ModelsInStores
from trivium.resources.owning import Deletion, Dependents
from trivium.resources.services import releasing
from trivium.resources.services.table import dataset_refs, groups, refs, services
from trivium.store import Read, Write


class ServicesInStores:
    """A store with services cannot be deleted, however it is asked for: fulfils `owning.Dependents`."""

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:  # noqa: ARG002 - whichever
        """Whether a service is in the store."""
        return tx.first(select(services.c.id).where(services.c.store_uuid == uuid).limit(1)) is not None

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:
        """Nothing goes along with a store."""


class BoundModels:
    """Bindings go along with a model where that is asked for; groups of instances do not.

    What its owner does not see cannot be asked about: others' bindings go along, and their groups go on without it.
    """

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:
        """Whether a group has the model, or it is bound and is not to be let go, as far as the caller sees that."""
        runs = select(groups.c.id).where(groups.c.model_uuid == uuid, *owning.seen_by(caller, groups)).limit(1)
        if tx.first(runs) is not None:
            return True
        bound = select(refs.c.id).where(refs.c.model_uuid == uuid, *owning.seen_by(caller, refs)).limit(1)
        return mode is Deletion.PERMISSIVE and tx.first(bound) is not None

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:
        """Take away the bindings of the model."""
        releasing.take_away(tx, caller, refs.c.model_uuid == uuid)


class HeldDatasets:
    """A dataset that a group has is let go where that is asked for."""

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:
        """Whether a group that the caller sees has the dataset, and is not to let it go."""
        seen = owning.seen_by(caller, dataset_refs)
        held = select(dataset_refs.c.id).where(dataset_refs.c.dataset_uuid == uuid, *seen).limit(1)
        return mode is Deletion.PERMISSIVE and tx.first(held) is not None

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:  # noqa: ARG002 - whoever
        """Take the dataset from the groups that have it."""
        tx.run(delete(dataset_refs).where(dataset_refs.c.dataset_uuid == uuid))


STORE_USERS: Final[tuple[Dependents, ...]] = (ModelsInStores(), DatasetsInStores(), ServicesInStores())
MODEL_USERS: Final[tuple[Dependents, ...]] = (BoundModels(),)
"""Who is asked when a store or a model is to be deleted."""
