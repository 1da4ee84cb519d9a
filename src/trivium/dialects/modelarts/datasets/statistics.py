"""How many samples of a dataset are in which state, and have which label."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.dialects.modelarts.datasets.finding import ANNOTATIONS, seen
from trivium.dialects.modelarts.datasets.labels import MOST, LabelStatsShape, label_stats
from trivium.dialects.modelarts.datasets.seeking import states_of
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.resources import samples
from trivium.resources.datasets import Dataset
from trivium.resources.samples import SampleState


class SampleStatsShape(Shape, frozen=True, kw_only=True):
    """How many samples are in which state."""

    total: int
    all: int
    un_annotation: int
    manual_annotation: int
    auto_annotation: int
    deleted: int
    lefted: int  # as it is spelled there: those that have no labels that count


class KeyStatsShape(Shape, frozen=True, kw_only=True):
    """How many samples are hard."""

    total: int
    key_sample: int
    non_key_sample: int


class StatsShape(Shape, frozen=True, kw_only=True):
    """The numbers of a dataset."""

    label_stats: list[LabelStatsShape]
    sample_stats: SampleStatsShape
    key_sample_stats: KeyStatsShape
    metadata_stats: Mapping[str, Mapping[str, int]]  # how many samples have which value
    data_spliting_enable: bool


class StatsQuery(Wire, frozen=True, kw_only=True):
    """Which samples are counted."""

    sample_state: Text = None
    email: Text = None  # of somebody who labels in a team: nobody does


def show_statistics(tx: Read, call: Call[Nothing, StatsQuery]) -> StatsShape:
    """The numbers of a dataset, or of its samples in a state."""
    dataset = seen(tx, call)
    sought = states_of(call.query.sample_state, email=call.query.email)
    counted = [*SampleState] if sought is None else [SampleState(one) for one in sought]
    states = {one: number if one in counted else 0 for one, number in samples.by_state(tx, dataset).items()}
    total, hard = sum(states.values()), _hard(tx, dataset, counted)
    manual = states[SampleState.ANNOTATED] + states[SampleState.AUTOMATIC]
    asked = Query(order=(Order(field="id"),), page=Offset(limit=MOST), total=False)
    return StatsShape(
        label_stats=_labels(tx, dataset, asked, states=None if sought is None else counted),
        sample_stats=SampleStatsShape(
            total=total,
            all=total,
            un_annotation=states[SampleState.BARE],
            manual_annotation=manual,
            auto_annotation=states[SampleState.UNCONFIRMED],
            deleted=dataset.counts.deleted if sought is None else 0,
            lefted=total - manual,
        ),
        key_sample_stats=KeyStatsShape(total=total, key_sample=hard, non_key_sample=total - hard),
        metadata_stats=samples.count_properties(tx, dataset) if sought is None else {},
        data_spliting_enable=False,
    )


OPERATIONS: Final = (
    Operation(
        name="ListStats",
        method="GET",
        path=f"{ANNOTATIONS}/stats",
        handler=View(look=show_statistics, may_grow=always),
        mark=Mark.COMPANION,
        summary="How many samples are in which state, and have which label",
        query=StatsQuery,
    ),
)


def _labels(
    tx: Read, dataset: Dataset, asked: Query, *, states: Collection[SampleState] | None
) -> list[LabelStatsShape]:
    every = samples.list_labels(tx, dataset, asked).rows
    if states is None:
        return [label_stats(label) for label in every]
    numbers = samples.labels_in_states(tx, dataset, states)
    counts = [(label, numbers.get(label.id, (0, 0))) for label in every]
    return [label_stats(msgspec.structs.replace(label, samples=of, number=times)) for label, (of, times) in counts]


def _hard(tx: Read, dataset: Dataset, states: Collection[SampleState]) -> int:
    if not states:
        return 0
    where = [Condition(field="hard", op=Op.EQ, value=True)]
    if len(states) < len(SampleState):
        where.append(Condition(field="state", op=Op.IN, value=tuple(one.value for one in states)))
    asked = Query(where=tuple(where), page=Offset(limit=0))
    return samples.list_samples(tx, dataset, asked).total or 0
