"""Use cases of datasets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from msgspec import structs
from sqlalchemy import Row, insert, select, update
from sqlalchemy import delete as delete_from

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import events, marks, owning, stores
from trivium.resources.datasets.errors import DatasetInUse, DatasetPublishing, NoSuchDataset
from trivium.resources.datasets.table import dataset_of, datasets
from trivium.resources.datasets.types import Dataset, DatasetChange, DataType, NewDataset, Usage
from trivium.resources.marks import NewMarks, Thing, ThingKind
from trivium.resources.owning import EVERYBODY, Deletion, Dependents, Outcome
from trivium.store import Read, Write

LIMITS: Final[Mapping[str, int]] = MappingProxyType({"name": 255, "url": 2048, "description": 2048})
"""Characters."""

USAGES: Final = "usageScenarios"
DATA_TYPE: Final = "dataType"
"""What the system's marks begin with that say what a dataset is for, and of what kind; `::` and the word follow."""

NO_MARKS: Final = NewMarks()


def create(tx: Write, caller: Caller, new: NewDataset, *, tags: NewMarks = NO_MARKS) -> Dataset:
    """A new dataset of the caller's project, in a store that they see; nobody looks at its url.

    Raises `NoSuchModelStore`, `Missing`, `Invalid` and `UuidTaken`, and what marks raise.
    """
    store = stores.locked(tx, caller, new.store)
    id, uuid = tx.ids.next(), owning.claimed(tx, datasets, new.uuid)
    row = {
        "id": id,
        "uuid": uuid,
        "project_id": caller.project,
        "audience": owning.audience(caller.project, public=new.public),
        "store_uuid": store.uuid,
        "system": new.system,
        "type": new.type.value,
        "owner_id": caller.user or None,
        "workspace": new.workspace,
        "work_path": new.work_path,
        "settings": owning.checked_document("settings", new.settings or None),
        "created_at": tx.now,
        "changed_at": tx.now,
        **_columns(structs.asdict(new)),
    }
    tx.run(insert(datasets).values(owning.folded_values(datasets, row)))
    made = get(tx, caller, uuid)
    marks.put(tx, caller, thing_of(made), new=tags)
    events.record(tx, caller, "dataset.create", target=id, after={"name": made.name, "url": made.url})
    return made


def get(tx: Read, caller: Caller, uuid: UUID) -> Dataset:
    """The dataset of that uuid, if the caller may see it. `NoSuchDataset`."""
    return dataset_of(_seen(tx, caller, uuid))


def own(tx: Read, caller: Caller, uuid: UUID) -> Dataset:
    """The dataset of that uuid, which the caller may change. `NoSuchDataset`, `Forbidden`."""
    row = _seen(tx, caller, uuid)
    owning.must_own(caller, row, "change a dataset")
    return dataset_of(row)


def find(tx: Read, caller: Caller, uuid: UUID) -> Dataset:
    """The dataset of that uuid, if it is of the caller's project or everybody's, whoever they are. `NoSuchDataset`."""
    row = _seen(tx, caller, uuid)
    if row.audience not in (EVERYBODY, caller.project):
        raise NoSuchDataset(uuid=uuid.hex)
    return dataset_of(row)


def locked(tx: Write, caller: Caller, uuid: UUID) -> Dataset:
    """The dataset, which the caller may change, locked until the transaction ends. `NoSuchDataset`, `Forbidden`."""
    own(tx, caller, uuid)
    row = tx.lock(select(datasets).where(datasets.c.uuid == uuid))
    if row is None:  # gone by now
        raise NoSuchDataset(uuid=uuid.hex)
    return dataset_of(row)


def opened(tx: Write, caller: Caller, uuid: UUID) -> Dataset:
    """The same, for a change of its samples or labels. Raises `DatasetPublishing` besides."""
    found = locked(tx, caller, uuid)
    if found.publishing:
        raise DatasetPublishing(name=found.name)
    return found


def markable(tx: Read, caller: Caller, uuid: UUID) -> Thing:
    """The dataset as something to be marked. `NoSuchDataset`; `Forbidden` unless the caller may change it."""
    return thing_of(own(tx, caller, uuid))


def change(tx: Write, caller: Caller, uuid: UUID, *, to: DatasetChange) -> Dataset:
    """Change what is given. `NoSuchDataset`, `Forbidden`, `Missing`, `Invalid`."""
    before = locked(tx, caller, uuid)
    given = {name: value for name, value in structs.asdict(to).items() if value is not None}
    told = _columns(given) | {"changed_at": tx.now}
    thing = thing_of(before)
    if to.usages is not None:
        words = [_word("usages", word, Usage) for word in to.usages]
        marks.replace_system(tx, caller, thing, prefix=USAGES, values=words)
    if to.data_type is not None:
        marks.replace_system(tx, caller, thing, prefix=DATA_TYPE, values=[_word("data_type", to.data_type, DataType)])
    tx.run(update(datasets).where(datasets.c.id == before.id).values(owning.folded_values(datasets, told)))
    after = get(tx, caller, uuid)
    shown = ({"name": one.name, "description": one.description} for one in (before, after))
    events.record(
        tx, caller, "dataset.change", target=before.id, project=before.project, before=next(shown), after=next(shown)
    )
    return after


def delete(
    tx: Write, caller: Caller, uuid: UUID, *, users: Collection[Dependents], mode: Deletion = Deletion.PERMISSIVE
) -> None:
    """Delete a dataset from the catalogue; what it is made of stays. `NoSuchDataset`, `Forbidden`, `DatasetInUse`."""
    before = locked(tx, caller, uuid)
    if any(user.hinder(tx, caller, uuid, mode=mode) for user in users):
        raise DatasetInUse(name=before.name)
    for user in users:
        user.let_go(tx, caller, uuid)
    marks.remove_all(tx, uuid)
    tx.run(delete_from(datasets).where(datasets.c.id == before.id))
    told = {"name": before.name, "url": before.url}
    events.record(tx, caller, "dataset.delete", target=before.id, project=before.project, before=told)


def delete_many(
    tx: Write,
    caller: Caller,
    uuids: Sequence[UUID],
    *,
    users: Collection[Dependents],
    mode: Deletion = Deletion.PERMISSIVE,
) -> tuple[Outcome, ...]:
    """Delete each of these datasets, and tell what became of each. `Invalid` for none and for too many."""
    return owning.each(uuids, lambda uuid: delete(tx, caller, uuid, users=users, mode=mode))


def thing_of(dataset: Dataset) -> Thing:
    """The dataset as what marks are on."""
    return Thing(uuid=dataset.uuid, kind=ThingKind.DATASET, project=dataset.project, public=dataset.public)


def _seen(tx: Read, caller: Caller, uuid: UUID) -> Row[Any]:
    row = tx.first(select(datasets).where(datasets.c.uuid == uuid))
    if row is None or not owning.sees(caller, row):
        raise NoSuchDataset(uuid=uuid.hex)
    return row


def _columns(given: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: given[name] for name in LIMITS if name in given}
    for name, value in told.items():
        owning.checked_text(name, value, LIMITS[name], needed=name in ("name", "url"))
    return told


def _word(field: str, word: str, known: type[StrEnum]) -> str:
    if word not in [*known]:
        message = f"must be one of {', '.join(known)}"
        raise Invalid(field, message)
    return word
