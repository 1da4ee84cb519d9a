"""What goes along with a dataset: its transfers and versions, and all that earlier rooms have of it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert, select

from trivium.base.caller import Caller
from trivium.resources.datasets import datasets
from trivium.resources.owning import Deletion, Dependents
from trivium.resources.samples import SamplesOfDatasets
from trivium.resources.services import HeldDatasets
from trivium.resources.transfers.importing import WAITING
from trivium.resources.transfers.table import exports, imports, leftovers, refusals, versions
from trivium.store import Read, Write

AT_ONCE: Final = 2000
"""Refusals that one transaction deletes."""


class TransfersOfDatasets:
    """Imports, exports and versions never keep a dataset; what goes on ends. Fulfils `owning.Dependents`."""

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:  # noqa: ARG002 - whichever
        """Whether something keeps the dataset."""
        return False

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:  # noqa: ARG002 - whoever
        """Delete them, and have what was refused deleted; files that were written stay."""
        id = tx.value(select(datasets.c.id).where(datasets.c.uuid == uuid))
        mine = select(imports.c.id).where(imports.c.dataset_id == id, imports.c.refused > 0)
        tx.run(insert(leftovers).from_select([leftovers.c.import_id], mine))
        for table in (imports, exports, versions):
            tx.run(delete(table).where(table.c.dataset_id == id))
        tx.wake(WAITING)


def is_anything_left(tx: Read) -> bool:
    """Whether deleted datasets left anything that was refused."""
    return tx.first(select(leftovers).limit(1)) is not None


def purge(tx: Write) -> bool:
    """Delete some of what was refused of deleted datasets; False where there is nothing left. Repeatable."""
    of = tx.value(select(leftovers.c.import_id).order_by(leftovers.c.import_id).limit(1))
    if of is None:
        return False
    mine = select(refusals.c.number).where(refusals.c.import_id == of).order_by(refusals.c.number).limit(AT_ONCE)
    numbers = [row.number for row in tx.all(mine)]
    if numbers:
        tx.run(delete(refusals).where(refusals.c.import_id == of, refusals.c.number <= numbers[-1]))
    else:
        tx.run(delete(leftovers).where(leftovers.c.import_id == of))
    return True


DATASET_USERS: Final[tuple[Dependents, ...]] = (HeldDatasets(), TransfersOfDatasets(), SamplesOfDatasets())
"""Who is asked when a dataset is to be deleted."""
