"""What can be asked of datasets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from trivium.base.caller import Caller
from trivium.base.query import Offset, Order, Query
from trivium.dialects.modelarts.datasets import (
    checking,
    exports,
    files,
    imports,
    labelling,
    labels,
    samples,
    statistics,
    syncs,
    uploads,
    versions,
)
from trivium.dialects.modelarts.datasets.finding import ALL, ONE, dataset_uuid, locked, seen, version_named
from trivium.dialects.modelarts.datasets.samples import Samples
from trivium.dialects.modelarts.datasets.shapes import (
    ChangeDatasetBody,
    CreateDatasetBody,
    DatasetIdShape,
    DatasetShape,
    DatasetsPage,
    DatasetsQuery,
    TasksQuery,
)
from trivium.dialects.modelarts.datasets.sources import DataSourceShape
from trivium.dialects.modelarts.datasets.translation import (
    Around,
    Paths,
    dataset_shape,
    datasets_query,
    first_import,
    new_dataset,
    task_type,
    versions_sought,
)
from trivium.dialects.modelarts.links import Links
from trivium.dialects.modelarts.spelling import bare
from trivium.dialects.modelarts.workspaces import chosen
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Write, always
from trivium.resources import datasets, transfers, workspaces
from trivium.resources import samples as sample_room
from trivium.resources.datasets import Buckets, Dataset, DatasetChange
from trivium.resources.samples.ports import SampleFiles
from trivium.resources.transfers import Sinks

PREVIEWED: Final = 4

Creation: TypeAlias = "Call[CreateDatasetBody, Nothing]"


class Datasets:
    """The calls about datasets, whose places are looked up in the buckets."""

    def __init__(self, buckets: Buckets, links: Links) -> None:
        self._buckets = buckets
        self._samples = Samples(buckets, links)

    def list(self, tx: Read, call: Call[Nothing, DatasetsQuery]) -> DatasetsPage:
        """A page of the project's datasets."""
        asked, caller = call.query, call.caller
        query = datasets_query(asked, chosen(tx, caller, asked.workspace_id, asked.workspaceId))
        found = transfers.list_datasets(tx, caller, query, having=versions_sought(asked))
        around = self._around(tx, call, found.rows)
        return DatasetsPage(total_number=found.total or 0, datasets=[dataset_shape(one, around) for one in found.rows])

    async def create(self, call: Creation) -> DatasetIdShape:
        """A dataset with its labels, and the reading of its source, which goes on."""
        body, source = call.body, checking.checked(call.body)
        paths = await asyncio.to_thread(self._paths, call.caller, body, source)
        return await call.write(_create, body, source=source, paths=paths)

    def _paths(self, caller: Caller, body: CreateDatasetBody, source: DataSourceShape) -> Paths:
        return Paths(
            data=self._buckets.path(caller, source.data_path or "", field=checking.DATA_PATH),
            work=self._buckets.path(caller, body.work_path, field=checking.WORK_PATH),
        )

    def _around(self, tx: Read, call: Call[Nothing, DatasetsQuery], rows: Sequence[Dataset]) -> Around:
        asked = call.query
        return Around(
            tasks=transfers.tasks_of(tx, rows),
            task_type=task_type(asked),
            workspaces=workspaces.uuids_of(tx, [one.workspace for one in rows]),
            labels={one.id: labels.every_label(tx, one) for one in rows} if asked.with_labels else {},
            samples={one.id: self._previewed(tx, call, one) for one in rows} if asked.file_preview else {},
            current=_current(tx, rows),
            numbers=transfers.numbers_of_versions(tx, rows),
        )

    def _previewed(self, tx: Read, call: Call[Any, Any], dataset: Dataset) -> list[samples.SampleShape]:
        asked = Query(order=(Order(field="id"),), page=Offset(limit=PREVIEWED), total=False)
        shape = self._samples.shaper(call, dataset, now=tx.now, columns=samples.columns_of(tx, dataset))
        return [shape(one) for one in sample_room.list_samples(tx, dataset, asked).rows]


def show_dataset(tx: Read, call: Call[Nothing, TasksQuery]) -> DatasetShape:
    """One dataset, with its labels."""
    dataset = seen(tx, call)
    order = (Order(field="id", descending=True),)
    newest = Query(where=imports.NO_SYNCS, order=order, page=Offset(limit=1), total=False)
    around = Around(
        tasks=transfers.tasks_of(tx, [dataset]),
        task_type=task_type(call.query),
        workspaces=workspaces.uuids_of(tx, [dataset.workspace]),
        labels={dataset.id: labels.every_label(tx, dataset)},
        samples={},
        current=_current(tx, [dataset]),
        numbers=transfers.numbers_of_versions(tx, [dataset]),
        last_import=next(iter(transfers.list_imports(tx, dataset, newest).rows), None),
        columns=samples.columns_of(tx, dataset),
    )
    return dataset_shape(dataset, around)


