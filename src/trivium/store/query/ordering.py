"""Orders in SQL, and what comes after a row in an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, tuple_

from trivium.store.clauses import without_index
from trivium.store.database import Flavour
from trivium.store.fields import is_nullable
from trivium.store.query.conditions import Bind
from trivium.store.query.validation import Step


def order_by(steps: Sequence[Step], flavour: Flavour) -> list[ColumnElement[Any]]:
    """Nulls first ascending, last descending, as SQLite has it anyway."""
    return [_sorted(step, flavour) for step in steps]


def unindexed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same order of columns that SQLite knows no index for."""
    return tuple(Step(step.type, without_index(step.column), step.descending) for step in steps)


def after(steps: Sequence[Step], given: Sequence[bool], bind: Bind) -> ColumnElement[bool]:
    """The rows behind the key. `given` says for each step whether the key has a value there; only those are bound."""
    bound = [bind(step.column.type) if has else None for step, has in zip(steps, given, strict=True)]
    one_way = len({step.descending for step in steps}) == 1
    if one_way and len(steps) > 1 and not any(is_nullable(step.column) for step in steps):
        # Both databases walk an index along a comparison of whole rows.
        own, key = tuple_(*(step.column for step in steps)), tuple_(*bound)
        return own < key if steps[0].descending else own > key
    return _behind(list(zip(steps, bound, strict=True)))


def _sorted(step: Step, flavour: Flavour) -> ColumnElement[Any]:
    column = step.column.desc() if step.descending else step.column.asc()
    if flavour is Flavour.SQLITE or not is_nullable(step.column):
        return column
    return column.nulls_last() if step.descending else column.nulls_first()


def _behind(pairs: list[tuple[Step, Any]]) -> ColumnElement[bool]:
    (step, value), *rest = pairs
    beyond = _beyond(step, value)
    if not rest:
        return beyond
    level = step.column.is_(None) if value is None else step.column == value
    either = or_(beyond, and_(level, _behind(rest)))
    if value is None or is_nullable(step.column):
        return either
    # Said once more so that an index on the first column is walked from the key on.
    return and_(step.column <= value if step.descending else step.column >= value, either)


def _beyond(step: Step, value: Any) -> ColumnElement[bool]:
    """The rows that are strictly behind in this one step."""
    if value is None:
        return false() if step.descending else step.column.is_not(None)
    if not step.descending:
        return step.column > value
    below = step.column < value
    return or_(below, step.column.is_(None)) if is_nullable(step.column) else below
