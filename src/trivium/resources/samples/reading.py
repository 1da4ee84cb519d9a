"""Samples as they are kept become values.

What is said of them is kept by the ids of labels, so that a label gets another name without a look at its samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select

from trivium.base import json
from trivium.resources.datasets.ports import Annotator, LabelType, SampleKind, SampleLabel, SampleUsage
from trivium.resources.samples.bookkeeping import Named, batches
from trivium.resources.samples.table import labels
from trivium.resources.samples.types import KeptSample, SampleState
from trivium.store import Read

NOTHING: Final[Mapping[str, Any]] = {}


class _KeptLabel(msgspec.Struct, frozen=True, array_like=True):
    label: int
    annotated_by: Annotator
    score: float | None = None
    created: str | None = None
    id: str | None = None
    property: Mapping[str, Any] = NOTHING


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[_KeptLabel], float_hook=json.number)


def kept(said: Sequence[SampleLabel], ids: Mapping[Named, int]) -> str:
    """What is said of a sample as it is kept, by the ids of the labels."""
    if not said:
        return "[]"
    return _ENCODER.encode(
        [
            _KeptLabel(ids[Named(one.type, one.name)], one.annotated_by, one.score, one.created, one.id, one.property)
            for one in said
        ]
    ).decode()


def samples_of(tx: Read, rows: Sequence[Row[Any]]) -> list[KeptSample]:
    """The samples that rows of `samples` stand for. Labels that were deleted are not said of them any more."""
    said = [_DECODER.decode(row.labels) for row in rows]
    names = _names(tx, sorted({one.label for each in said for one in each}))
    return [_sample(row, each, names) for row, each in zip(rows, said, strict=True)]


def _names(tx: Read, ids: Sequence[int]) -> Mapping[int, Named]:
    found: dict[int, Named] = {}
    for some in batches(ids):
        for row in tx.all(select(labels.c.id, labels.c.type, labels.c.name).where(labels.c.id.in_(some))):
            found[row.id] = Named(LabelType(row.type), row.name)
    return found


def _sample(row: Row[Any], said: Sequence[_KeptLabel], names: Mapping[int, Named]) -> KeptSample:
    return KeptSample(
        id=row.id,
        uuid=row.uuid,
        dataset=row.dataset_id,
        path=row.path,
        name=row.name,
        line=row.line,
        size=row.size,
        kind=SampleKind(row.kind),
        state=SampleState(row.state),
        usage=None if row.usage is None else SampleUsage(row.usage),
        hard=row.hard,
        score=row.score,
        labels=tuple(_label(one, names[one.label]) for one in said if one.label in names),
        metadata=json.decode(row.metadata),
        text=row.text,
        cells=None if row.cells is None else json.decode(row.cells),
        digest=row.digest,
        created_at=row.created_at,
        changed_at=row.changed_at,
        brought=row.brought,
    )


def _label(one: _KeptLabel, named: Named) -> SampleLabel:
    return SampleLabel(
        name=named.name,
        type=named.type,
        score=one.score,
        annotated_by=one.annotated_by,
        created=one.created,
        id=one.id,
        property=one.property,
    )
