"""Datasets that a project has once under their name, in the store that has their source; lists of a project's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import structs
from sqlalchemy import BigInteger, ColumnElement, bindparam, select

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.resources import owning, projects, stores, workspaces
from trivium.resources.datasets.errors import DatasetExists
from trivium.resources.datasets.service import change, create, get, own
from trivium.resources.datasets.table import dataset_of, datasets
from trivium.resources.datasets.types import Dataset, DatasetChange, NewDataset
from trivium.store import Read, Write, query
from trivium.store import fields as f
from trivium.store.query import Scope

OWN: Final = f.Resource(
    "datasets of a project",
    datasets,
    (
        f.Field("id", f.integer, datasets.c.id),
        f.Field("name", f.text, datasets.c.name, folded=datasets.c.name_folded),
        f.Field("description", f.text, datasets.c.description, folded=datasets.c.description_folded),
        f.Field("type", f.integer, datasets.c.type),
        f.Field("workspace", f.integer, datasets.c.workspace),
    ),
    columns=owning.shown(datasets),
)

_OWN: Final = Scope(datasets.c.project_id == bindparam("project", None, BigInteger()))


def register(tx: Write, caller: Caller, new: NewDataset, *, path: str) -> Dataset:
    """A new dataset, in the innermost store that has the directory or file `path`, which its samples come from.

    Raises `DatasetExists`, `NotInStores`, `NoSuchWorkspace`, and what `create` raises.
    """
    projects.lock(tx, caller.project)
    workspaces.lock_for_use(tx, caller, new.workspace)
    check_free(tx, caller.project, new.name)
    store = stores.containing(tx, caller, path, field="data_path", called=new.url)
    made = create(tx, caller, structs.replace(new, store=store.uuid))
    return get(tx, caller, made.uuid)


def change_own(tx: Write, caller: Caller, uuid: UUID, *, to: DatasetChange) -> Dataset:
    """Change what is given, where a name that is another is the only one of its project.

    Raises `DatasetExists`, and what `change` raises.
    """
    before = own(tx, caller, uuid)
    if to.name is not None and to.name != before.name:
        projects.lock(tx, before.project)
        check_free(tx, before.project, to.name)
    return change(tx, caller, uuid, to=to)


def list_own(
    tx: Read, caller: Caller, asked: Query, *, narrowed: Sequence[ColumnElement[bool]] = ()
) -> Listed[Dataset]:
    """The datasets of the caller's project, as asked; what is another's and public is not among them.

    `narrowed`: what else must hold, as a later room says it.
    """
    found = query.page(tx, OWN, asked, scope=(_OWN.of(project=caller.project), *narrowed))
    return Listed(rows=tuple(map(dataset_of, found.rows)), total=found.total, next=found.next)


def check_free(tx: Read, project: int, name: str) -> None:
    """Raise `DatasetExists` where a project has a dataset of that name."""
    same = (datasets.c.project_id == project, datasets.c.name == name)
    if tx.first(select(datasets.c.id).where(*same).limit(1)) is not None:
        raise DatasetExists(name=name)
