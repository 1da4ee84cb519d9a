"""Which dataset, label or version a request names."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from trivium.base.caller import Caller
from trivium.base.errors import Missing
from trivium.base.ids import uuid_of
from trivium.base.query import Condition, Offset, Op, Query
from trivium.dialects.modelarts.spelling import Text
from trivium.dialects.operation import Call, Read, Write
from trivium.dialects.reading import OutOfBounds
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import Dataset, DatasetType, NoSuchDataset
from trivium.resources.datasets.ports import LabelType
from trivium.resources.samples import Label, Named, NoSuchLabel, NoSuchSample
from trivium.resources.transfers import NoSuchVersion, Version

ALL: Final = "/v2/{project_id}/datasets"
ONE: Final = f"{ALL}/{{dataset_id}}"
ANNOTATIONS: Final = f"{ONE}/data-annotations"

LABEL_TYPES: Final = tuple(int(one) for one in LabelType)
OF_DATASETS: Final = {
    DatasetType.IMAGE_CLASSIFICATION: LabelType.IMAGE_CLASSIFICATION,
    DatasetType.OBJECT_DETECTION: LabelType.OBJECT_DETECTION,
    DatasetType.IMAGE_SEGMENTATION: LabelType.IMAGE_SEGMENTATION,
    DatasetType.TEXT_CLASSIFICATION: LabelType.TEXT_CLASSIFICATION,
    DatasetType.NAMED_ENTITY: LabelType.NAMED_ENTITY,
    DatasetType.SOUND_CLASSIFICATION: LabelType.SOUND_CLASSIFICATION,
    DatasetType.SPEECH_CONTENT: LabelType.SPEECH_CONTENT,
    DatasetType.SPEECH_PARAGRAPH: LabelType.SPEECH_PARAGRAPH,
    DatasetType.VIDEO: LabelType.VIDEO,
}
"""What a label is whose type is not told. Datasets of triplets, tables and anything have no one type of labels."""


def dataset_uuid(call: Call[Any, Any]) -> UUID:
    """The dataset that a path names. `NoSuchDataset`."""
    found = uuid_of(call.request.parameters["dataset_id"])
    if found is None:
        raise NoSuchDataset
    return found


def sample_named(text: str) -> UUID:
    """The sample that a text names. `NoSuchSample`."""
    found = uuid_of(text)
    if found is None:
        raise NoSuchSample
    return found


def sample_uuid(call: Call[Any, Any]) -> UUID:
    """The sample that a path names. `NoSuchSample`."""
    return sample_named(call.request.parameters["sample_id"])


def seen(tx: Read, call: Call[Any, Any]) -> Dataset:
    """The dataset of a path: the project's own or everybody's. `NoSuchDataset`."""
    return datasets.find(tx, call.caller, dataset_uuid(call))


def locked(tx: Write, caller: Caller, uuid: UUID) -> Dataset:
    """The same, which the caller may change, locked until the transaction ends. `NoSuchDataset`, `Forbidden`."""
    datasets.find(tx, caller, uuid)
    return datasets.locked(tx, caller, uuid)


def version_named(tx: Read, dataset: Dataset, named: Text) -> Version | None:
    """The version of a dataset that a text names; None where none is named. `NoSuchVersion`."""
    if not named:
        return None
    uuid = uuid_of(named)
    if uuid is None:
        raise NoSuchVersion
    return transfers.get_version(tx, dataset, uuid)


def label_type(dataset: Dataset, given: int | None, field: str) -> LabelType:
    """The type of a label, or that of the dataset's labels. `Missing`, `OutOfBounds`."""
    if given is None:
        found = OF_DATASETS.get(dataset.type)
        if found is None:
            raise Missing(field)
        return found
    if given not in LABEL_TYPES:
        raise OutOfBounds(field, f"one of {', '.join(map(str, LABEL_TYPES))}")
    return LabelType(given)


def the_label(tx: Read, dataset: Dataset, name: str, *, type: int | None) -> Label:
    """The label of that name; its type need not be told where no other has the name. `NoSuchLabel`, `Missing`."""
    if type is not None:
        return samples.label_named(tx, dataset, Named(label_type(dataset, type, "label_type"), name))
    where = (
        Condition(field="type", op=Op.IN, value=LABEL_TYPES),
        Condition(field="name", op=Op.EQ, value=name),
    )
    rows = samples.list_labels(tx, dataset, Query(where=where, page=Offset(limit=2), total=False)).rows
    found = next(iter(rows), None)
    if found is None:
        raise NoSuchLabel(name=name)
    if len(rows) > 1:
        raise Missing("label_type")
    return found
