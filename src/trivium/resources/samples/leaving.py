"""What deleted labels left is done a few samples at a time, so that no transaction keeps others from writing for long.

A label that was deleted is known by no name any more. The samples that have it still say so by its id; those without
another are bare, or go out of the dataset, together with the note that the label is off them. So the numbers are those
of the rows at every moment, and whoever is killed amid it leaves the rest to the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from trivium.resources.datasets import datasets
from trivium.resources.samples import bookkeeping
from trivium.resources.samples.reading import samples_of
from trivium.resources.samples.service import take_out
from trivium.resources.samples.sources import close_deletion, note_files
from trivium.resources.samples.table import labelled, leaving, samples
from trivium.resources.samples.types import LabelDeletion, SampleState
from trivium.store import Read, Write

AT_ONCE: Final = 2000
"""Samples that one transaction takes a label from."""


def settle(tx: Write, dataset: UUID) -> bool:
    """Take deleted labels of a dataset from some samples; False where none has any. Repeatable."""
    id = tx.value(select(datasets.c.id).where(datasets.c.uuid == dataset))
    label = tx.value(select(leaving.c.label_id).where(leaving.c.dataset_id == id).order_by(leaving.c.label_id).limit(1))
    if label is None:
        return False
    take_from_some(tx, label)
    return True


def is_leaving(tx: Read, dataset: int) -> bool:
    """Whether samples of a dataset have labels that were deleted."""
    return tx.first(select(leaving.c.label_id).where(leaving.c.dataset_id == dataset).limit(1)) is not None


def take_from_some(tx: Write, label: int) -> None:
    """Take a deleted label from some of its samples, or forget it where it has none, or its dataset is deleted."""
    dataset = tx.value(select(leaving.c.dataset_id).where(leaving.c.label_id == label))
    there = tx.lock(select(datasets.c.id).where(datasets.c.id == dataset))
    row = tx.lock(select(leaving).where(leaving.c.label_id == label))
    if row is None:  # somebody else was faster
        return
    mine = select(labelled.c.id).where(labelled.c.label_id == label).order_by(labelled.c.id).limit(AT_ONCE)
    ids = [] if there is None else [each.id for each in tx.all(mine)]
    if not ids:
        tx.run(delete(leaving).where(leaving.c.label_id == label))
        if row.deletion_id is not None:
            close_deletion(tx, row.deletion_id)
        return
    others = select(labelled.c.id).where(labelled.c.id.in_(ids), labelled.c.label_id != label).distinct()
    more = {each.id for each in tx.all(others)}
    only = tx.all(select(samples).where(samples.c.id.in_([id for id in ids if id not in more])))
    if row.along == LabelDeletion.SAMPLES:
        if row.deletion_id is not None:
            note_files(tx, row.deletion_id, samples_of(tx, only))
        take_out(tx, row.dataset_id, only)
    else:
        _bare(tx, row.dataset_id, only)
    tx.run(delete(labelled).where(labelled.c.label_id == label, labelled.c.id.in_(ids)))


def _bare(tx: Write, dataset: int, rows: Sequence[Row[Any]]) -> None:
    """Samples that have no label any more are bare."""
    went = Counter((row.state, bool(row.sub)) for row in rows)
    came = Counter((SampleState.BARE.value, bool(row.sub)) for row in rows)
    ids = [row.id for row in rows]
    tx.run(update(samples).where(samples.c.id.in_(ids)).values(state=SampleState.BARE.value))
    bookkeeping.count(tx, dataset, came=came, went=went)
