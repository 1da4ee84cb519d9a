"""Syncs of datasets: what was imported first is read again, and samples whose files are gone are taken out.

A sync is an import that goes on when its source was read. The files of samples are looked for in the order of the
samples' ids; those that are gone go out together with the note of how far that is, so a sync is gone on with as an
import is.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select, update

from trivium.base.caller import Caller
from trivium.resources import datasets, events, samples
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.transfers import importing
from trivium.resources.transfers.errors import NotSyncable
from trivium.resources.transfers.table import import_of, imports
from trivium.resources.transfers.types import NewImport, SampleImport, Way
from trivium.store import Read, Write

OF_LINES: Final = frozenset(
    {DatasetType.TEXT_CLASSIFICATION, DatasetType.NAMED_ENTITY, DatasetType.TEXT_TRIPLET, DatasetType.TABLE}
)
"""Types whose samples are lines and rows: no file says by not being there that one of these is gone."""


class Place(NamedTuple):
    """Where a sample is."""

    id: int
    path: bytes  # empty of one that no sync takes out


def source_of(tx: Read, dataset: Dataset) -> NewImport:
    """What a sync of the dataset reads: the source of its first import. `NotSyncable`."""
    if dataset.type in OF_LINES:
        raise _refused(dataset, "its samples are lines or rows, which have no files of their own")
    mine = (imports.c.dataset_id == dataset.id, imports.c.sync.is_(False))
    row = tx.first(select(imports).where(*mine).order_by(imports.c.id).limit(1))
    if row is None:
        raise _refused(dataset, "nothing was imported into it yet")
    asked = import_of(row).asked
    if asked.way is Way.TABLE:
        raise _refused(dataset, "its samples are rows, which have no files of their own")
    return asked


def begin_sync(tx: Write, caller: Caller, dataset: UUID, *, host: str | None = None) -> SampleImport:
    """Have the source of a dataset read again, and samples taken out whose files are gone from it.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `NotSyncable`, `TransferRunning`, and `HostAway`.
    """
    mine = datasets.opened(tx, caller, dataset)
    asked = source_of(tx, mine)
    begun = importing.begin(tx, caller, mine, asked=asked, host=host, sync=True)
    events.record(tx, caller, "dataset.sync", target=mine.id, project=mine.project, after={"path": asked.path})
    return begun


def last_sync(tx: Read, dataset: Dataset) -> SampleImport | None:
    """The newest sync of a dataset; None where there was none."""
    mine = (imports.c.dataset_id == dataset.id, imports.c.sync.is_(True))
    row = tx.first(select(imports).where(*mine).order_by(imports.c.id.desc()).limit(1))
    return None if row is None else import_of(row)


def next_places(tx: Read, one: SampleImport, *, most: int) -> Sequence[Place]:
    """The samples that are to be looked for next, in the order of their ids.

    What lies outside of the source's directory is none of the source's, and stays.
    """
    table = samples.samples
    wanted = select(table.c.id, table.c.path, table.c.line).where(
        table.c.dataset_id == one.dataset, table.c.id > one.looked
    )
    rows = tx.all(wanted.order_by(table.c.id).limit(most))
    base = os.fsencode(base_of(one.asked)).rstrip(b"/") + b"/"
    return [Place(row.id, row.path if row.line is None and row.path.startswith(base) else b"") for row in rows]


def take_gone(tx: Write, one: SampleImport, *, gone: Collection[int], last: int, seconds: float) -> SampleImport | None:
    """Take samples out whose files are gone, of those up to the one with the id `last`.

    The sync as it is then; None where it is over.
    """
    now = importing.locked(tx, one)
    if now is None or now.looked != one.looked:
        return None
    removed = samples.take_out_by_id(tx, one.dataset, gone)
    told = {"looked": last, "removed": imports.c.removed + removed, "seconds": imports.c.seconds + seconds}
    tx.run(update(imports).where(imports.c.id == one.id).values(changed_at=tx.now, **told))
    return import_of(tx.all(select(imports).where(imports.c.id == one.id))[0])


def base_of(asked: NewImport) -> Path:
    """The directory that the samples of a directory or a manifest lie below."""
    path = Path(asked.path)
    return path if asked.way is Way.DIRECTORY else path.parent


def _refused(dataset: Dataset, problem: str) -> NotSyncable:
    return NotSyncable("dataset_id", problem, dataset=dataset.name, problem=problem)
