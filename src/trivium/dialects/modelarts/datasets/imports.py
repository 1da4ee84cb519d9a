"""Import tasks: begun, listed and shown; a worker reads what they name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.errors import Missing
from trivium.base.ids import uuid_of
from trivium.base.query import Condition, Op, Order, Query
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.dialects.modelarts.datasets import sources
from trivium.dialects.modelarts.datasets.finding import LABEL_TYPES, OF_DATASETS, dataset_uuid, locked, seen
from trivium.dialects.modelarts.datasets.finding import ONE as DATASET
from trivium.dialects.modelarts.datasets.sources import DataSourceShape, LabelFormatShape
from trivium.dialects.modelarts.errors import NotOneOf, OnlyBuckets
from trivium.dialects.modelarts.paging import numbered_page
from trivium.dialects.modelarts.spelling import Shape, Text, bare, milliseconds, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, Write, always
from trivium.dialects.reading import OutOfBounds
from trivium.resources import stores, transfers
from trivium.resources.datasets import Buckets, Dataset, DatasetType
from trivium.resources.datasets.ports import Wanted
from trivium.resources.transfers import NewImport, SampleImport, TransferStatus, Way

ALL: Final = f"{DATASET}/import-tasks"
ONE: Final = f"{ALL}/{{task_id}}"
FEW: Final = 10
TOLD: Final = 5
"""Refusals that a task tells of."""

MOST: Final = 100
DIRECTORY: Final = "dir"
MANIFEST: Final = "manifest"
NUMBERS: Final = {"0": DIRECTORY, "1": MANIFEST}  # as answers have them
OBS: Final = "obs"
ORIGINS: Final = (OBS, "dws", "dli", "rds", "mrs", "inference")
NOT_EXIST: Final = "NOT_EXIST"
STATUSES: Final = {
    TransferStatus.WAITING: ("QUEUING", 0),
    TransferStatus.RUNNING: ("RUNNING", 1),
    TransferStatus.DONE: ("COMPLETED", 2),
    TransferStatus.FAILED: ("FAILED", 3),
    TransferStatus.STOPPED: ("FAILED", 4),
}
"""What a task's status is called, and the number of that of what reads its source."""

CODES: Final = {
    "dataset.source.absent": "ModelArts.4312",
    "dataset.source.empty": "ModelArts.4312",
    "dataset.source.closed": "ModelArts.4374",
    "dataset.source.outside": "ModelArts.4374",
    "dataset.source.location": "ModelArts.4374",
    "transfer.fault": "ModelArts.0010",
}
IMPORT_DATA: Final = "ModelArts.4362"
"""Why imports fail; and what any other reason is."""

STOPPED: Final = Reason(code="transfer.stopped")
NO_SYNCS: Final = (Condition(field="sync", op=Op.EQ, value=False),)


class LabelName(Wire, frozen=True, kw_only=True):
    """A label, of which the name counts; datasets of one type of labels have no other."""

    name: str
    type: int | None = None


class ImportBody(Wire, frozen=True, kw_only=True):
    """A new import task."""

    import_path: str
    import_type: str | int | None = None
    import_origin: Text = None
    import_samples: bool | None = None
    import_annotations: bool | None = None
    difficult_only: bool | None = None
    final_annotation: bool | None = None
    included_labels: tuple[LabelName | str, ...] | None = None
    excluded_labels: tuple[LabelName | str, ...] | None = None
    label_format: LabelFormatShape | None = None
    with_column_header: bool | None = None
    data_source: DataSourceShape | None = None


class ImportsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    limit: int | None = None
    offset: int | None = None


class TaskIdShape(Shape, frozen=True, kw_only=True):
    """Which task was begun."""

    task_id: str


class ProgressShape(Shape, frozen=True, kw_only=True):
    """How far the files are. Each sample counts as one."""

    file_num_finished: int
    file_num_total: int
    file_size_finished: int
    file_size_total: int


class ImportShape(Shape, frozen=True, kw_only=True):
    """A task."""

    task_id: str
    dataset_id: str
    status: str
    import_path: Text = None
    import_type: int | None = None
    create_time: int | None = None
    update_ms: int | None = None
    elapsed_time: int | None = None
    total_sample_count: int | None = None
    imported_sample_count: int | None = None
    annotated_sample_count: int | None = None
    unconfirmed_sample_count: int | None = None
    total_sub_sample_count: int | None = None
    imported_sub_sample_count: int | None = None
    total_file_count: int | None = None
    total_file_size: int | None = None
    finished_file_count: int | None = None
    finished_file_size: int | None = None
    error_code: Text = None
    error_msg: Text = None
    processor_task_id: Text = None
    processor_task_status: int | None = None
    file_statistics: ProgressShape | None = None
    data_source: DataSourceShape | None = None


