"""Labels that a dataset knows, as they are shown."""

from __future__ import annotations

from typing import Final

import msgspec

from trivium.base.query import Condition, Op, Order, Query
from trivium.dialects.modelarts.datasets.finding import (
    ANNOTATIONS,
    seen,
    version_named,
)
from trivium.dialects.modelarts.paging import numbered_page
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.resources import samples, transfers
from trivium.resources.datasets import Dataset
from trivium.resources.samples import Label
from trivium.resources.transfers import CountedLabel

ALL: Final = f"{ANNOTATIONS}/labels"
ONE: Final = f"{ALL}/{{label_name}}"
MOST: Final = 100_000
NAMED: Final = (Condition(field="name", op=Op.NE, value=""),)
"""What is said in a recording has no name, and is no label that a dataset knows."""


class LabelPropertyShape(Shape, frozen=True, kw_only=True):
    """How a label is drawn, and what a relation goes between."""

    color: Text = msgspec.field(name="@modelarts:color", default=None)
    default_shape: Text = msgspec.field(name="@modelarts:default_shape", default=None)
    from_type: Text = msgspec.field(name="@modelarts:from_type", default=None)
    to_type: Text = msgspec.field(name="@modelarts:to_type", default=None)
    shortcut: Text = msgspec.field(name="@modelarts:shortcut", default=None)


class LabelPropertyBody(LabelPropertyShape, frozen=True, kw_only=True):
    """The same, with what the label is to be called."""

    rename_to: Text = msgspec.field(name="@modelarts:rename_to", default=None)


class AttributeValueShape(Shape, frozen=True, kw_only=True):
    """One of the values that an attribute may have."""

    id: Text = None
    value: Text = None


class AttributeShape(Shape, frozen=True, kw_only=True):
    """Something else that is told with a label."""

    id: Text = None
    name: Text = None
    type: Text = None
    default_value: Text = None
    values: tuple[AttributeValueShape, ...] | None = None


class LabelShape(Shape, frozen=True, kw_only=True):
    """A label."""

    name: str
    type: int
    property: LabelPropertyShape
    attributes: tuple[AttributeShape, ...] = ()


class LabelStatsShape(LabelShape, frozen=True, kw_only=True):
    """How many samples have a label, and how often."""

    count: int
    sample_count: int


class LabelsPage(Shape, frozen=True, kw_only=True):
    """A page of labels."""

    total_number: int
    labels: list[LabelShape]


class SearchShape(Shape, frozen=True, kw_only=True):
    """What samples may be sought by. Nobody labels in teams."""

    labels: list[LabelShape]
    metadata: dict[str, list[str]]
    labelers: list[str]


class LabelsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    version_id: Text = None
    offset: int | None = None
    limit: int | None = None


class LabelBody(Wire, frozen=True, kw_only=True):
    """A label."""

    name: str
    type: int | None = None
    property: LabelPropertyBody | None = None
    attributes: tuple[AttributeShape, ...] | None = None


def list_labels(tx: Read, call: Call[Nothing, LabelsQuery]) -> LabelsPage:
    """A page of the labels of a dataset, in the order in which they came."""
    dataset, asked = seen(tx, call), call.query
    page = numbered_page(asked.limit, asked.offset, default=MOST, most=MOST)
    version = version_named(tx, dataset, asked.version_id)
    if version is not None:
        every = [label for label in transfers.labels_of_version(tx, version) if label.name]
        some = every[page.offset : page.offset + page.limit]
        return LabelsPage(total_number=len(every), labels=[label_shape(label) for label in some])
    found = samples.list_labels(tx, dataset, Query(where=NAMED, order=(Order(field="id"),), page=page))
    return LabelsPage(total_number=found.total or 0, labels=[label_shape(label) for label in found.rows])


def every_label(tx: Read, dataset: Dataset) -> list[LabelShape]:
    """The labels of a dataset, as far as one page of the list goes."""
    page = numbered_page(None, None, default=MOST, most=MOST)
    asked = Query(where=NAMED, order=(Order(field="id"),), page=page, total=False)
    return [label_shape(label) for label in samples.list_labels(tx, dataset, asked).rows]


def search_condition(tx: Read, call: Call[Nothing, Nothing]) -> SearchShape:
    """What samples may be sought by."""
    dataset = seen(tx, call)
    metadata = {name: [*values] for name, values in samples.count_properties(tx, dataset).items()}
    return SearchShape(labels=every_label(tx, dataset), metadata=metadata, labelers=[])


def label_shape(label: Label | CountedLabel) -> LabelShape:
    """The label as it is shown, of a dataset or of a version."""
    return LabelShape(
        name=label.name,
        type=label.type.value,
        property=msgspec.convert(label.property, LabelPropertyShape),
        attributes=msgspec.convert(label.attributes, tuple[AttributeShape, ...]),
    )


def label_stats(label: Label | CountedLabel) -> LabelStatsShape:
    """The same with how often there is one."""
    shown = label_shape(label)
    return LabelStatsShape(
        name=shown.name,
        type=shown.type,
        property=shown.property,
        attributes=shown.attributes,
        count=label.number,
        sample_count=label.samples,
    )


OPERATIONS: Final = (
    Operation(
        name="ListLabels",
        method="GET",
        path=ALL,
        handler=View(look=list_labels, may_grow=always),
        mark=Mark.SEED,
        summary="The labels of a dataset",
        query=LabelsQuery,
    ),
    Operation(
        name="ListSearch",
        method="GET",
        path=f"{ANNOTATIONS}/search-condition",
        handler=View(look=search_condition, may_grow=always),
        mark=Mark.COMPANION,
        summary="What samples may be sought by",
    ),
)
