"""Samples that somebody brought: their files are there, and what is said of them comes with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import update

from trivium.base.caller import Caller
from trivium.base.values import Value
from trivium.resources import datasets, events
from trivium.resources.datasets.ports import Json, Sample, SampleLabel
from trivium.resources.samples import bookkeeping
from trivium.resources.samples.putting import put, uuid_of
from trivium.resources.samples.service import MOST, annotate
from trivium.resources.samples.table import samples
from trivium.resources.samples.types import Annotation
from trivium.store import Write

ROOT: Final = b"/"


class Arrived(Value, frozen=True):
    """A file that came: the samples in it, as an import would have them, and what its bringer says of them."""

    samples: tuple[Sample, ...]  # at absolute paths
    labels: tuple[SampleLabel, ...] | None = None
    metadata: Mapping[str, Json] | None = None


def take_in(
    tx: Write, caller: Caller, dataset: UUID, *, arrived: Sequence[Arrived], confirmed: bool = True
) -> Sequence[UUID]:
    """Put samples into a dataset; the first of each file. Whole or not at all.

    They are put as an import would put them, and labelled after that: an import that meets the files later finds them
    as they are, and leaves to them what was said. Raises `NoSuchDataset`, `Forbidden`, `DatasetPublishing`, `Invalid`.
    """
    mine = datasets.opened(tx, caller, dataset)
    every = [sample for one in arrived for sample in one.samples]
    put(tx, mine.id, every, base=ROOT)
    for some in bookkeeping.batches([_uuid(mine.id, sample) for sample in every]):
        tx.run(update(samples).where(samples.c.uuid.in_(some)).values(brought=True))
    said = [
        Annotation(uuid=_uuid(mine.id, sample), labels=one.labels, metadata=one.metadata)
        for one in arrived
        if one.labels is not None or one.metadata is not None
        for sample in one.samples
    ]
    for start in range(0, len(said), MOST):
        annotate(tx, caller, dataset, said=said[start : start + MOST], confirmed=confirmed)
    events.record(tx, caller, "dataset.upload", target=mine.id, project=mine.project, after={"samples": len(every)})
    return [_uuid(mine.id, one.samples[0]) for one in arrived]


def _uuid(dataset: int, sample: Sample) -> UUID:
    return UUID(bytes=uuid_of(dataset, sample.path, line=sample.line, text=sample.text))
