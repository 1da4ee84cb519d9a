"""What samples are sought by: held against rows by the database, and against samples that lie elsewhere one by one."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import structs
from sqlalchemy import JSON, ColumnElement, Float, LargeBinary, Text, and_, case, cast, func, literal, or_, select

from trivium.base.query import AllOf, AnyOf, Clause, Condition, Op, Order, Query
from trivium.base.values import Value
from trivium.resources.datasets import Dataset
from trivium.resources.datasets.ports import Json, LabelType
from trivium.resources.samples.table import labelled, labels, samples
from trivium.resources.samples.types import KeptSample
from trivium.store import Flavour, Read

COEFFICIENT: Final = "@modelarts:hard_coefficient"
_TYPES: Final = tuple(int(one) for one in LabelType)
_ENCODER: Final = msgspec.json.Encoder()


class Range(Value, frozen=True):
    """Numbers between two, both of them included."""

    least: float
    most: float


class SoughtLabel(Value, frozen=True):
    """A label that a sample has."""

    name: str
    type: LabelType | None = None  # None: whichever


class SoughtLabels(Value, frozen=True):
    """Labels that a sample has."""

    labels: tuple[SoughtLabel, ...]
    every: bool = True  # all of them; else one of them is enough


class SoughtProperties(Value, frozen=True):
    """Metadata that a sample has: values by their names; None is as good as any value."""

    values: Mapping[str, tuple[str, ...] | None]
    every: bool = True  # all of them; else one of them is enough


class Sought(Value, frozen=True):
    """What a sample must be; all that is given must hold."""

    states: tuple[int, ...] | None = None
    kind: int | None = None
    since: datetime | None = None
    before: datetime | None = None
    score: Range | None = None
    coefficient: Range | None = None
    hard: bool | None = None
    name: str | None = None
    folder: str | None = None  # absolute: the directory that its file is right in
    labels: SoughtLabels | None = None
    type: LabelType | None = None  # of one of its labels
    properties: SoughtProperties | None = None


class Narrowed(NamedTuple):
    """A query and the clauses of its scope that say what is sought."""

    query: Query
    scope: tuple[ColumnElement[bool], ...]


def narrowed(tx: Read, dataset: Dataset, asked: Query, *, sought: Sequence[Sought]) -> Narrowed:
    """The query for samples that satisfy each of these, too. Where times are sought, newest is by time."""
    where = [*asked.where]
    trees: list[Clause] = [] if asked.tree is None else [asked.tree]
    scope: list[ColumnElement[bool]] = []
    for one in sought:
        where += _plain(one)
        if one.labels is not None:
            trees.append(_having(tx, dataset, one.labels))
        scope += _clauses(one, tx.flavour)
        if one.type is not None:
            scope.append(_labelled_as(dataset, one.type))
    order = asked.order
    if order and any(one.since or one.before for one in sought):
        order = (Order(field="created_at", descending=order[0].descending), *order)
    tree = AllOf(parts=tuple(trees)) if trees else None
    return Narrowed(query=structs.replace(asked, where=tuple(where), tree=tree, order=order), scope=tuple(scope))


def fits(sought: Sought, sample: KeptSample) -> bool:
    """Whether a sample is one that is sought."""
    checks = (
        sought.states is None or sample.state in sought.states,
        sought.kind is None or sample.kind == sought.kind,
        sought.since is None or sample.created_at >= sought.since,
        sought.before is None or sample.created_at < sought.before,
        sought.score is None or _is_within(sought.score, sample.score),
        sought.coefficient is None or _is_within(sought.coefficient, sample.metadata.get(COEFFICIENT)),
        sought.hard is None or sample.hard is sought.hard,
        sought.name is None or sample.name == sought.name,
        sought.folder is None or sample.path.rpartition(b"/")[0] == os.fsencode(sought.folder),
        sought.labels is None or _has_labels(sought.labels, sample),
        sought.type is None or any(label.type is sought.type for label in sample.labels),
        sought.properties is None or _has_properties(sought.properties, sample.metadata),
    )
    return all(checks)


def _plain(one: Sought) -> list[Condition]:
    """The conditions that name a column and a value."""
    found: list[Condition] = []
    if one.states is not None:
        found.append(Condition(field="state", op=Op.IN, value=one.states))
    given: tuple[tuple[str, Op, Any], ...] = (
        ("kind", Op.EQ, one.kind),
        ("created_at", Op.GE, one.since),
        ("created_at", Op.LT, one.before),
        ("hard", Op.EQ, one.hard),
        ("name", Op.EQ, one.name),
        ("score", Op.GE, None if one.score is None else one.score.least),
        ("score", Op.LE, None if one.score is None else one.score.most),
    )
    return found + [Condition(field=name, op=op, value=value) for name, op, value in given if value is not None]


def _having(tx: Read, dataset: Dataset, wanted: SoughtLabels) -> Clause:
    """That a sample has labels, by their ids."""
    ids = [_ids(tx, dataset, one) for one in wanted.labels]
    if not wanted.every:
        ids = [tuple(dict.fromkeys(id for some in ids for id in some))]
    parts = (Condition(field="labels.label", op=Op.IN, value=some) if some else AnyOf(parts=()) for some in ids)
    return AllOf(parts=tuple(parts))


def _ids(tx: Read, dataset: Dataset, wanted: SoughtLabel) -> tuple[int, ...]:
    types = _TYPES if wanted.type is None else (wanted.type.value,)
    mine = (labels.c.dataset_id == dataset.id, labels.c.type.in_(types), labels.c.name == wanted.name)
    return tuple(row.id for row in tx.all(select(labels.c.id).where(*mine).order_by(labels.c.id)))


def _clauses(one: Sought, flavour: Flavour) -> list[ColumnElement[bool]]:
    """The conditions on what is in a path, or in the metadata."""
    found: list[ColumnElement[bool]] = []
    if one.folder is not None:
        found.append(_right_in(os.fsencode(one.folder), flavour))
    if one.coefficient is not None:
        number = _number_of(COEFFICIENT, flavour)
        found.append(and_(number >= one.coefficient.least, number <= one.coefficient.most))
    if one.properties is not None:
        parts = [_has_property(name, values, flavour) for name, values in one.properties.values.items()]
        found.append(and_(literal(1) == 1, *parts) if one.properties.every else or_(literal(1) == 0, *parts))
    return found


def _labelled_as(dataset: Dataset, type: LabelType) -> ColumnElement[bool]:
    """That a sample has a label of that type; those that were deleted are none."""
    having = select(literal(1)).select_from(labelled.join(labels, labels.c.id == labelled.c.label_id))
    mine = (labels.c.dataset_id == dataset.id, labels.c.type == type.value)
    return having.where(labelled.c.id == samples.c.id, *mine).exists()


def _right_in(folder: bytes, flavour: Flavour) -> ColumnElement[bool]:
    """That a path is the directory's with a name: names to be shown are as many bytes as those on disk."""
    if flavour is Flavour.POSTGRESQL:
        name: ColumnElement[int] = func.octet_length(samples.c.name)
    else:
        name = func.length(cast(samples.c.name, LargeBinary))
    start = folder + b"/"
    beginning = and_(samples.c.path >= start, samples.c.path < folder + b"0")  # what comes right behind a slash
    return and_(beginning, func.length(samples.c.path) - name == len(start))


