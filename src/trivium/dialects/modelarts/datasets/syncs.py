"""Syncs of datasets with their sources: begun, and shown as far as the newest one is."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from trivium.base.caller import Caller
from trivium.dialects.modelarts.datasets.finding import ONE as DATASET
from trivium.dialects.modelarts.datasets.finding import dataset_uuid, locked, seen
from trivium.dialects.modelarts.datasets.imports import NOT_EXIST, STATUSES, code_of, said_of
from trivium.dialects.modelarts.spelling import Shape, Text, bare, milliseconds
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Write, always
from trivium.resources import stores, transfers
from trivium.resources.datasets import Dataset
from trivium.resources.transfers import SampleImport

ALL: Final = f"{DATASET}/sync-data"


class SyncShape(Shape, frozen=True, kw_only=True):
    """The newest sync of a dataset; that there was none is a status, too."""

    status: str
    dataset_id: str
    task_id: Text = None
    add_sample_count: int | None = None
    deleted_sample_count: int | None = None
    total_sample_count: int | None = None
    create_time: int | None = None
    duration_time: int | None = None  # seconds
    error_code: Text = None
    error_msg: Text = None


async def begin_sync(call: Call[Nothing, Nothing]) -> None:
    """Have the source of a dataset read again; a worker does. Nothing is said but that it was begun."""
    await call.write(_begin, dataset_uuid(call))


def show_sync(tx: Read, call: Call[Nothing, Nothing]) -> SyncShape:
    """How far the newest sync is."""
    dataset = seen(tx, call)
    one = transfers.last_sync(tx, dataset)
    if one is None:
        return SyncShape(status=NOT_EXIST, dataset_id=bare(dataset.uuid))
    return sync_shape(dataset, one, said_of(tx, one))


def sync_shape(dataset: Dataset, one: SampleImport, said: Text) -> SyncShape:
    """A sync as it is shown, with what is said of how it ended."""
    return SyncShape(
        status=STATUSES[one.status][0],
        dataset_id=bare(dataset.uuid),
        task_id=bare(one.uuid),
        add_sample_count=one.counts.added,
        deleted_sample_count=one.counts.removed,
        total_sample_count=dataset.counts.total,
        create_time=milliseconds(one.created_at),
        duration_time=int(one.seconds),
        error_code=code_of(one),
        error_msg=said,
    )


OPERATIONS: Final = (
    Operation(
        name="SyncDataSource",
        method="POST",
        path=ALL,
        handler=begin_sync,
        mark=Mark.COMPANION,
        summary="Read a dataset's source again, and take out samples whose files are gone",
    ),
    Operation(
        name="SyncDataSourceState",
        method="GET",
        path=f"{ALL}/status",
        handler=View(look=show_sync, may_grow=always),
        mark=Mark.COMPANION,
        summary="How far the newest sync of a dataset is",
    ),
)


def _begin(tx: Write, caller: Caller, uuid: UUID) -> None:
    dataset = locked(tx, caller, uuid)
    source = transfers.source_of(tx, dataset)
    said = source.settings.get("import_path")
    stores.containing(tx, caller, source.path, field="data_path", called=said)  # as of imports
    transfers.begin_sync(tx, caller, uuid)
