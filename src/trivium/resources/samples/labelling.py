"""Use cases of the labels that a dataset knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, update

from trivium.base import json
from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.resources import datasets, events, owning
from trivium.resources.datasets import Dataset
from trivium.resources.samples import bookkeeping
from trivium.resources.samples.bookkeeping import Named, check_name
from trivium.resources.samples.errors import LabelExists, NoSuchLabel, ShortcutTaken
from trivium.resources.samples.sources import begin_deletion
from trivium.resources.samples.table import LABELS, LABELS_OF_DATASET, label_of, labels, leaving
from trivium.resources.samples.types import FileTerms, Label, LabelDeletion, NewLabel
from trivium.store import Read, Write, query

SHORTCUT: Final = "@modelarts:shortcut"
TOLD: Final = 100
"""Labels that an event names."""


def list_labels(tx: Read, dataset: Dataset, asked: Query) -> Listed[Label]:
    """The labels of a dataset, as asked. Raises what `query.page` raises."""
    found = query.page(tx, LABELS, asked, scope=(LABELS_OF_DATASET.of(dataset=dataset.id),))
    return Listed(rows=tuple(map(label_of, found.rows)), total=found.total, next=found.next)


def label_named(tx: Read, dataset: Dataset, named: Named) -> Label:
    """The label of that type and name. `NoSuchLabel`."""
    row = tx.first(select(labels).where(*_called(dataset.id, named)))
    if row is None:
        raise NoSuchLabel(name=named.name)
    return label_of(row)


def create_labels(tx: Write, caller: Caller, dataset: UUID, *, new: Sequence[NewLabel]) -> Sequence[Label]:
    """Make labels of a dataset. Whole or not at all.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `Missing`, `Invalid`, `LabelExists` and `ShortcutTaken`.
    """
    mine = datasets.opened(tx, caller, dataset)
    for one in new:
        check_name(Named(one.type, one.name))
        _check_free(tx, mine.id, Named(one.type, one.name))
        property = _property(tx, mine.id, one.property, but=None)
        attributes = owning.checked_document("attributes", one.attributes)
        row = {"type": one.type.value, "name": one.name, "property": property, "attributes": attributes}
        same = {"dataset_id": mine.id, "samples": 0, "number": 0, "created_at": tx.now}
        tx.run(insert(labels).values(id=tx.ids.next(), **row, **same))
    _record(tx, caller, mine, names=[one.name for one in new])
    return [label_named(tx, mine, Named(one.type, one.name)) for one in new]


def change_label(
    tx: Write,
    caller: Caller,
    dataset: UUID,
    *,
    named: Named,
    name: str | None = None,
    property: Mapping[str, Any] | None = None,
    attributes: Sequence[Mapping[str, Any]] | None = None,
) -> Label:
    """Change what is given of a label. Samples that have it have it by its new name.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `NoSuchLabel`, `Missing`, `Invalid`, `LabelExists` and
    `ShortcutTaken`.
    """
    mine = datasets.opened(tx, caller, dataset)
    before = label_named(tx, mine, named)
    told: dict[str, Any] = {}
    if property is not None:
        told["property"] = _property(tx, mine.id, property, but=before.id)
    if attributes is not None:
        told["attributes"] = owning.checked_document("attributes", attributes)
    if name is not None and name != before.name:
        check_name(Named(named.type, name))
        _check_free(tx, mine.id, Named(named.type, name))
        told["name"] = name
        bookkeeping.count(tx, mine.id, came={}, went={})  # samples say something else from now on
    if told:
        tx.run(update(labels).where(labels.c.id == before.id).values(told))
    _record(tx, caller, mine, names=[before.name])
    return label_named(tx, mine, Named(named.type, name or before.name))


def delete_labels(
    tx: Write,
    caller: Caller,
    dataset: UUID,
    *,
    wanted: Collection[Named],
    along: LabelDeletion = LabelDeletion.ALONE,
    files: FileTerms | None = None,
) -> None:
    """Delete labels of a dataset. Whole or not at all.

    They are gone at once. `settle` takes them from the samples that have them, and what goes along out of the dataset;
    on the terms `files` the files of these samples are deleted as well.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing` and `NoSuchLabel`, and `HostAway` where there are `files`.
    """
    mine = datasets.opened(tx, caller, dataset)
    for named in sorted({*wanted}):
        label = label_named(tx, mine, named)
        if label.samples:
            deletion = None if files is None else begin_deletion(tx, caller, mine, terms=files, is_open=True)
            told = {"label_id": label.id, "dataset_id": mine.id, "along": along.value, "deletion_id": deletion}
            tx.run(insert(leaving).values(told))
        tx.run(delete(labels).where(labels.c.id == label.id))
    bookkeeping.count(tx, mine.id, came={}, went={})
    _record(tx, caller, mine, names=[named.name for named in sorted({*wanted})])


def _called(dataset: int, named: Named) -> tuple[ColumnElement[bool], ...]:
    return (labels.c.dataset_id == dataset, labels.c.type == named.type.value, labels.c.name == named.name)


def _check_free(tx: Write, dataset: int, named: Named) -> None:
    if tx.first(select(labels.c.id).where(*_called(dataset, named))) is not None:
        raise LabelExists(name=named.name)


def _property(tx: Write, dataset: int, property: Mapping[str, Any], *, but: int | None) -> str | None:
    """The property as it is kept; no other label of the dataset may have its shortcut. `Invalid`, `ShortcutTaken`."""
    kept = owning.checked_document("property", property)
    shortcut = property.get(SHORTCUT)
    if shortcut:
        others = tx.all(select(labels.c.id, labels.c.property).where(labels.c.dataset_id == dataset))
        taken = {json.decode(row.property).get(SHORTCUT) for row in others if row.id != but}
        if shortcut in taken:
            raise ShortcutTaken(shortcut=str(shortcut))
    return kept


def _record(tx: Write, caller: Caller, dataset: Dataset, *, names: Sequence[str]) -> None:
    told = {"labels": [*names[:TOLD]], "number": len(names)}
    events.record(tx, caller, "dataset.label", target=dataset.id, project=dataset.project, after=told)
