"""Use cases of groups of instances. Nothing makes one yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy import delete as delete_from

from trivium.base.caller import Caller
from trivium.resources import events, marks, owning
from trivium.resources.marks import Thing, ThingKind
from trivium.resources.owning import Outcome
from trivium.resources.services.asking import GROUP_LIMITS, texts
from trivium.resources.services.errors import NoSuchGroup
from trivium.resources.services.rows import group_of
from trivium.resources.services.table import dataset_refs, groups, instances
from trivium.resources.services.types import GroupChange, ServiceGroup
from trivium.store import Read, Write


def get_group(tx: Read, caller: Caller, uuid: UUID) -> ServiceGroup:
    """The group of that uuid, if the caller may see it. `NoSuchGroup`."""
    return group_of(_seen(tx, caller, uuid))


def markable_group(tx: Read, caller: Caller, uuid: UUID) -> Thing:
    """The group as something to be marked. `NoSuchGroup`; `Forbidden` unless the caller may change it."""
    row = _seen(tx, caller, uuid)
    owning.must_own(caller, row, "change a group of instances")
    found = group_of(row)
    return Thing(uuid=uuid, kind=ThingKind.GROUP, project=found.project, public=found.public)


def change_group(tx: Write, caller: Caller, uuid: UUID, *, to: GroupChange) -> ServiceGroup:
    """Change what is given. `NoSuchGroup`, `Forbidden`, `Missing`, `Invalid`."""
    before = _locked(tx, caller, uuid)
    given = {name: value for name in GROUP_LIMITS if (value := getattr(to, name)) is not None}
    told: dict[str, Any] = texts(given, GROUP_LIMITS) | {"changed_at": tx.now}
    if to.settings:
        told["settings"] = owning.checked_document("settings", {**before.settings, **to.settings})
    tx.run(update(groups).where(groups.c.id == before.id).values(owning.folded_values(groups, told)))
    after = get_group(tx, caller, uuid)
    shown = ({"name": one.name} for one in (before, after))
    events.record(
        tx,
        caller,
        "service_group.change",
        target=before.id,
        project=before.project,
        before=next(shown),
        after=next(shown),
    )
    return after


def delete_group(tx: Write, caller: Caller, uuid: UUID) -> None:
    """Delete a group, with its instances and its hold on datasets. `NoSuchGroup`, `Forbidden`."""
    before = _locked(tx, caller, uuid)
    for table in (instances, dataset_refs):
        tx.run(delete_from(table).where(table.c.group_uuid == uuid))
    marks.remove_all(tx, uuid)
    tx.run(delete_from(groups).where(groups.c.id == before.id))
    events.record(
        tx, caller, "service_group.delete", target=before.id, project=before.project, before={"name": before.name}
    )


def delete_groups(tx: Write, caller: Caller, uuids: Sequence[UUID]) -> tuple[Outcome, ...]:
    """Delete each of these groups, and tell what became of each. `Invalid` for none and for too many."""
    return owning.each(uuids, lambda uuid: delete_group(tx, caller, uuid))


def _seen(tx: Read, caller: Caller, uuid: UUID) -> Row[Any]:
    row = tx.first(select(groups).where(groups.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchGroup(uuid=uuid.hex)
    return row


def _locked(tx: Write, caller: Caller, uuid: UUID) -> ServiceGroup:
    owning.must_own(caller, _seen(tx, caller, uuid), "change a group of instances")
    row = tx.lock(select(groups).where(groups.c.uuid == uuid))
    if row is None:  # gone by now
        raise NoSuchGroup(uuid=uuid.hex)
    return group_of(row)
