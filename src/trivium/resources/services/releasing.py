"""Taking bindings away."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select

from trivium.base.caller import Caller
from trivium.resources import events, models
from trivium.resources.services.table import refs
from trivium.store import Write


def take_away(tx: Write, caller: Caller, *which: ColumnElement[bool]) -> None:
    """Take these bindings away. A project whose binding somebody else takes is told of it by an event of its own."""
    of_model = refs.join(models.models, models.models.c.uuid == refs.c.model_uuid)
    wanted = select(refs.c.project_id, refs.c.model_uuid, refs.c.service_uuid, models.models.c.id)
    others = wanted.select_from(of_model).where(*which, refs.c.project_id != caller.project)
    for row in tx.all(others):
        told = {"model": row.model_uuid.hex, "service": row.service_uuid.hex}
        events.record(tx, caller, "model.unbind", target=row.id, project=row.project_id, before=told)
    tx.run(delete(refs).where(*which))
