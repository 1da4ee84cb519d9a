"""Which host reads the files of models, and having them read again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import hosts, stores
from trivium.resources.hosts import HostAway
from trivium.resources.models.errors import NoSuchModel
from trivium.resources.models.importing import begin_import
from trivium.resources.models.table import models
from trivium.resources.models.types import ModelStatus
from trivium.store import Read, Write

MOST: Final = 1000
"""Models that one call has read again."""


def import_host(tx: Read) -> str:
    """The host that is to read files: the first that somebody acts on now, or else the first that is known.

    Directories of models are to be the same on all hosts. `HostAway` where no host is known at all.
    """
    there = sorted(hosts.held_now(tx)) or [host.id for host in hosts.everywhere(tx)]
    if not there:
        raise HostAway(host="")
    return there[0]


def read_again(tx: Write, caller: Caller, store: UUID, *, only: Collection[UUID] | None = None) -> int:
    """Have the files of models in a store read again: of these, or of all that are the caller's and not being read.

    How many there are. Raises `NoSuchModelStore`, `NoSuchModel` for one that is not there, `Forbidden`,
    `ModelImporting` for one that is being read already, and `Invalid` for too many.
    """
    stores.get(tx, caller, store)
    wanted = select(models.c.uuid).where(models.c.store_uuid == store).order_by(models.c.id).limit(MOST + 1)
    if only is not None:
        wanted = wanted.where(models.c.uuid.in_(sorted(only)))
    else:
        wanted = wanted.where(models.c.status == ModelStatus.READY.value)
        if not caller.is_admin:
            wanted = wanted.where(models.c.project_id == caller.project)
    found = [row.uuid for row in tx.all(wanted)]
    if only is not None and len(found) < len(set(only)):
        raise NoSuchModel
    if len(found) > MOST:
        message = f"must name at most {MOST} models, and the store has more"
        raise Invalid("modelUuids", message)
    host = import_host(tx)
    for uuid in found:
        begin_import(tx, caller, uuid, host=host)
    return len(found)
