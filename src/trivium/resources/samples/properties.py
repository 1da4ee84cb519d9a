"""What metadata the samples of a dataset have, kept by whoever writes samples, in the same transaction.

A name has a row that counts the samples that have it, and one for each of its values. A name with too many values, or
with one that is too long, has none of these any more; nor has one whose values are lists or objects. Names and values
that nothing has any more keep their rows: what is counted has been counted from its first sample on, so that numbers
are true, and no more is kept of a dataset than there may be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, bindparam, delete, insert, select, update

from trivium.base import json
from trivium.resources.datasets import Dataset
from trivium.resources.datasets.ports import Json
from trivium.resources.samples.table import properties
from trivium.store import Read, Write

NAMES: Final = 64
"""Names that are counted of a dataset: the first that come."""

VALUES: Final = 100
"""Values that are counted of a name."""

LONGEST: Final = 256
"""Bytes of a name, or of a value as JSON writes it."""

WHOLE: Final = ""
"""Where a value stands in a row of values, in the row of the name itself: no JSON is empty."""

NOTHING: Final = "{}"
_ENCODER: Final = msgspec.json.Encoder()
_ADDED: Final = (
    update(properties)
    .where(
        properties.c.dataset_id == bindparam("of"),
        properties.c.value == bindparam("told"),
        properties.c.name == bindparam("named"),
    )
    .values(samples=properties.c.samples + bindparam("more"))
)


class _Changes:
    """How many more samples have a name, or a value of it."""

    def __init__(self, *, many: bool) -> None:
        """`many`: values are not counted."""
        self.samples = 0
        self.values: Counter[str] = Counter()
        self.is_long = False
        self._many = many

    def add(self, value: Json, *, sign: int) -> None:
        """Take in a value of one sample."""
        self.samples += sign
        if self._many or isinstance(value, (list, dict)):
            return
        raw = _ENCODER.encode(value)
        if len(raw) > LONGEST:
            self.is_long = True
        else:
            self.values[raw.decode()] += sign


def note(
    tx: Write, dataset: int, *, came: Iterable[Mapping[str, Json]] = (), went: Iterable[Mapping[str, Json]] = ()
) -> None:
    """Count the metadata of samples that came into a dataset, which is locked, and those of samples that went."""
    signed = [(sign, [one for one in found if one]) for sign, found in ((1, came), (-1, went))]
    if not any(found for _, found in signed):
        return
    there = {row.name: row for row in _names(tx, dataset)}
    changes: dict[str, _Changes] = {}
    for sign, found in signed:
        for metadata in found:
            for name, value in metadata.items():
                own = changes.get(name)
                if own is None:
                    own = changes[name] = _Changes(many=name in there and there[name].many)
                own.add(value, sign=sign)
    for row in _made(tx, dataset, [*filter(_is_kept, changes)], there=there):
        own = changes[row.name]
        told: dict[str, Any] = {} if row.many else _note_values(tx, row, own)
        if own.samples:
            told["samples"] = properties.c.samples + own.samples
        if told:
            tx.run(update(properties).where(*_at(row), properties.c.value == WHOLE).values(told))


def counted(tx: Read, dataset: Dataset) -> Mapping[str, Mapping[str, int]]:
    """How many samples have which value of their metadata, by names and values; values are as a search has them.

    Of names whose values are not counted there are none. It costs what there may be, however many samples there are.
    """
    found: dict[str, Counter[str]] = {}
    mine = (properties.c.dataset_id == dataset.id, properties.c.samples > 0)
    for row in tx.all(select(properties).where(*mine).order_by(properties.c.name, properties.c.value)):
        own = found.setdefault(row.name, Counter())
        if row.value != WHOLE:
            read = json.decode(row.value)
            own[read if isinstance(read, str) else row.value] += row.samples
    return found


def read(kept: Iterable[str]) -> Iterable[Mapping[str, Json]]:
    """The metadata of samples, of how rows have them."""
    return (json.decode(one) for one in kept if one != NOTHING)


def _is_kept(name: str) -> bool:
    """Whether a name can be counted, and shown."""
    return bool(name) and name.isprintable() and len(name.encode()) <= LONGEST


def _names(tx: Write, dataset: int) -> Sequence[Row[Any]]:
    """The rows of names."""
    return tx.all(select(properties).where(properties.c.dataset_id == dataset, properties.c.value == WHOLE))


def _made(tx: Write, dataset: int, names: Sequence[str], *, there: Mapping[str, Row[Any]]) -> Sequence[Row[Any]]:
    """The rows of these names; those that have none get one, as long as there may be more."""
    new = sorted({*names} - there.keys())[: NAMES - len(there)]
    if new:
        same = {"dataset_id": dataset, "value": WHOLE, "samples": 0, "number": 0, "many": False}
        tx.run(insert(properties), [{**same, "name": name} for name in new])
    every = _names(tx, dataset) if new else [*there.values()]
    return [row for row in every if row.name in names]


def _note_values(tx: Write, row: Row[Any], changes: _Changes) -> dict[str, Any]:
    """Count values of a name; what is to be told in the row of the name."""
    most, own = VALUES - row.number, changes.values
    known = _known(tx, row, own) if len(own) <= VALUES else frozenset[str]()
    new = {value: number for value, number in own.items() if value not in known and number > 0}
    if changes.is_long or len(new) > most:
        tx.run(delete(properties).where(*_at(row), properties.c.value != WHOLE))
        return {"many": True}
    same = {"dataset_id": row.dataset_id, "name": row.name, "number": 0, "many": False}
    if new:
        tx.run(insert(properties), [{**same, "value": value, "samples": number} for value, number in new.items()])
    told = [
        {"of": row.dataset_id, "named": row.name, "told": value, "more": own[value]} for value in known if own[value]
    ]
    if told:
        tx.run(_ADDED, told)
    return {"number": row.number + len(new)} if new else {}


def _known(tx: Write, row: Row[Any], values: Collection[str]) -> Collection[str]:
    """Which of these values of a name are counted."""
    found = tx.all(select(properties.c.value).where(*_at(row), properties.c.value.in_(sorted(values))))
    return {each.value for each in found}


def _at(row: Row[Any]) -> tuple[ColumnElement[bool], ...]:
    return properties.c.dataset_id == row.dataset_id, properties.c.name == row.name