def _has_property(name: str, values: tuple[str, ...] | None, flavour: Flavour) -> ColumnElement[bool]:
    said = _json_of(name, flavour)
    if values is None:
        return said.is_not(None)
    return said.in_(sorted({text for value in values for text in _spelled(value)}))


def _json_of(name: str, flavour: Flavour) -> ColumnElement[str | None]:
    """What the metadata has by a name, as it is written there."""
    if flavour is Flavour.POSTGRESQL:
        return cast(cast(samples.c.metadata, JSON).op("->")(literal(name, Text())), Text)
    return samples.c.metadata.op("->")(_place(name))


def _number_of(name: str, flavour: Flavour) -> ColumnElement[float]:
    """The number that the metadata has by a name; null where it is no number."""
    said = _json_of(name, flavour)
    if flavour is Flavour.POSTGRESQL:
        return case((func.json_typeof(cast(said, JSON)) == "number", cast(said, Float)))
    kind = func.json_type(samples.c.metadata, _place(name))
    return case((kind.in_(("integer", "real")), cast(said, Float)))


def _place(name: str) -> str:
    """Where SQLite finds a name that has no quotation mark in it."""
    return f'$."{name}"'


def _spelled(value: str) -> set[str]:
    """How JSON may have what is sought by a text: as text, as a number, or as a word."""
    found = {_ENCODER.encode(value).decode()}
    if value in ("true", "false", "null"):
        found.add(value)
    with suppress(ValueError):
        number = float(value)
        if math.isfinite(number):  # JSON has no others
            found |= {value, _ENCODER.encode(number).decode()}
            if number.is_integer():
                found.add(str(int(number)))
    return found


def _is_within(range: Range, value: Json) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return range.least <= value <= range.most


def _has_labels(wanted: SoughtLabels, sample: KeptSample) -> bool:
    has = [
        any(one.name == label.name and label.type in (None, one.type) for one in sample.labels)
        for label in wanted.labels
    ]
    return all(has) if wanted.every else any(has)


def _has_properties(wanted: SoughtProperties, metadata: Mapping[str, Json]) -> bool:
    has = [
        name in metadata and (values is None or _is_one_of(metadata[name], values))
        for name, values in wanted.values.items()
    ]
    return all(has) if wanted.every else any(has)


def _is_one_of(said: Json, values: tuple[str, ...]) -> bool:
    text = _ENCODER.encode(said).decode()
    return any(text in _spelled(value) for value in values)
