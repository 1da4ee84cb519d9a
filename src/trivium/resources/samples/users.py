"""What goes along with a dataset: its samples and labels, a few at a time once it is gone."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert, select

from trivium.base.caller import Caller
from trivium.resources.datasets import datasets
from trivium.resources.owning import Deletion
from trivium.resources.samples.leaving import take_from_some
from trivium.resources.samples.table import labelled, labels, leaving, leftovers, properties, samples
from trivium.store import Read, Write

AT_ONCE: Final = 2000
"""Samples, or labels, that one transaction deletes."""


class SamplesOfDatasets:
    """Samples never keep a dataset: fulfils `owning.Dependents`."""

    def hinder(self, tx: Read, caller: Caller, uuid: UUID, *, mode: Deletion) -> bool:  # noqa: ARG002 - whichever
        """Whether something keeps the dataset."""
        return False

    def let_go(self, tx: Write, caller: Caller, uuid: UUID) -> None:  # noqa: ARG002 - whoever
        """Have the samples and labels deleted."""
        id = tx.value(select(datasets.c.id).where(datasets.c.uuid == uuid))
        tx.run(insert(leftovers).values(dataset_id=id))


def is_anything_left(tx: Read) -> bool:
    """Whether deleted datasets or labels left something."""
    return any(tx.first(select(table).limit(1)) is not None for table in (leaving, leftovers))


def purge(tx: Write) -> bool:
    """Do some of what deleted datasets and labels left; False where there is nothing left. Repeatable."""
    label = tx.value(select(leaving.c.label_id).order_by(leaving.c.label_id).limit(1))
    if label is not None:
        take_from_some(tx, label)
        return True
    dataset = tx.value(select(leftovers.c.dataset_id).order_by(leftovers.c.dataset_id).limit(1))
    if dataset is None:
        return False
    if not _purge_samples(tx, dataset) and not _purge_labels(tx, dataset):
        tx.run(delete(properties).where(properties.c.dataset_id == dataset))
        tx.run(delete(leftovers).where(leftovers.c.dataset_id == dataset))
    return True


def _purge_samples(tx: Write, dataset: int) -> bool:
    """Delete some samples of a deleted dataset; whether there were any."""
    wanted = select(samples.c.id).where(samples.c.dataset_id == dataset).order_by(samples.c.id).limit(AT_ONCE)
    ids = [row.id for row in tx.all(wanted)]
    if ids:
        tx.run(delete(labelled).where(labelled.c.id.in_(ids)))
        tx.run(delete(samples).where(samples.c.id.in_(ids)))
    return bool(ids)


def _purge_labels(tx: Write, dataset: int) -> bool:
    """Delete some labels of a deleted dataset; whether there were any."""
    wanted = select(labels.c.id).where(labels.c.dataset_id == dataset).order_by(labels.c.id).limit(AT_ONCE)
    ids = [row.id for row in tx.all(wanted)]
    if ids:
        tx.run(delete(labels).where(labels.c.id.in_(ids)))
    return bool(ids)
