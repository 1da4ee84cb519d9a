"""Use cases of the samples of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, select, update

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import Condition, Listed, Op, Query
from trivium.base.text import readable
from trivium.resources import datasets, events, stores
from trivium.resources.datasets import Dataset
from trivium.resources.samples import bookkeeping, properties
from trivium.resources.samples.bookkeeping import names_of
from trivium.resources.samples.errors import NoSampleFile, NoSuchSample
from trivium.resources.samples.putting import state_of, told
from trivium.resources.samples.reading import samples_of
from trivium.resources.samples.seeking import Sought, narrowed
from trivium.resources.samples.table import LABELLED, OF_DATASET, SAMPLES, WITH_LABEL, labelled, samples
from trivium.resources.samples.types import Annotation, KeptSample, SampleState
from trivium.store import Read, Write, query

MOST: Final = 1000
"""Samples that one call changes."""

_ANNOTATED: Final = update(samples).where(samples.c.id == bindparam("of"))


def list_samples(tx: Read, dataset: Dataset, asked: Query, *, sought: Sequence[Sought] = ()) -> Listed[KeptSample]:
    """The samples of a dataset, as asked, that are each of what is sought. Raises what `query.page` raises."""
    wanted = narrowed(tx, dataset, asked, sought=sought)
    found = query.page(tx, SAMPLES, wanted.query, scope=(OF_DATASET.of(dataset=dataset.id), *wanted.scope))
    return Listed(rows=tuple(samples_of(tx, found.rows)), total=found.total, next=found.next)


def list_labelled(tx: Read, dataset: Dataset, asked: Query, *, label: int, number: int) -> Listed[KeptSample]:
    """The samples that have a label, which `number` samples have, in the order of their ids.

    It costs what a page costs.
    """
    found = query.page(tx, LABELLED, asked, scope=(WITH_LABEL.of(label=label),))
    ids = [row.id for row in found.rows]
    rows = {row.id: row for row in tx.all(select(samples).where(samples.c.id.in_(ids)))} if ids else {}
    mine = [rows[id] for id in ids if id in rows and rows[id].dataset_id == dataset.id]
    return Listed(rows=tuple(samples_of(tx, mine)), total=number, next=found.next)


def get(tx: Read, dataset: Dataset, uuid: UUID) -> KeptSample:
    """The sample of that uuid. `NoSuchSample`."""
    row = tx.first(select(samples).where(samples.c.uuid == uuid, samples.c.dataset_id == dataset.id))
    if row is None:
        raise NoSuchSample
    return samples_of(tx, [row])[0]


def directory_of(tx: Read, caller: Caller, dataset: Dataset, *, sample: KeptSample) -> str:
    """The directory of the store that a sample's file must lie in for the caller to read it.

    A manifest may name files anywhere, so the store is the dataset's own or another that the caller sees. Raises
    `NoSampleFile` where the sample is no file, or is in no such store.
    """
    path = readable(sample.path)
    is_file = bool(path) and sample.line is None
    found = stores.directory_of(tx, caller, path, own=dataset.store) if is_file else None
    if found is None:
        raise NoSampleFile(name=sample.name)
    return found


def annotate(tx: Write, caller: Caller, dataset: UUID, *, said: Sequence[Annotation], confirmed: bool = True) -> None:
    """Say something else of samples. Whole or not at all.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `NoSuchSample`, and `Invalid` for too many samples.
    """
    mine = datasets.opened(tx, caller, dataset)
    asked = {one.uuid: one for one in said}
    before = _rows(tx, mine, [*asked])
    known = samples_of(tx, before)
    labels = {one.id: given for one in known if (given := asked[one.uuid].labels) is not None}
    every = (*labels.values(), *(one.labels for one in known if one.id not in labels))
    ids = bookkeeping.label_ids(tx, mine.id, {named for each in every for named in names_of(each)})
    had_labels = {row.id: row.labels for row in before}
    after: list[dict[str, Any]] = []
    for sample in known:
        one, said_of = asked[sample.uuid], labels.get(sample.id, sample.labels)
        state = sample.state if one.labels is None else state_of(said_of, confirmed=confirmed)
        usage = one.usage or sample.usage
        metadata = sample.metadata if one.metadata is None else one.metadata
        columns = {"state": state.value, "usage": None if usage is None else usage.value, "changed_at": tx.now}
        columns = {"of": sample.id, **columns, **told(said_of, metadata, ids)}
        if one.labels is None:  # one that is leaving is taken from the sample by what its row says
            columns["labels"] = had_labels[sample.id]
        after.append(columns)
    tx.run(_ANNOTATED, after)
    had = bookkeeping.take_labels(tx, [*labels])
    came = {id: {ids[named]: number for named, number in names_of(each).items()} for id, each in labels.items()}
    bookkeeping.note_labels(tx, came=came, went=had)
    _move(tx, mine, before, states=[row["state"] for row in after])
    _note(tx, mine, known, said=asked)
    events.record(tx, caller, "dataset.annotate", target=mine.id, project=mine.project, after={"samples": len(after)})


def of_uuids(tx: Read, dataset: Dataset, uuids: Collection[UUID]) -> Sequence[KeptSample]:
    """These samples, all of which are there. `NoSuchSample`, and `Invalid` for too many."""
    return samples_of(tx, _rows(tx, dataset, uuids))


def remove(tx: Write, caller: Caller, dataset: UUID, *, uuids: Collection[UUID]) -> Sequence[KeptSample]:
    """Take samples out of a dataset; their files stay. The samples as they were.

    Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `NoSuchSample`, and `Invalid` for too many samples.
    """
    mine = datasets.opened(tx, caller, dataset)
    rows = _rows(tx, mine, uuids)
    removed = samples_of(tx, rows)
    take_out(tx, mine.id, rows)
    events.record(tx, caller, "dataset.remove", target=mine.id, project=mine.project, after={"samples": len(rows)})
    return removed


def take_out(tx: Write, dataset: int, rows: Sequence[Row[Any]]) -> None:
    """Take the rows of samples out of a dataset, which is locked, and off its numbers."""
    ids = [row.id for row in rows]
    bookkeeping.note_labels(tx, came={}, went=bookkeeping.take_labels(tx, ids))
    for some in bookkeeping.batches(ids):
        tx.run(delete(samples).where(samples.c.id.in_(some)))
    went = Counter((row.state, bool(row.sub)) for row in rows)
    size = sum(row.size for row in rows)
    bookkeeping.count(tx, dataset, came={}, went=went, deleted=len(rows), size=-size)
    properties.note(tx, dataset, went=properties.read(row.metadata for row in rows))


def take_out_by_id(tx: Write, dataset: int, ids: Collection[int]) -> int:
    """The same of samples by their ids; how many of these were still there."""
    if not ids:
        return 0
    rows = tx.all(select(samples).where(samples.c.id.in_(sorted(ids)), samples.c.dataset_id == dataset))
    take_out(tx, dataset, rows)
    return len(rows)


def by_state(tx: Read, dataset: Dataset) -> Mapping[SampleState, int]:
    """How many samples of the dataset are in each state; from counters."""
    scope = (OF_DATASET.of(dataset=dataset.id),)
    return {
        state: query.count(
            tx, SAMPLES, Query(where=(Condition(field="state", op=Op.EQ, value=state.value),)), scope=scope
        )
        for state in SampleState
    }


def labels_in_states(tx: Read, dataset: Dataset, states: Collection[SampleState]) -> Mapping[int, tuple[int, int]]:
    """How many samples in these states have each label, and how often, by the ids of the labels.

    It goes through what all samples of the dataset are labelled with.
    """
    mine = (samples.c.dataset_id == dataset.id, samples.c.state.in_(sorted(one.value for one in states)))
    number = select(labelled.c.label_id, func.count().label("samples"), func.sum(labelled.c.number).label("number"))
    found = number.join(samples, samples.c.id == labelled.c.id).where(*mine).group_by(labelled.c.label_id)
    return {row.label_id: (row.samples, int(row.number)) for row in tx.all(found)}


def _move(tx: Write, dataset: Dataset, before: Sequence[Row[Any]], *, states: Sequence[int]) -> None:
    """Count samples by the states that they have now, and no more by those that they had."""
    parts = [bool(row.sub) for row in before]
    went = Counter(zip((row.state for row in before), parts, strict=True))
    bookkeeping.count(tx, dataset.id, came=Counter(zip(states, parts, strict=True)), went=went)


def _note(tx: Write, dataset: Dataset, known: Sequence[KeptSample], *, said: Mapping[UUID, Annotation]) -> None:
    """Count the metadata that samples have now, and no more those that they had."""
    changed = [(sample.metadata, metadata) for sample in known if (metadata := said[sample.uuid].metadata) is not None]
    properties.note(tx, dataset.id, came=(after for _, after in changed), went=(before for before, _ in changed))


def _rows(tx: Read, dataset: Dataset, uuids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The rows of these samples, all of which are there. `NoSuchSample`, `Invalid`."""
    wanted = {*uuids}
    if not 1 <= len(wanted) <= MOST:
        message = f"must name 1 to {MOST} samples"
        raise Invalid("samples", message)
    mine = (samples.c.uuid.in_(sorted(wanted)), samples.c.dataset_id == dataset.id)
    found = tx.all(select(samples).where(*mine))
    if len(found) < len(wanted):
        missing = min(wanted - {row.uuid for row in found})
        raise NoSuchSample(uuid=missing.hex)
    return found
