"""Whether what a question costs stays the same however many rows there are: an index or a counter answers it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, UniqueConstraint

from trivium.base.query import Condition as Asked
from trivium.base.query import Offset, Op, Query
from trivium.store.clauses import columns_of, pinned
from trivium.store.counters import blocks_for, total_for
from trivium.store.fields import Resource, is_nullable
from trivium.store.query.checking import FEW, Step, steps
from trivium.store.query.scopes import Bound
from trivium.store.shapes import Shapes

NEAR: Final = 1000
"""Rows that a database goes past in less time than a thread is worth."""


def is_bounded(shapes: Shapes, resource: Resource, query: Query, *, scope: Sequence[Bound] = ()) -> bool:
    """Whether the page, and the total where it is wanted, cost no more when the table grows.

    What is found is kept by the shape of the question. It may say no where the database finds a way all the same.
    Raises `UnknownField` or `UnknownRelation`.
    """
    key = (resource, tuple(part.scope for part in scope), _shape(query))
    known: bool | None = shapes.get(key)
    if known is None:
        known = _is_bounded(resource, query, [part.scope.clause for part in scope])
        shapes.put(key, known)
    return known


def _shape(query: Query) -> Hashable:
    """All of the query that counts here."""
    page = query.page
    far = isinstance(page, Offset) and page.offset > NEAR
    where = tuple((asked.field, asked.op, _values(asked) if asked.op is Op.IN else 1) for asked in query.where)
    return where, query.order, type(page), far, page.limit == 0, query.total


def _values(asked: Asked) -> int:
    """How many values will do."""
    return len(set(asked.value)) if isinstance(asked.value, tuple) else 1


def _is_bounded(resource: Resource, query: Query, scope: Sequence[ColumnElement[bool]]) -> bool:
    clauses, several = [*scope], 0
    for asked in query.where:
        hops, field = resource.path(asked.field)
        if hops or asked.op not in (Op.EQ, Op.IN):
            return False
        clauses.append(field.column == asked.value)
        several += _values(asked) > 1
    if any(names <= pinned(clauses) for names in _unique(resource)):
        return True
    order = steps(resource, ((step.field, step.descending) for step in query.order))
    are_merged = several == 0 or (several == 1 and len(order) == 1 and max(map(_values, query.where)) <= FEW)
    bounded = query.page.limit == 0 or (are_merged and _is_page_bounded(resource, query, clauses, order=order))
    return bounded and (not query.total or _is_counted(resource, clauses))


def _is_page_bounded(
    resource: Resource, query: Query, clauses: Sequence[ColumnElement[bool]], *, order: Sequence[Step]
) -> bool:
    columns = columns_of(resource.table, clauses)
    if columns is None or not columns <= pinned(clauses):
        return False
    if not any(_serves(names, columns, order) for names in _indexes(resource)):
        return False
    if not isinstance(query.page, Offset) or query.page.offset <= NEAR:
        return True
    counted = resource.counted
    return len(order) == 1 and counted is not None and blocks_for(counted, clauses) is not None


def _serves(names: Sequence[str], columns: frozenset[str], order: Sequence[Step]) -> bool:
    """Whether the index has the rows of each value of the columns together, in the order."""
    one_way = len({step.descending for step in order}) == 1 and not any(is_nullable(step.column) for step in order)
    following = tuple(names[len(columns) : len(columns) + len(order)])
    return one_way and frozenset(names[: len(columns)]) == columns and following == tuple(_names(order))


def _names(order: Sequence[Step]) -> Iterator[str | None]:
    return (step.column.key for step in order)


def _indexes(resource: Resource) -> Iterator[tuple[str, ...]]:
    """The columns of every index that has all rows."""
    yield (resource.id.key,)
    for index in resource.table.indexes:
        if not any(index.dialect_options[name].get("where") is not None for name in ("sqlite", "postgresql")):
            yield tuple(column.key for column in index.columns)


def _unique(resource: Resource) -> Iterator[frozenset[str]]:
    """The columns whose values tell rows apart."""
    yield frozenset((resource.id.key,))
    for constraint in resource.table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield frozenset(column.key for column in constraint.columns)


def _is_counted(resource: Resource, clauses: Sequence[ColumnElement[Any]]) -> bool:
    return resource.counted is not None and total_for(resource.counted, clauses) is not None
