"""Versions of a dataset: published, listed, shown, and forgotten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.ids import uuid_of
from trivium.base.query import Condition, Op, Order, Query
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.dialects.modelarts.datasets import sources
from trivium.dialects.modelarts.datasets.finding import ONE as DATASET
from trivium.dialects.modelarts.datasets.finding import dataset_uuid, locked, seen
from trivium.dialects.modelarts.datasets.labels import LabelStatsShape, label_stats
from trivium.dialects.modelarts.paging import numbered_page
from trivium.dialects.modelarts.spelling import Shape, Text, bare, milliseconds, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, Write, always
from trivium.dialects.reading import OutOfBounds
from trivium.resources import datasets, transfers
from trivium.resources.datasets import Buckets, Dataset, NoWorkPath
from trivium.resources.samples import Range
from trivium.resources.transfers import (
    Form,
    NewVersion,
    NoSuchVersion,
    SoughtSetting,
    Version,
    VersionStatus,
)

ALL: Final = f"{DATASET}/versions"
ONE: Final = f"{ALL}/{{version_id}}"
MOST: Final = 1000
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
LONGEST_DESCRIPTION: Final = 256
BARRED: Final = frozenset("^!<>=&\"'")
FORMATS: Final = ("Default", "CarbonData", "CSV")
WHOLE: Final = "1.00"
NUMBERS: Final = {VersionStatus.MAKING: 0, VersionStatus.READY: 1, VersionStatus.FAILED: 4}
STATUSES: Final = {number: status for status, number in NUMBERS.items()}
GONE: Final = (2, 3)  # what is deleted is not there
RATIO_BOUND: Final = re.compile(r"0?\.[0-9]{1,8}|[01](\.0{0,8})?", re.ASCII)
RATIO: Final = re.compile(r"0|0?\.\d{1,2}|1(\.0{1,2})?")


class VersionBody(Wire, frozen=True, kw_only=True):
    """A new version."""

    version_name: Text = None
    version_format: Text = None
    description: Text = None
    clear_hard_property: bool | None = None
    remove_sample_usage: bool | None = None
    export_images: bool | None = None
    train_evaluate_sample_ratio: Text = None
    with_column_header: bool | None = None
    label_task_id: Text = None


class VersionsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    status: int | None = None
    train_evaluate_ratio: Text = None
    version_format: int | None = None
    offset: int | None = None
    limit: int | None = None


class VersionIdShape(Shape, frozen=True, kw_only=True):
    """Which version is being published."""

    version_id: str


class VersionShape(Shape, frozen=True, kw_only=True):
    """A version."""

    version_id: str
    version_name: str
    version_format: str
    previous_version_id: Text = None
    status: int
    create_time: int
    update_time: int
    description: str
    total_sample_count: int
    annotated_sample_count: int
    total_sub_sample_count: int
    annotated_sub_sample_count: int
    add_sample_count: int
    modified_sample_count: int
    deleted_sample_count: int
    manifest_path: str
    data_path: str
    is_current: bool
    export_images: bool
    remove_sample_usage: bool
    train_evaluate_sample_ratio: str
    task_type: int
    analysis_status: int
    message: Text = None
    tags: tuple[str, ...]
    with_column_header: bool | None = None
    label_stats: list[LabelStatsShape] | None = None


class VersionsPage(Shape, frozen=True, kw_only=True):
    """A page of versions."""

    total_number: int
    versions: list[VersionShape]


def list_versions(tx: Read, call: Call[Nothing, VersionsQuery]) -> VersionsPage:
    """A page of the versions of a dataset, newest first."""
    dataset, asked = seen(tx, call), call.query
    page = numbered_page(asked.limit, asked.offset, default=MOST, most=MOST)
    where: list[Condition] = []
    if asked.status is not None:
        if asked.status in GONE:
            return VersionsPage(total_number=0, versions=[])
        if asked.status not in STATUSES:
            raise OutOfBounds("status", "an integer from 0 to 4")
        where.append(Condition(field="status", op=Op.EQ, value=STATUSES[asked.status]))
    query = Query(where=tuple(where), order=(Order(field="id", descending=True),), page=page)
    settings = settings_sought(asked.version_format, asked.train_evaluate_ratio)
    found = transfers.list_versions(tx, dataset, query, settings=settings)
    return VersionsPage(
        total_number=found.total or 0, versions=version_shapes(tx, [(dataset, one) for one in found.rows])
    )


def show_version(tx: Read, call: Call[Nothing, Nothing]) -> VersionShape:
    """One version, with its labels."""
    dataset = seen(tx, call)
    version = transfers.get_version(tx, dataset, version_uuid(call))
    stats = [label_stats(label) for label in transfers.labels_of_version(tx, version)]
    (shape,) = version_shapes(tx, [(dataset, version)])
    return msgspec.structs.replace(shape, label_stats=stats)


class Versions:
    """What publishes versions, whose files are copied from where the dataset's source is."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    async def publish(self, call: Call[VersionBody, Nothing]) -> VersionIdShape:
        """A version, which a worker writes."""
        _check(call.body)
        uuid = dataset_uuid(call)
        dataset = await call.read(datasets.find, uuid)
        base = await sources.base_of(self._buckets, call.caller, dataset)
        made = await call.write(_publish, uuid, body=call.body, form=_form(call.body, base, called=dataset.url))
        return VersionIdShape(version_id=bare(made.uuid))


