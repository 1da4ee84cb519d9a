"""Which host reads the files of models, and having them read again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import hosts, stores
from trivium.resources.models.errors import NoSuchModel
from trivium.resources.models.importing import begin_import
from trivium.resources.models.table import models
from trivium.resources.models.types import ModelStatus
from trivium.store import Write

MOST: Final = 1000
"""Models that one call has read again."""


def read_again(
    tx: Write, caller: Caller, store: UUID, *, only: Collection[UUID] | None = None, operation: int | None = None
) -> int:
    """Have the files of models in a store read again: of these, or of all that are the caller's and not being read.

    How many there are; `operation` is what is finished with the last of them. Raises `NoSuchModelStore`, `NoSuchModel`
    for one that is not there, `Forbidden`, `NotInStores`, `ModelImporting` for one that is being read already, and
    `Invalid` for too many.
    """
    stores.get(tx, caller, store)
    lying = select(models.c.uuid, models.c.path).where(models.c.store_uuid == store)
    wanted = lying.order_by(models.c.id).limit(MOST + 1)
    if only is not None:
        wanted = wanted.where(models.c.uuid.in_(sorted(only)))
    else:
        wanted = wanted.where(models.c.status != ModelStatus.IMPORTING.value)
        if not caller.is_admin:
            wanted = wanted.where(models.c.project_id == caller.project)
    found = tx.all(wanted)
    lacking = set(only or ()).difference(row.uuid for row in found)
    if lacking:
        raise NoSuchModel(uuid=min(lacking).hex)
    if len(found) > MOST:
        message = f"must name at most {MOST} models, and the store has more"
        raise Invalid("modelUuids", message)
    host = hosts.working(tx)
    for row in found:
        stores.check_seen(tx, caller, row.path, field="model_uuids")
        begin_import(tx, caller, row.uuid, host=host, operation=operation)
    return len(found)
