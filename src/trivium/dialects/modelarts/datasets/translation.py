"""Between ModelArts' words for datasets and the core's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from trivium.base.query import Condition, Op, Order, Query
from trivium.base.values import Value
from trivium.dialects.modelarts.datasets import checking, sources
from trivium.dialects.modelarts.datasets.labels import LabelShape
from trivium.dialects.modelarts.datasets.samples import SampleShape
from trivium.dialects.modelarts.datasets.shapes import CreateDatasetBody, DatasetShape, DatasetsQuery, TasksQuery
from trivium.dialects.modelarts.datasets.sources import DataSourceShape, FieldShape, LabelFormatShape
from trivium.dialects.modelarts.datasets.versions import VersionShape, settings_sought
from trivium.dialects.modelarts.errors import NotSortable
from trivium.dialects.modelarts.paging import numbered_page
from trivium.dialects.modelarts.spelling import Shape, Text, bare, milliseconds, one_of
from trivium.dialects.modelarts.workspaces import DEFAULT_ENTERPRISE, workspace_id
from trivium.dialects.reading import OutOfBounds
from trivium.resources.datasets import Dataset, DatasetType, NewDataset
from trivium.resources.datasets.ports import Wanted
from trivium.resources.models import NOWHERE
from trivium.resources.transfers import (
    NewImport,
    SampleImport,
    SoughtVersions,
    Task,
    TaskKind,
    Way,
)

TYPES: Final = tuple(int(one) for one in DatasetType)
FEW: Final = 10
MOST: Final = 100
SORTED_BY: Final[Mapping[str, str]] = {"create_time": "id", "dataset_name": "name"}
NORMAL: Final = 1
PUBLISHING: Final = 6
SYNCING: Final = 5
IMPORTING: Final = 8
STATUSES: Final = {TaskKind.SYNC: SYNCING, TaskKind.IMPORT: IMPORTING, TaskKind.MANIFEST: IMPORTING}
TASK_TYPES: Final = {TaskKind.EXPORT: 2, TaskKind.MANIFEST: 5, TaskKind.PUBLICATION: 6}
"""The numbers that tasks have there; imports of directories and syncs have none."""

LAST_TASK_TYPE: Final = 7
GENERATIONS: Final = ("v1", "v2", "all")
OF_FILES: Final = 0
OF_TABLES: Final = 1
FROM_DIRECTORIES: Final = frozenset(
    {
        DatasetType.IMAGE_CLASSIFICATION,
        DatasetType.OBJECT_DETECTION,
        DatasetType.TEXT_CLASSIFICATION,
        DatasetType.SOUND_CLASSIFICATION,
    }
)
"""Types whose samples are read from the source when a dataset is made."""

ONLY_FILES: Final = ("0",)


class Paths(Value, frozen=True):
    """Where the places are that a body names."""

    data: str
    work: str


class Said(Shape, frozen=True, kw_only=True):
    """What callers say of a dataset that is kept as it is, to be shown again."""

    data_sources: tuple[DataSourceShape, ...] | None = None
    work_path: Text = None
    schema: tuple[FieldShape, ...] | None = None
    import_data: bool | None = None
    label_format: LabelFormatShape | None = None


class Around(Value, frozen=True):
    """What is shown with datasets from outside of their rows, by their ids."""

    tasks: Mapping[int, Sequence[Task]]  # that go on
    task_type: int | None  # of those that are told; None: of all
    workspaces: Mapping[int, UUID]
    labels: Mapping[int, list[LabelShape]]
    samples: Mapping[int, list[SampleShape]]
    current: Mapping[int, VersionShape]  # versions
    numbers: Mapping[int, int]  # of versions
    last_import: SampleImport | None = None  # of the one that is shown
    columns: tuple[str, ...] = ()  # of the one that is shown, where it is a table


def datasets_query(asked: DatasetsQuery, workspace: int | None) -> Query:
    """The list that is asked for. `Invalid`."""
    page = numbered_page(asked.limit, asked.offset, default=FEW, most=MOST)
    where: list[Condition] = []
    if asked.search_content:
        where.append(Condition(field="name", op=Op.CONTAINS, value=asked.search_content))
    if asked.dataset_type is not None:
        where.append(Condition(field="type", op=Op.EQ, value=_type(asked.dataset_type).value))
    if asked.support_export:
        where.append(Condition(field="type", op=Op.NE, value=DatasetType.TABLE.value))
    one_of(asked.dataset_version, "dataset_version", GENERATIONS)
    if workspace is not None:
        where.append(Condition(field="workspace", op=Op.EQ, value=workspace))
    return Query(where=tuple(where), order=_order(asked), page=page)


def versions_sought(asked: DatasetsQuery) -> tuple[SoughtVersions, ...]:
    """The versions that datasets are to have. `OutOfBounds`."""
    settings = settings_sought(asked.version_format, asked.train_evaluate_ratio)
    having = (SoughtVersions(settings=settings),) if settings else ()
    if asked.contain_versions is None:
        return having
    return (*having, SoughtVersions(there=asked.contain_versions))


def task_type(asked: TasksQuery) -> int | None:
    """The type of the tasks that are to be told; None: all of them. `OutOfBounds`."""
    given = asked.running_task_type
    if given is not None and not 0 <= given <= LAST_TASK_TYPE:
        raise OutOfBounds("running_task_type", f"between 0 and {LAST_TASK_TYPE}")
    return given if asked.check_running_task else None


def new_dataset(body: CreateDatasetBody, source: DataSourceShape, *, paths: Paths, workspace: int) -> NewDataset:
    """The dataset that is asked for. `OutOfBounds`, `WorkPathWithin`."""
    kind = DatasetType.FREE if body.dataset_type is None else _type(body.dataset_type)
    said = sources.kept(
        data_sources=[source],
        work_path=body.work_path,
        schema=body.schema,
        import_data=body.import_data,
        label_format=body.label_format,
    )
    return NewDataset(
        name=body.dataset_name,
        url=source.data_path or "",
        store=NOWHERE,
        description=body.description or None,
        type=kind,
        workspace=workspace,
        work_path=checking.apart(paths.work, paths.data, said=body.work_path),
        settings=said,
    )


def first_import(body: CreateDatasetBody, source: DataSourceShape, *, paths: Paths) -> NewImport | None:
    """What is read of a new dataset's source; None where its type is not read from directories, or nothing is to be."""
    kind = DatasetType.FREE if body.dataset_type is None else _type(body.dataset_type)
    tables = kind is DatasetType.TABLE and bool(body.import_data)
    texts = sources.text_format(body.label_format)
    if not tables and kind not in FROM_DIRECTORIES:
        return None
    return NewImport(
        path=paths.data,
        way=Way.TABLE if tables else Way.DIRECTORY,
        wanted=Wanted(labels=body.import_annotations is not False),
        texts=texts,
        columns=sources.columns(source, body.schema or (), has_header=None),
        settings=sources.kept(import_path=source.data_path, data_source=source),
    )