class ImportsPage(Shape, frozen=True, kw_only=True):
    """A page of tasks."""

    total_count: int
    import_tasks: list[ImportShape]


def list_imports(tx: Read, call: Call[Nothing, ImportsQuery]) -> ImportsPage:
    """A page of the tasks of a dataset, newest first; syncs are none."""
    page = numbered_page(call.query.limit, call.query.offset, default=FEW, most=MOST)
    dataset = seen(tx, call)
    asked = Query(where=NO_SYNCS, order=(Order(field="id", descending=True),), page=page)
    found = transfers.list_imports(tx, dataset, asked)
    return ImportsPage(
        total_count=found.total or 0, import_tasks=[import_shape(dataset, one, said_of(tx, one)) for one in found.rows]
    )


def show_import(tx: Read, call: Call[Nothing, Nothing]) -> ImportShape:
    """One task; that there is none is a status, too."""
    dataset = seen(tx, call)
    named = call.request.parameters["task_id"]
    uuid = uuid_of(named)
    one = None if uuid is None else transfers.find_import(tx, dataset, uuid)
    if one is None or one.sync:
        return ImportShape(task_id=named, dataset_id=bare(dataset.uuid), status=NOT_EXIST)
    return import_shape(dataset, one, said_of(tx, one))


class Imports:
    """What begins tasks, from places that are looked up in the buckets."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    async def begin(self, call: Call[ImportBody, Nothing]) -> TaskIdShape:
        """A task, which waits for a worker."""
        path = await asyncio.to_thread(self._path, call.caller, call.body)
        begun = await call.write(_begin, dataset_uuid(call), body=call.body, path=path)
        return TaskIdShape(task_id=bare(begun.uuid))

    def _path(self, caller: Caller, body: ImportBody) -> str:
        """Where samples are read.

        Raises `Missing`, `BadPlace`, `NoSuchBucket`, and `OutOfBounds` for a source that is elsewhere.
        """
        if not body.import_path.strip():
            raise Missing("import_path", "import_path is required")
        path = self._buckets.path(caller, body.import_path, field="import_path")
        said = "" if body.data_source is None else body.data_source.data_path or ""
        if said.strip():
            whole = self._buckets.path(caller, said, field="data_source.data_path")
            if not f"{path}/".startswith(f"{whole}/"):
                raise OutOfBounds("data_source.data_path", "absent, or what import_path is or lies in")
        return path


def new_import(dataset: Dataset, body: ImportBody, path: str) -> NewImport:
    """What is asked for. `NotOneOf`, `OnlyBuckets`, `OutOfBounds`, `Missing`."""
    _check(body)
    source = None if body.data_source is None else sources.checked(body.data_source, "data_source")
    return NewImport(
        path=path,
        way=_way(dataset, body.import_type),
        wanted=Wanted(
            labels=body.import_annotations is not False,
            difficult_only=bool(body.difficult_only),
            included=_names(dataset, body.included_labels, "included_labels"),
            excluded=_names(dataset, body.excluded_labels, "excluded_labels"),
            confirmed=body.final_annotation is not False,
        ),
        texts=sources.text_format(body.label_format),
        columns=sources.columns(source, sources.schema_of(dataset.settings), has_header=body.with_column_header),
        settings=sources.kept(import_path=body.import_path, data_source=source),
    )


def import_shape(dataset: Dataset, one: SampleImport, said: str | None) -> ImportShape:
    """The task as it is shown, with what is said of what was refused."""
    status, processor = STATUSES[one.status]
    counts, settings = one.counts, one.asked.settings
    source = settings.get("data_source")
    return ImportShape(
        task_id=bare(one.uuid),
        dataset_id=bare(dataset.uuid),
        status=status,
        import_path=settings.get("import_path") or one.asked.path,
        import_type=int(one.asked.way is Way.MANIFEST),
        create_time=milliseconds(one.created_at),
        update_ms=milliseconds(one.changed_at),
        elapsed_time=int(one.seconds),
        total_sample_count=counts.total,
        imported_sample_count=counts.imported,
        annotated_sample_count=counts.annotated,
        unconfirmed_sample_count=counts.unconfirmed,
        total_sub_sample_count=counts.sub,
        imported_sub_sample_count=counts.sub,
        total_file_count=counts.total,
        total_file_size=counts.size,
        finished_file_count=counts.imported,
        finished_file_size=counts.size,
        error_code=code_of(one),
        error_msg=said,
        processor_task_id=bare(one.uuid),
        processor_task_status=processor,
        file_statistics=ProgressShape(
            file_num_finished=counts.imported,
            file_num_total=counts.total,
            file_size_finished=counts.size,
            file_size_total=counts.size,
        ),
        data_source=None if source is None else msgspec.convert(source, DataSourceShape),
    )


def code_of(one: SampleImport) -> Text:
    """The code of why an import or a sync failed."""
    return None if one.reason is None else CODES.get(one.reason.code, IMPORT_DATA)


def said_of(tx: Read, one: SampleImport) -> Text:
    """Why a task ended as it did, or how much was refused of one that is done, and why the first few were."""
    if one.reason is not None:
        place = one.asked.settings.get("import_path")
        return (sources.told(one.reason, one.asked.path, place) if place else one.reason).say(Language.EN)
    if one.status is TransferStatus.STOPPED:
        return STOPPED.say(Language.EN)
    if not one.counts.refused:
        return None
    first = " ".join(refusal.reason.say(Language.EN) for refusal in transfers.list_refusals(tx, one, most=TOLD))
    told = {"refused": f"{one.counts.refused}", "total": f"{one.counts.total}", "first": first}
    return Reason(code="transfer.refused", details=told).say(Language.EN)


def operations(buckets: Buckets) -> tuple[Operation, ...]:
    """All of it."""
    return (
        Operation(
            name="ListImportTasks",
            method="GET",
            path=ALL,
            handler=View(look=list_imports, may_grow=always),
            mark=Mark.SEED,
            summary="The import tasks of a dataset, newest first",
            query=ImportsQuery,
        ),
        Operation(
            name="ImportTask",
            method="POST",
            path=ALL,
            handler=Imports(buckets).begin,
            mark=Mark.COMPANION,
            summary="Import samples from a directory, a manifest or tables",
            body=ImportBody,
        ),
        Operation(
            name="DescImportTask",
            method="GET",
            path=ONE,
            handler=View(look=show_import),
            mark=Mark.COMPANION,
            summary="One import task",
        ),
    )


def _begin(tx: Write, caller: Caller, uuid: UUID, *, body: ImportBody, path: str) -> SampleImport:
    dataset = locked(tx, caller, uuid)
    # Whoever may not see the store reads nothing from it.
    stores.containing(tx, caller, path, field="import_path", called=body.import_path)
    return transfers.begin_import(tx, caller, uuid, new=new_import(dataset, body, path))


def _check(body: ImportBody) -> None:
    """Raise what cannot be had of a body: other services, and labels without their samples."""
    if one_of(body.import_origin, "import_origin", ORIGINS) not in (None, OBS):
        raise OnlyBuckets("import_origin")
    if body.import_samples is False:
        raise OutOfBounds("import_samples", "true: labels come with their samples")


def _way(dataset: Dataset, asked: str | int | None) -> Way:
    words = (DIRECTORY, MANIFEST)
    given = "" if asked is None else str(asked)
    if given.isdigit() and given not in NUMBERS:
        raise NotOneOf("import_type", words=", ".join(words))
    word = one_of(NUMBERS.get(given, given), "import_type", words) or DIRECTORY
    if word == MANIFEST:
        return Way.MANIFEST
    return Way.TABLE if dataset.type is DatasetType.TABLE else Way.DIRECTORY


def _names(dataset: Dataset, given: Sequence[LabelName | str] | None, field: str) -> frozenset[str]:
    """The names of labels. `OutOfBounds` for a type that no label of the dataset has."""
    for place, one in enumerate(given or ()):
        known = OF_DATASETS.get(dataset.type)
        types = LABEL_TYPES if known is None else (known.value,)
        if isinstance(one, LabelName) and one.type not in (None, *types):
            raise OutOfBounds(f"{field}[{place}].type", f"one of {', '.join(map(str, types))}")
    return frozenset(one if isinstance(one, str) else one.name for one in given or ())