async def delete_version(call: Call[Nothing, Nothing]) -> None:
    """Forget a version; its files stay."""
    await call.write(_delete, dataset_uuid(call), version=version_uuid(call))


def version_uuid(call: Call[Any, Any]) -> UUID:
    """The version that a path names. `NoSuchVersion`."""
    found = uuid_of(call.request.parameters["version_id"])
    if found is None:
        raise NoSuchVersion
    return found


def version_shapes(tx: Read, every: Sequence[tuple[Dataset, Version]]) -> list[VersionShape]:
    """Versions of datasets as they are shown, without their labels."""
    before = transfers.versions_of(tx, [one.previous for _, one in every if one.previous is not None])
    return [_shape(dataset, one, before.get(one.previous or 0)) for dataset, one in every]


def form_of(version: Version) -> Form:
    """What the samples of a version are otherwise than they were."""
    return _form(msgspec.convert(version.settings, VersionBody), b"", called="")


def settings_sought(format: int | None, ratio: Text) -> tuple[SoughtSetting, ...]:
    """What was asked for in the versions that a list is of. `OutOfBounds`."""
    found: list[SoughtSetting] = []
    if format is not None:
        if format not in range(len(FORMATS)):
            raise OutOfBounds("version_format", f"an integer from 0 to {len(FORMATS) - 1}")
        found.append(SoughtSetting(name="version_format", default=FORMATS[0], texts=(FORMATS[format],)))
    if (ratio or "").strip():
        between = _ratios(ratio or "")
        found.append(SoughtSetting(name="train_evaluate_sample_ratio", default=WHOLE, range=between))
    return tuple(found)


def operations(buckets: Buckets) -> Sequence[Operation]:
    """All of it."""
    return (
        Operation(
            name="ListDatasetVersions",
            method="GET",
            path=ALL,
            handler=View(look=list_versions, may_grow=always),
            mark=Mark.COMPANION,
            summary="The versions of a dataset, newest first",
            query=VersionsQuery,
        ),
        Operation(
            name="CreateDatasetVersion",
            method="POST",
            path=ALL,
            handler=Versions(buckets).publish,
            mark=Mark.COMPANION,
            summary="Publish a version: a manifest of the samples as they are, and copies where they are asked for",
            body=VersionBody,
            ok=201,
        ),
        Operation(
            name="DescDatasetVersion",
            method="GET",
            path=ONE,
            handler=View(look=show_version, may_grow=always),
            mark=Mark.COMPANION,
            summary="One version, with how often it has each label",
        ),
        Operation(
            name="DeleteDatasetVersion",
            method="DELETE",
            path=ONE,
            handler=delete_version,
            mark=Mark.COMPANION,
            summary="Forget a version; its files stay",
            ok=204,
        ),
    )


