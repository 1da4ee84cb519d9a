"""Export tasks: begun, listed and shown; a worker writes what they ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.errors import Missing
from trivium.base.ids import uuid_of
from trivium.base.query import Condition, Op, Order, Query
from trivium.base.text import Language
from trivium.dialects.modelarts.datasets import checking, sources
from trivium.dialects.modelarts.datasets.conditions import Seeking
from trivium.dialects.modelarts.datasets.finding import ONE as DATASET
from trivium.dialects.modelarts.datasets.finding import dataset_uuid, locked, seen, version_named
from trivium.dialects.modelarts.datasets.seeking import OF_TEAMS, STATES
from trivium.dialects.modelarts.datasets.sources import DataSourceShape
from trivium.dialects.modelarts.datasets.versions import FORMATS, RATIO, WHOLE
from trivium.dialects.modelarts.errors import BadExport
from trivium.dialects.modelarts.paging import numbered_page
from trivium.dialects.modelarts.spelling import Shape, Text, bare, milliseconds, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, Write, always
from trivium.dialects.reading import OutOfBounds
from trivium.resources import datasets, stores, transfers
from trivium.resources.datasets import Buckets, Dataset, DatasetType, NewDataset
from trivium.resources.models import NOWHERE
from trivium.resources.samples import NoSuchSample, Sought
from trivium.resources.transfers import (
    Chosen,
    Form,
    Into,
    KeptAt,
    NewExport,
    NoSuchTransfer,
    SampleExport,
    TransferStatus,
)

ALL: Final = f"{DATASET}/export-tasks"
ONE: Final = f"{ALL}/{{resource_id}}"
FEW: Final = 10
MOST: Final = 100
KINDS: Final = {0: Chosen.LABELLED, 1: Chosen.BARE, 2: Chosen.ALL, 3: Chosen.SOUGHT}
CONDITIONS: Final = "export_params.search_conditions"
TREE: Final = 1
FLAT: Final = 2
COCO: Final = "COCO"
ANNOTATIONS: Final = ("VOC", COCO)
WITH_SHAPES: Final = (DatasetType.OBJECT_DETECTION, DatasetType.IMAGE_SEGMENTATION)
NEW_DATASET: Final = "NEW_DATASET"
DESTINATIONS: Final = ("DIR", NEW_DATASET)
NEW_NAME: Final = "export_params.export_new_dataset_name"
NEW_PLACE: Final = "export_params.export_new_dataset_work_path"
STATUSES: Final = {
    TransferStatus.WAITING: "INIT",
    TransferStatus.RUNNING: "RUNNING",
    TransferStatus.DONE: "SUCCESSED",
    TransferStatus.FAILED: "FAILED",
    TransferStatus.STOPPED: "FAILED",
}
FAILED: Final = "ModelArts.4358"


class ParametersBody(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """How samples are exported."""

    export_dest: Text = None
    export_new_dataset_name: Text = None
    export_new_dataset_work_path: Text = None
    samples: tuple[str, ...] | None = None
    search_conditions: tuple[dict[str, Any], ...] | None = None
    train_sample_ratio: Text = None
    ratio_sample_usage: bool | None = None
    clear_hard_property: bool | None = None
    remove_sample_usage: bool | None = None
    sample_state: Text = None


class ExportBody(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A new export task."""

    path: str
    export_type: int | None = None
    export_format: int | None = None
    annotation_format: Text = None
    version_id: Text = None
    version_format: Text = None
    sample_state: Text = None
    with_column_header: bool | None = None
    export_params: ParametersBody | None = None


class ExportsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    export_type: int | None = None
    limit: int | None = None
    offset: int | None = None


class TaskIdShape(Shape, frozen=True, kw_only=True):
    """Which task was begun."""

    task_id: str


class ExportShape(Shape, frozen=True, kw_only=True):
    """A task."""

    task_id: str
    path: str
    export_type: int
    export_format: int | None = None
    export_params: ParametersBody | None = None
    annotation_format: Text = None
    version_format: Text = None
    version_id: Text = None
    status: str
    progress: float
    total_sample_count: int
    finished_sample_count: int
    create_time: int
    update_time: int
    error_code: Text = None
    error_msg: Text = None


class ExportsPage(Shape, frozen=True, kw_only=True):
    """A page of tasks."""

    total_count: int
    export_tasks: list[ExportShape]


def list_exports(tx: Read, call: Call[Nothing, ExportsQuery]) -> ExportsPage:
    """A page of the tasks of a dataset, newest first. What is written for versions is none of them."""
    asked = call.query
    page = numbered_page(asked.limit, asked.offset, default=FEW, most=MOST)
    where = [Condition(field="version", op=Op.NULL)]
    if asked.export_type is not None:
        where.append(Condition(field="chosen", op=Op.EQ, value=_chosen(asked.export_type).value))
    query = Query(where=tuple(where), order=(Order(field="id", descending=True),), page=page)
    found = transfers.list_exports(tx, seen(tx, call), query)
    return ExportsPage(total_count=found.total or 0, export_tasks=[export_shape(one) for one in found.rows])


