"""Samples of datasets: listed by what is said of them, shown, labelled, and taken out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Offset, Op, Order, Query
from trivium.base.text import readable
from trivium.dialects.modelarts.datasets import files
from trivium.dialects.modelarts.datasets.conditions import Seeking
from trivium.dialects.modelarts.datasets.elsewhere import Elsewhere, is_elsewhere
from trivium.dialects.modelarts.datasets.finding import (
    ANNOTATIONS,
    dataset_uuid,
    label_type,
    locked,
    sample_named,
    sample_uuid,
    seen,
    the_label,
    version_named,
)
from trivium.dialects.modelarts.datasets.processing import checked
from trivium.dialects.modelarts.datasets.seeking import (
    SamplesQuery,
    of_type,
    page_of,
    samples_query,
    sought_by,
)
from trivium.dialects.modelarts.datasets.sources import schema_of
from trivium.dialects.modelarts.datasets.versions import form_of
from trivium.dialects.modelarts.links import Links
from trivium.dialects.modelarts.spelling import Shape, Text, bare, milliseconds, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, Write
from trivium.dialects.reading import OutOfBounds
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import Buckets, Dataset, DatasetType
from trivium.resources.datasets.ports import Annotator, SampleKind, SampleLabel, SampleUsage
from trivium.resources.samples import (
    Annotation,
    KeptSample,
    Label,
    Named,
    SampleState,
    Sought,
    SourceBarred,
)
from trivium.resources.samples.ports import NoFiles, SampleFiles
from trivium.resources.transfers import Sinks

ALL: Final = f"{ANNOTATIONS}/samples"
SOURCE: Final = "delete_source"
STATUSES: Final = {
    SampleState.BARE: "UN_ANNOTATION",
    SampleState.ANNOTATED: "MANUAL_ANNOTATION",
    SampleState.AUTOMATIC: "MANUAL_ANNOTATION",
    SampleState.UNCONFIRMED: "AUTO_ANNOTATION",
}
"""Labels that are to be confirmed are called automatic; those that count are called manual, whoever set them."""


class SampleLabelShape(Shape, frozen=True, kw_only=True):
    """What is said of a sample."""

    name: Text = None
    type: int | None = None
    id: Text = None
    score: float | None = None
    annotated_by: Text = None
    property: Mapping[str, Any] | None = None


class SampleShape(Shape, frozen=True, kw_only=True):
    """A sample."""

    sample_id: str
    sample_type: int
    sample_name: str
    sample_dir: Text = None
    sample_size: int
    sample_time: int
    sample_status: str
    sample_usage: Text = None
    source: Text = None
    labels: list[SampleLabelShape]
    metadata: Mapping[str, Any]
    labelers: tuple[str, ...]
    score: float | None = None
    sample_data: list[str] | None = None


class SamplesPage(Shape, frozen=True, kw_only=True):
    """A page of samples."""

    sample_count: int
    samples: list[SampleShape]


class DoneShape(Shape, frozen=True, kw_only=True):
    """That it was done."""

    success: bool


class SampleBody(Wire, frozen=True, kw_only=True):
    """What is said of a sample from now on; without labels it has none."""

    sample_id: str
    labels: tuple[SampleLabelShape, ...] | None = None
    metadata: dict[str, Any] | None = None
    sample_usage: Text = None
    sample_type: int | None = None


class SamplesBody(Wire, frozen=True, kw_only=True):
    """What is said of samples."""

    samples: tuple[SampleBody, ...]


class DeleteBody(Wire, frozen=True, kw_only=True):
    """Samples that are to be taken out, and whether their files go along."""

    samples: tuple[str, ...]
    delete_source: bool = False


class Samples:
    """The calls that show samples, and take them out.

    `buckets` tells what their places are called, `links` where `of_samples`, their files, are read.
    """

    def __init__(
        self,
        buckets: Buckets,
        links: Links,
        *,
        of_samples: SampleFiles | None = None,
        sinks: Callable[[], Sinks] | None = None,
    ) -> None:
        self._buckets = buckets
        self._files = of_samples or NoFiles()
        self._seeking = Seeking(buckets)
        self._links = links
        self._sinks = sinks

    async def list(self, call: Call[Nothing, SamplesQuery]) -> SamplesPage:
        """A page of the samples of a dataset, or of a version of it; newest first unless it is asked for otherwise."""
        dataset, columns, found = await call.core.store.search(self._look, call)
        process = checked(call.query.process_parameter, "process_parameter")
        if isinstance(found, Elsewhere):
            found = await asyncio.to_thread(found.read, self._sinks, within=call.core.store.search_limit)
        shape = self.shaper(call, dataset, now=call.core.clock.now(), columns=columns, process=process)
        return SamplesPage(sample_count=found.total or 0, samples=[shape(sample) for sample in found.rows])

    def _look(
        self, tx: Read, call: Call[Nothing, SamplesQuery]
    ) -> tuple[Dataset, Sequence[str], Listed[KeptSample] | Elsewhere]:
        dataset, asked = seen(tx, call), call.query
        columns = columns_of(tx, dataset)
        query = samples_query(asked)
        sought = (of_type(asked), *self._seeking.of_text(asked.search_conditions, call.caller, tx.now))
        sought = tuple(one for one in sought if one != Sought())
        version = version_named(tx, dataset, asked.version_id)
        if version is not None and is_elsewhere(dataset, version, sought):
            page, descending = page_of(asked), query.order[0].descending
            every = tuple(one for one in (sought_by(tx, version, asked), *sought) if one != Sought())
            return dataset, columns, Elsewhere(version=version, page=page, descending=descending, sought=every)
        label = None
        if asked.label_name:
            label = the_label(tx, dataset, asked.label_name, type=asked.label_type)
        found = _found(tx, dataset, query, sought=sought, label=label)
        if version is not None:
            form = form_of(version)
            found = msgspec.structs.replace(found, rows=tuple(transfers.changed(one, form) for one in found.rows))
        return dataset, columns, found

    def show(self, tx: Read, call: Call[Nothing, Nothing]) -> SampleShape:
        """One sample."""
        dataset = seen(tx, call)
        shape = self.shaper(call, dataset, now=tx.now, columns=columns_of(tx, dataset))
        return shape(samples.get(tx, dataset, sample_uuid(call)))

    def shaper(
        self, call: Call[Any, Any], dataset: Dataset, *, now: datetime, columns: Sequence[str], process: str = ""
    ) -> Callable[[KeptSample], SampleShape]:
        """What shows samples of a dataset to whoever asks, who may follow the links to their files.

        Cells of rows come in the order of `columns`; `process` is what pictures are made into there.
        """
        of = {"project_id": call.request.parameters["project_id"], "dataset_id": bare(dataset.uuid)}
        address = self._links.maker(call.core.site.public_url or call.request.base_url, call.caller, now=now)

        def source(sample: KeptSample) -> Text:
            if sample.cells is not None:  # a row of a table
                return None
            made = process if sample.kind is SampleKind.IMAGE else ""
            return address(files.ONE.format(**of, sample_id=bare(sample.uuid)), made)

        return lambda sample: self._shape(sample, source(sample), columns)

    def _shape(self, sample: KeptSample, source: Text, columns: Sequence[str]) -> SampleShape:
        path = readable(sample.path)
        place = self._buckets.place(path)
        return SampleShape(
            sample_id=bare(sample.uuid),
            sample_type=sample.kind.value,
            sample_name=sample.name,
            sample_dir=None if place is None else place.rpartition("/")[0] + "/",
            sample_size=sample.size,
            sample_time=milliseconds(sample.created_at),
            sample_status=STATUSES[sample.state],
            sample_usage=None if sample.usage is None else sample.usage.value,
            source=source,
            labels=[_label_shape(label) for label in sample.labels],
            metadata=sample.metadata,
            labelers=(),
            score=sample.score,
            sample_data=_data(sample, columns),
        )

    async def delete(self, call: Call[DeleteBody, Nothing]) -> DoneShape:
        """Take samples out of a dataset, all or none; their files stay unless they are to go."""
        uuid, uuids = dataset_uuid(call), [sample_named(one) for one in call.body.samples]
        if not call.body.delete_source:
            await call.write(_remove, uuid, uuids=uuids)
            return DoneShape(success=True)
        found = {one.path: one.name for one in await call.read(_with_files, uuid, uuids=uuids)}
        path = await asyncio.to_thread(self._files.barred, sorted(found))
        if path is not None:
            raise SourceBarred(field=SOURCE, name=found[path])
        await call.write(_remove_with_files, uuid, uuids=uuids)
        return DoneShape(success=True)


async def update_samples(call: Call[SamplesBody, Nothing]) -> DoneShape:
    """Say something else of samples, all or none."""
    await call.write(_annotate, dataset_uuid(call), body=call.body)
    return DoneShape(success=True)


def columns_of(tx: Read, dataset: Dataset) -> tuple[str, ...]:
    """The columns of a table: those that it was made with, or those of its first row."""
    if dataset.type is not DatasetType.TABLE:
        return ()
    told = tuple(one.name for one in schema_of(dataset.settings))
    if told:
        return told
    asked = Query(order=(Order(field="id"),), page=Offset(limit=1), total=False)
    return tuple(name for row in samples.list_samples(tx, dataset, asked).rows for name in row.cells or ())


def said_of(dataset: Dataset, labels: Sequence[SampleLabelShape], field: str) -> list[SampleLabel]:
    """What labels say of a sample, in a field that has them. `Missing`, `OutOfBounds`, `NotOneOf`."""
    return [_said(dataset, one, f"{field}[{place}]") for place, one in enumerate(labels)]


def operations(
    buckets: Buckets, links: Links, *, of_samples: SampleFiles, sinks: Callable[[], Sinks] | None
) -> tuple[Operation, ...]:
    """All of it."""
    calls = Samples(buckets, links, of_samples=of_samples, sinks=sinks)
    return (
        Operation(
            name="ListSamples",
            method="GET",
            path=ALL,
            handler=calls.list,
            mark=Mark.COMPANION,
            summary="The samples of a dataset, by label, state, type and score",
            query=SamplesQuery,
        ),
        Operation(
            name="UpdateSamples",
            method="PUT",
            path=ALL,
            handler=update_samples,
            mark=Mark.COMPANION,
            summary="Label samples, or say something else of them",
            body=SamplesBody,
        ),
        Operation(
            name="DeleteSamples",
            method="POST",
            path=f"{ALL}/delete",
            handler=calls.delete,
            mark=Mark.COMPANION,
            summary="Take samples out of a dataset, maybe with their files",
            body=DeleteBody,
        ),
        Operation(
            name="DescSample",
            method="GET",
            path=f"{ALL}/{{sample_id}}",
            handler=View(look=calls.show),
            mark=Mark.COMPANION,
            summary="One sample",
        ),
    )


def _found(
    tx: Read, dataset: Dataset, query: Query, *, sought: tuple[Sought, ...], label: Label | None
) -> Listed[KeptSample]:
    if label is None:
        return samples.list_samples(tx, dataset, query, sought=sought)
    if not query.where and query.tree is None and not sought:
        asked = msgspec.structs.replace(query, total=False)
        return samples.list_labelled(tx, dataset, asked, label=label.id, number=label.samples)
    having = Condition(field="labels.label", op=Op.EQ, value=label.id)
    narrower = msgspec.structs.replace(query, where=(*query.where, having))
    return samples.list_samples(tx, dataset, narrower, sought=sought)


def _annotate(tx: Write, caller: Caller, uuid: UUID, *, body: SamplesBody) -> None:
    dataset = locked(tx, caller, uuid)
    _check_types(tx, dataset, body)
    said = [_annotation(dataset, one, f"samples[{place}]") for place, one in enumerate(body.samples)]
    samples.annotate(tx, caller, uuid, said=said)


def _remove(tx: Write, caller: Caller, uuid: UUID, *, uuids: Sequence[UUID]) -> None:
    locked(tx, caller, uuid)
    samples.remove(tx, caller, uuid, uuids=uuids)


def _with_files(tx: Read, caller: Caller, uuid: UUID, *, uuids: Sequence[UUID]) -> Sequence[KeptSample]:
    datasets.find(tx, caller, uuid)
    return transfers.with_files(tx, caller, uuid, uuids=uuids, field=SOURCE)


def _remove_with_files(tx: Write, caller: Caller, uuid: UUID, *, uuids: Sequence[UUID]) -> None:
    locked(tx, caller, uuid)
    transfers.remove_with_files(tx, caller, uuid, uuids=uuids, field=SOURCE)


def _check_types(tx: Write, dataset: Dataset, body: SamplesBody) -> None:
    """Raise `OutOfBounds` for a sample that is told to be what it is not."""
    told = {sample_named(one.sample_id): one for one in body.samples if one.sample_type is not None}
    if not told:
        return
    asked = Query(
        where=(Condition(field="uuid", op=Op.IN, value=tuple(told)),), page=Offset(limit=len(told)), total=False
    )
    kinds = {sample.uuid: sample.kind.value for sample in samples.list_samples(tx, dataset, asked).rows}
    for place, one in enumerate(body.samples):
        kind = kinds.get(sample_named(one.sample_id))
        if None not in (one.sample_type, kind) and one.sample_type != kind:
            raise OutOfBounds(f"samples[{place}].sample_type", f"{kind}, which the sample is")


def _annotation(dataset: Dataset, body: SampleBody, at: str) -> Annotation:
    usage = one_of(body.sample_usage, f"{at}.sample_usage", [*SampleUsage])
    said = said_of(dataset, body.labels or (), f"{at}.labels")
    return Annotation(
        uuid=sample_named(body.sample_id),
        labels=tuple(said),
        metadata=body.metadata,
        usage=None if usage is None else SampleUsage(usage),
    )


def _said(dataset: Dataset, body: SampleLabelShape, at: str) -> SampleLabel:
    by = one_of(body.annotated_by, f"{at}.annotated_by", [*Annotator])
    if body.score is not None and not 0 <= body.score <= 1:
        raise OutOfBounds(f"{at}.score", "between 0 and 1")
    named = Named(label_type(dataset, body.type, f"{at}.type"), body.name or "")
    samples.check_name(named, field=f"{at}.name")
    return SampleLabel(
        name=named.name,
        type=named.type,
        score=body.score,
        annotated_by=Annotator.HUMAN if by is None else Annotator(by),
        id=body.id,
        property=dict(body.property or {}),
    )


def _label_shape(label: SampleLabel) -> SampleLabelShape:
    return SampleLabelShape(
        name=label.name,
        type=label.type.value,
        id=label.id,
        score=label.score,
        annotated_by=label.annotated_by.value,
        property=label.property or None,
    )


def _data(sample: KeptSample, columns: Sequence[str]) -> list[str] | None:
    """What a sample is that is no file of its own: a text, or the cells of a row, those of other columns at the end."""
    if sample.text is not None:
        return [sample.text]
    if sample.cells is None:
        return None
    others = [cell for name, cell in sample.cells.items() if name not in columns]
    return [*(sample.cells.get(name, "") for name in columns), *others]