def _shape(dataset: Dataset, version: Version, previous: Version | None) -> VersionShape:
    said, counts = msgspec.convert(version.settings, VersionBody), version.counts
    manifest = sources.shown_below(dataset, version.manifest)
    return VersionShape(
        version_id=bare(version.uuid),
        version_name=version.name,
        version_format=said.version_format or FORMATS[0],
        previous_version_id=None if previous is None else bare(previous.uuid),
        status=NUMBERS[version.status],
        create_time=milliseconds(version.created_at),
        update_time=milliseconds(version.changed_at),
        description=version.description or "",
        total_sample_count=counts.total,
        annotated_sample_count=counts.annotated,
        total_sub_sample_count=counts.sub,
        annotated_sub_sample_count=counts.sub_annotated,
        add_sample_count=version.since.added,
        modified_sample_count=version.since.modified,
        deleted_sample_count=version.since.deleted,
        manifest_path=manifest,
        data_path=manifest.rpartition("/")[0],
        is_current=dataset.current_version == version.id,
        export_images=bool(said.export_images),
        remove_sample_usage=said.remove_sample_usage is not False,
        train_evaluate_sample_ratio=said.train_evaluate_sample_ratio or WHOLE,
        task_type=dataset.type.value,
        analysis_status=0,
        tags=(),
        message=None if version.reason is None else _message(dataset, version.reason),
        with_column_header=said.with_column_header,
    )


def _ratios(text: str) -> Range:
    """The ratios from the one to the other. `OutOfBounds`."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 2 and all(map(RATIO_BOUND.fullmatch, parts)):  # noqa: PLR2004 - the least and the most
        found = Range(float(parts[0]), float(parts[1]))
        if found.least <= found.most:
            return found
    raise OutOfBounds("train_evaluate_ratio", "two numbers from 0 to 1 with a comma between them, the smaller first")


def _check(body: VersionBody) -> None:
    if body.version_name and not NAME.fullmatch(body.version_name):
        raise OutOfBounds("version_name", "of 1 to 32 letters, digits, - and _")
    one_of(body.version_format, "version_format", FORMATS)
    description = body.description or ""
    if len(description) > LONGEST_DESCRIPTION or BARRED & {*description}:
        raise OutOfBounds("description", f"of at most {LONGEST_DESCRIPTION} characters, without ^ ! < > = & \" and '")
    if body.train_evaluate_sample_ratio and not RATIO.fullmatch(body.train_evaluate_sample_ratio):
        raise OutOfBounds("train_evaluate_sample_ratio", "from 0 to 1, with two digits behind the point")


def _form(body: VersionBody, base: bytes, *, called: str) -> Form:
    train = float(body.train_evaluate_sample_ratio or WHOLE)
    return Form(
        copies=bool(body.export_images),
        base=base,
        called=called,
        keeps_hard=body.clear_hard_property is False,
        keeps_usage=body.remove_sample_usage is False,
        train=None if train == float(WHOLE) else train,
    )


def _publish(tx: Write, caller: Caller, uuid: UUID, *, body: VersionBody, form: Form) -> Version:
    dataset = locked(tx, caller, uuid)
    if dataset.work_path is None:
        raise NoWorkPath("work_path", "is none, and versions are written below it", name=dataset.name)
    new = NewVersion(
        name=body.version_name or None,
        description=body.description or None,
        path=f"{dataset.work_path}/dataset-{dataset.uuid.hex}/annotation",
        settings=msgspec.to_builtins(body),
    )
    return transfers.publish(tx, caller, uuid, new=new, form=form)


def _delete(tx: Write, caller: Caller, uuid: UUID, *, version: UUID) -> None:
    locked(tx, caller, uuid)
    transfers.delete_version(tx, caller, uuid, uuid=version)


def _message(dataset: Dataset, reason: Reason) -> str:
    return sources.told(reason, dataset.work_path, sources.work_path_of(dataset)).say(Language.EN)