async def update_dataset(call: Call[ChangeDatasetBody, Nothing]) -> DatasetIdShape:
    """Change what is said of a dataset, and its labels."""
    checking.description(call.body.description)
    uuid = dataset_uuid(call)
    await call.write(_update, uuid, body=call.body)
    if call.body.delete_labels:
        await labelling.settled(call, uuid)
    return DatasetIdShape(dataset_id=bare(uuid))


async def delete_dataset(call: Call[Nothing, Nothing]) -> None:
    """Take a dataset from the catalogue, with its samples and labels; files stay."""
    await call.write(_delete, dataset_uuid(call))


def operations(
    buckets: Buckets, of_samples: SampleFiles, links: Links, *, sinks: Callable[[], Sinks] | None
) -> tuple[Operation, ...]:
    """All of it."""
    return (
        *_of_datasets(buckets, links),
        *labels.OPERATIONS,
        *labelling.OPERATIONS,
        *imports.operations(buckets),
        *syncs.OPERATIONS,
        *samples.operations(buckets, links, of_samples=of_samples, sinks=sinks),
        *files.operations(of_samples),
        *uploads.operations(buckets, of_samples),
        *versions.operations(buckets),
        *exports.operations(buckets),
        *statistics.OPERATIONS,
    )


def _of_datasets(buckets: Buckets, links: Links) -> tuple[Operation, ...]:
    calls = Datasets(buckets, links)
    return (
        Operation(
            name="ListDatasets",
            method="GET",
            path=ALL,
            handler=View(look=calls.list, may_grow=always),
            mark=Mark.COMPANION,
            summary="The project's datasets",
            query=DatasetsQuery,
        ),
        Operation(
            name="CreateDataset",
            method="POST",
            path=ALL,
            handler=calls.create,
            mark=Mark.COMPANION,
            summary="A dataset of what is in a bucket, which is read",
            body=CreateDatasetBody,
            ok=201,
        ),
        Operation(
            name="DescDataset",
            method="GET",
            path=ONE,
            handler=View(look=show_dataset, may_grow=always),
            mark=Mark.COMPANION,
            summary="One dataset, with its labels",
            query=TasksQuery,
        ),
        Operation(
            name="UpdateDataset",
            method="PUT",
            path=ONE,
            handler=update_dataset,
            mark=Mark.COMPANION,
            summary="Change what is said of a dataset, and its labels",
            body=ChangeDatasetBody,
        ),
        Operation(
            name="DeleteDataset",
            method="DELETE",
            path=ONE,
            handler=delete_dataset,
            mark=Mark.COMPANION,
            summary="Take a dataset from the catalogue; files stay",
            ok=204,
        ),
    )


def _create(
    tx: Write, caller: Caller, body: CreateDatasetBody, *, source: DataSourceShape, paths: Paths
) -> DatasetIdShape:
    workspace = chosen(tx, caller, body.workspace_id) or workspaces.DEFAULT
    new = new_dataset(body, source, paths=paths, workspace=workspace)
    reading = first_import(body, source, paths=paths)
    made = datasets.register(tx, caller, new, path=paths.data)
    labelling.create_each(tx, caller, labelling.each_of(made, body.labels, "labels"))
    begun = None if reading is None else transfers.begin_import(tx, caller, made.uuid, new=reading)
    return DatasetIdShape(dataset_id=bare(made.uuid), import_task_id=None if begun is None else bare(begun.uuid))


def _update(tx: Write, caller: Caller, uuid: UUID, *, body: ChangeDatasetBody) -> None:
    """All of it or nothing. Labels are deleted first: one may be deleted and made anew."""
    before = datasets.find(tx, caller, uuid)
    name = checking.name(body.dataset_name) if body.dataset_name and body.dataset_name != before.name else None
    datasets.change_own(tx, caller, uuid, to=DatasetChange(name=name, description=body.description))
    labelling.delete_each(tx, caller, labelling.each_of(before, body.delete_labels, "delete_labels"))
    labelling.update_each(tx, caller, labelling.each_of(before, body.update_labels, "update_labels"))
    labelling.create_each(tx, caller, labelling.each_of(before, body.add_labels, "add_labels"))
    version = version_named(tx, before, body.current_version_id)
    if version is not None:
        transfers.make_current(tx, caller, uuid, uuid=version.uuid)


def _current(tx: Read, rows: Sequence[Dataset]) -> dict[int, versions.VersionShape]:
    """The versions that datasets have as their current ones, by the ids of the datasets."""
    ids = [(one, one.current_version) for one in rows if one.current_version is not None]
    found = transfers.versions_of(tx, [id for _, id in ids])
    current = [(one, found[id]) for one, id in ids if id in found]
    shapes = versions.version_shapes(tx, current)
    return {one.id: shape for (one, _), shape in zip(current, shapes, strict=True)}


def _delete(tx: Write, caller: Caller, uuid: UUID) -> None:
    locked(tx, caller, uuid)
    datasets.delete(tx, caller, uuid, users=transfers.DATASET_USERS)
