"""The imports of a host as whoever reads files takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from trivium.base.reasons import Reason
from trivium.resources.models.importing import get_import, note_fault, refuse_import
from trivium.resources.models.table import imports
from trivium.resources.models.types import Import
from trivium.store import Read, Write

MOST_FAULTS: Final = 5  # of ours, after which an import is given up
FAULT: Final = Reason(code="model.import_fault")


def due(tx: Read, host: str, *, most: int) -> Sequence[int]:
    """The ids of the oldest imports of that host that are not over: what was noted of them may be long."""
    mine = select(imports.c.id).where(imports.c.host == host, imports.c.finished_at.is_(None))
    return [row.id for row in tx.all(mine.order_by(imports.c.id).limit(most))]


def take(tx: Read, id: int) -> Import | None:
    """The import, with what was noted of it; None where it is over, or its model was deleted."""
    going = select(imports.c.id).where(imports.c.id == id, imports.c.finished_at.is_(None))
    return None if tx.first(going) is None else get_import(tx, id)


def count_fault(tx: Write, id: int) -> None:
    """Count a fault of ours; with too many the import has failed, so that whoever waits for it hears of it."""
    if note_fault(tx, id) >= MOST_FAULTS:
        refuse_import(tx, id, FAULT)