def dataset_shape(dataset: Dataset, around: Around) -> DatasetShape:
    """The dataset as it is shown."""
    said = msgspec.convert(_kept(dataset.settings), Said)
    going, counts = around.tasks.get(dataset.id, ()), dataset.counts
    told = [one for one in going if around.task_type in (None, TASK_TYPES.get(one.kind))]
    current = around.current.get(dataset.id)
    work = said.work_path or dataset.work_path or ""
    # Versions are published below it.
    inner = None if dataset.work_path is None else f"{sources.work_path_of(dataset)}/dataset-{bare(dataset.uuid)}/"
    shown = said.data_sources or (DataSourceShape(data_path=dataset.url, data_type=sources.OBS),)
    return DatasetShape(
        dataset_id=bare(dataset.uuid),
        dataset_name=dataset.name,
        dataset_type=dataset.type.value,
        dataset_format=OF_TABLES if dataset.type is DatasetType.TABLE else OF_FILES,
        data_format=checking.PLAIN,
        description=dataset.description or "",
        status=_status(dataset, going),
        data_sources=shown,
        data_url=shown[0].data_path,
        labels=around.labels.get(dataset.id),
        schema=said.schema or _columns(around.columns),
        samples=around.samples.get(dataset.id),
        label_format=said.label_format,
        work_path=work,
        work_path_type=sources.OBS,
        inner_work_path=inner,
        inner_annotation_path=None if inner is None else f"{inner}annotation/",
        next_version_num=dataset.versions + 1,
        dataset_version_count=around.numbers.get(dataset.id, 0),
        current_version_id="" if current is None else current.version_id,
        current_version_name="" if current is None else current.version_name,
        versions=() if current is None else (current,),
        total_sample_count=counts.total,
        annotated_sample_count=counts.annotated,
        unconfirmed_sample_count=counts.unconfirmed,
        deleted_sample_count=counts.deleted,
        total_sub_sample_count=counts.sub,
        annotated_sub_sample_count=counts.sub_annotated,
        create_time=milliseconds(dataset.created_at),
        update_time=milliseconds(dataset.changed_at),
        data_update_time=None if dataset.samples_changed_at is None else milliseconds(dataset.samples_changed_at),
        import_data=bool(said.import_data),
        import_task_id=None if around.last_import is None else bare(around.last_import.uuid),
        managed=False,
        content_labeling=True,
        exist_running_task=bool(told),
        running_tasks_id=[bare(one.uuid) for one in told],
        exist_workforce_task=False,
        workforce_task_count=0,
        label_task_count=0,
        feature_supports=ONLY_FILES,
        enterprise_project_id=DEFAULT_ENTERPRISE,
        workspace_id=workspace_id(around.workspaces.get(dataset.workspace)),
    )


def _columns(names: Sequence[str]) -> tuple[FieldShape, ...] | None:
    """The columns that a header told; None where there are none."""
    return tuple(FieldShape(schema_id=number, name=name) for number, name in enumerate(names, start=1)) or None


def _kept(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in settings.items() if name in Said.__struct_fields__}


def _status(dataset: Dataset, going: Sequence[Task]) -> int:
    found = [STATUSES[one.kind] for one in going if one.kind in STATUSES]
    return found[0] if found else PUBLISHING if dataset.publishing else NORMAL


def _type(number: int) -> DatasetType:
    if number not in TYPES:
        raise OutOfBounds("dataset_type", f"one of {', '.join(map(str, TYPES))}")
    return DatasetType(number)


def _order(asked: DatasetsQuery) -> tuple[Order, ...]:
    key = (asked.sort_by or "").strip() or "create_time"
    if key not in SORTED_BY:
        raise NotSortable("sort_by", key=key[:128])
    descending = one_of(asked.order, "order", ("asc", "desc")) != "asc"
    named = tuple(dict.fromkeys((SORTED_BY[key], "id")))
    return tuple(Order(field=name, descending=descending) for name in named)