def show_export(tx: Read, call: Call[Nothing, Nothing]) -> ExportShape:
    """One task. `NoSuchTransfer`."""
    dataset, uuid = seen(tx, call), uuid_of(call.request.parameters["resource_id"])
    if uuid is None:
        raise NoSuchTransfer
    return export_shape(transfers.get_export(tx, dataset, uuid))


class Exports:
    """What begins tasks, whose places are looked up in the buckets."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._seeking = Seeking(buckets)

    async def begin(self, call: Call[ExportBody, Nothing]) -> TaskIdShape:
        """A task, which waits for a worker."""
        body = call.body
        _check(body)
        uuid = dataset_uuid(call)
        dataset = await call.read(datasets.find, uuid)
        path = await asyncio.to_thread(self._buckets.path, call.caller, body.path, field="path")
        asked = body.export_params or ParametersBody()
        new = NewExport(
            path=path,
            manifest="",
            chosen=_of(body),
            sought=await asyncio.to_thread(self._sought, call, asked),
            within=_within(body),
            uuids=_uuids(asked.samples or ()),
            form=_form(body, await sources.base_of(self._buckets, call.caller, dataset), called=dataset.url),
            settings=msgspec.to_builtins(body),
            into=await asyncio.to_thread(self._into, call, dataset, path=path),
        )
        return TaskIdShape(task_id=bare((await call.write(_begin, uuid, new=new, version=body.version_id)).uuid))

    def _into(self, call: Call[ExportBody, Nothing], dataset: Dataset, *, path: str) -> Into | None:
        """The dataset that is to come of it. `BadPlace`, `NoSuchBucket`."""
        asked = call.body.export_params or ParametersBody()
        if one_of(asked.export_dest, "export_params.export_dest", DESTINATIONS) != NEW_DATASET:
            return None
        said = asked.export_new_dataset_work_path or ""
        work = checking.apart(self._buckets.path(call.caller, said, field=NEW_PLACE), path, said=said, field=NEW_PLACE)
        source = DataSourceShape(data_path=call.body.path, data_type=sources.OBS)
        new = NewDataset(
            name=asked.export_new_dataset_name or "",
            url=call.body.path,
            store=NOWHERE,
            type=dataset.type,
            workspace=dataset.workspace,
            work_path=work,
            settings=sources.kept(data_sources=[source], work_path=said),
        )
        return Into(caller=call.caller, new=new, settings=sources.kept(import_path=call.body.path, data_source=source))

    def _sought(self, call: Call[ExportBody, Nothing], asked: ParametersBody) -> tuple[Sought, ...]:
        now = call.core.clock.now()
        return self._seeking.of_list(asked.search_conditions or ({},), call.caller, now, at=CONDITIONS)


def export_shape(one: SampleExport) -> ExportShape:
    """The task as it is shown."""
    asked = msgspec.convert(one.asked.settings, ExportBody)
    said = one.reason if one.status is TransferStatus.FAILED else one.shortfall(Language.EN)
    dealt = one.written + one.refused
    return ExportShape(
        task_id=bare(one.uuid),
        path=asked.path,
        export_type=one.asked.chosen.value,
        export_format=asked.export_format,
        export_params=asked.export_params,
        annotation_format=asked.annotation_format,
        version_format=asked.version_format,
        version_id=asked.version_id,
        status=STATUSES[one.status],
        progress=100.0 if one.status is TransferStatus.DONE else round(100 * dealt / max(one.total, dealt, 1), 2),
        total_sample_count=one.total,
        finished_sample_count=one.written,
        create_time=milliseconds(one.created_at),
        update_time=milliseconds(one.changed_at),
        error_code=FAILED if one.status is TransferStatus.FAILED else None,
        error_msg=None if said is None else sources.told(said, one.asked.path, asked.path).say(Language.EN),
    )


def operations(buckets: Buckets) -> Sequence[Operation]:
    """All of it."""
    return (
        Operation(
            name="ListExportTasks",
            method="GET",
            path=ALL,
            handler=View(look=list_exports, may_grow=always),
            mark=Mark.COMPANION,
            summary="The export tasks of a dataset, newest first",
            query=ExportsQuery,
        ),
        Operation(
            name="ExportTask",
            method="POST",
            path=ALL,
            handler=Exports(buckets).begin,
            mark=Mark.COMPANION,
            summary="Write samples with their labels to a new directory",
            body=ExportBody,
        ),
        Operation(
            name="DescExportTask",
            method="GET",
            path=ONE,
            handler=View(look=show_export, may_grow=always),
            mark=Mark.COMPANION,
            summary="One export task",
        ),
    )


def _check(body: ExportBody) -> None:
    """Raise what cannot be exported so: `Missing`, `NotOneOf`, `OutOfBounds`, `BadExport`."""
    if not body.path.strip():
        raise Missing("path", "path is required")
    asked = body.export_params or ParametersBody()
    if body.export_format not in (None, TREE, FLAT):
        raise OutOfBounds("export_format", "1 or 2")
    one_of(body.annotation_format, "annotation_format", ANNOTATIONS)
    if one_of(body.version_format, "version_format", FORMATS) not in (None, FORMATS[0]):
        raise BadExport("version_format", "samples are exported with a manifest")
    if one_of(asked.export_dest, "export_params.export_dest", DESTINATIONS) == NEW_DATASET:
        _check_new(asked)
    if asked.train_sample_ratio and not RATIO.fullmatch(asked.train_sample_ratio):
        raise OutOfBounds("export_params.train_sample_ratio", "from 0 to 1, with two digits behind the point")


def _check_new(asked: ParametersBody) -> None:
    """Raise what no new dataset can be: `Missing`, `OutOfBounds`."""
    for field, said in ((NEW_NAME, asked.export_new_dataset_name), (NEW_PLACE, asked.export_new_dataset_work_path)):
        if not said:
            raise Missing(field)
    if not checking.NAME.fullmatch(asked.export_new_dataset_name or ""):
        raise OutOfBounds(NEW_NAME, "of 1 to 100 letters, digits, - and _")


def _chosen(number: int | None) -> Chosen:
    """Which samples an export has. `OutOfBounds`."""
    if number is None:
        return Chosen.ALL
    if number not in KINDS:
        raise OutOfBounds("export_type", "an integer from 0 to 3")
    return KINDS[number]


def _of(body: ExportBody) -> Chosen:
    """Which samples a body asks for. `OutOfBounds`, and `BadExport` for conditions that are not asked for, or lack."""
    asked = body.export_params or ParametersBody()
    if asked.search_conditions and body.export_type is None:
        return Chosen.SOUGHT
    chosen = _chosen(body.export_type)
    if asked.search_conditions and chosen is not Chosen.SOUGHT:
        raise BadExport(CONDITIONS, "conditions go with export_type 3")
    if chosen is Chosen.SOUGHT and not asked.search_conditions and not asked.samples:
        raise BadExport(CONDITIONS, "export_type 3 goes with conditions, or with samples")
    return chosen


def _within(body: ExportBody) -> Sought:
    """The states that samples must be in besides. `NotOneOf`, `BadExport`."""
    asked = body.export_params or ParametersBody()
    fields = (("sample_state", body.sample_state), ("export_params.sample_state", asked.sample_state))
    states = {word for field, said in fields if (word := one_of(said, field, (*STATES, *OF_TEAMS))) is not None}
    if len(states) > 1:
        raise BadExport("sample_state", "is told twice, and not the same")
    return Sought(states=STATES.get(states.pop(), ())) if states else Sought()


def _uuids(named: tuple[str, ...]) -> tuple[UUID, ...]:
    """The samples that are named. `NoSuchSample`."""
    found = [uuid_of(one) for one in named]
    if None in found:
        raise NoSuchSample
    return tuple(one for one in found if one is not None)


def _form(body: ExportBody, base: bytes, *, called: str) -> Form:
    asked = body.export_params or ParametersBody()
    is_coco = one_of(body.annotation_format, "annotation_format", ANNOTATIONS) == COCO
    return Form(
        copies=True,
        flat=body.export_format == FLAT,
        beside=not is_coco,
        coco=is_coco,
        base=base,
        called=called,
        keeps_hard=asked.clear_hard_property is False,
        keeps_usage=not asked.remove_sample_usage,
        train=float(asked.train_sample_ratio or WHOLE) if asked.ratio_sample_usage else None,
    )


def _begin(tx: Write, caller: Caller, uuid: UUID, *, new: NewExport, version: Text) -> SampleExport:
    dataset = locked(tx, caller, uuid)
    stores.containing(tx, caller, new.path, field="path", called=new.settings["path"])
    if new.form.coco and dataset.type not in WITH_SHAPES:
        raise BadExport("annotation_format", "COCO is for object detection and image segmentation")
    if new.into is not None:
        datasets.check_free(tx, caller.project, new.into.new.name)
    source = _source(tx, dataset, version)
    named = msgspec.structs.replace(new, manifest=f"dataset-{dataset.uuid.hex}.manifest", source=source)
    return transfers.begin_export(tx, caller, uuid, new=named)


def _source(tx: Write, dataset: Dataset, named: Text) -> KeptAt | None:
    """Where the samples of the version are that is named. `NoSuchVersion`, `BadExport`."""
    version = version_named(tx, dataset, named)
    if version is None:
        return None
    if version.digest is None:
        raise BadExport("version_id", "the manifest of the version was not written, or by an older release")
    return KeptAt(path=version.manifest, digest=version.digest, total=version.counts.total)
