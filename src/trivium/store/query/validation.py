"""A query held against its resource: what is wrong is refused, what is left is a shape and the values that go in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement

from trivium.base.query import After, AllOf, AnyOf, Clause, Condition, Not, Offset, Op, Order, Query, Related, Scalar
from trivium.store.errors import BadOperator, BadValue, UnknownRelation
from trivium.store.fields import DEEPEST, LARGEST, Resource, Type, Unfit, integer, is_nullable
from trivium.store.query.values import values_of

MOST_CONDITIONS: Final = 64
MOST_VALUES_IN_ALL: Final = 16_384
"""What SQLite can bind is twice as many."""

DEEPEST_CLAUSE: Final = 32
"""Levels of clauses within clauses."""


class Match(Struct, frozen=True):
    """One condition without its values: how many it takes is part of what it is."""

    path: str
    op: Op
    values: int


class Combining(StrEnum):
    """How clauses make one."""

    ALL = "all"
    ANY = "any"
    NOT = "not"
    RELATED = "related"


class Tree(Struct, frozen=True):
    """A clause of clauses, without their values."""

    combining: Combining
    parts: tuple[Part, ...]
    values: int
    path: str = ""  # of RELATED


Part: TypeAlias = "Match | Tree"


class Shape(Struct, frozen=True):
    """All that the text of a page's statement depends on, save for resource, scope and database."""

    where: tuple[Part, ...]
    order: tuple[tuple[str, bool], ...]
    after: tuple[bool, ...] | None  # for each ordered field whether the key has a value; None for a page by offset
    fields: tuple[str, ...]
    group: tuple[str, ...] = ()


def matches(resource: Resource, query: Query) -> tuple[tuple[Part, ...], list[Any]]:
    """The clauses, and their values in order. Raises `UnknownField`, `BadOperator` or `BadValue`."""
    if len(query.where) > MOST_CONDITIONS:
        raise _too_many()
    values: list[Any] = []
    found: tuple[Part, ...] = tuple(
        [_match(resource, condition, values, utc_offset=query.utc_offset) for condition in query.where]
    )
    if query.tree is not None:
        reader = _Reader(query, values)
        found = (*found, reader.part(resource, query.tree, levels=DEEPEST_CLAUSE))
    if len(values) > MOST_VALUES_IN_ALL:
        message = f"a query has at most {MOST_VALUES_IN_ALL} values"
        raise BadValue("where", message)
    for name in query.group:
        resource.field(name)
    return found, values


def _match(
    resource: Resource, condition: Condition, values: list[Any], *, utc_offset: timedelta, hops: int = DEEPEST
) -> Match:
    """The condition without its values, which are appended to the others."""
    found, field = resource.path(condition.field)
    if len(found) > hops:
        raise _too_deep(resource, condition.field)
    if not field.allows(condition.op):
        message = f"{condition.field} cannot be matched with {condition.op.value!r}"
        raise BadOperator(condition.field, message, op=condition.op.value)
    own = values_of(field, condition, utc_offset)
    values += own
    return Match(condition.field, condition.op, len(own))


class _Reader:
    """Reads the clauses of one query, behind its plain conditions."""

    def __init__(self, query: Query, values: list[Any]) -> None:
        self._values = values
        self._utc_offset = query.utc_offset
        self._left = MOST_CONDITIONS - len(query.where)

    def part(self, resource: Resource, clause: Clause, *, levels: int, hops: int = DEEPEST) -> Part:
        if isinstance(clause, Condition):
            self._count()
            return _match(resource, clause, self._values, utc_offset=self._utc_offset, hops=hops)
        if levels == 0:
            message = f"clauses lie in each other at most {DEEPEST_CLAUSE} deep"
            raise BadValue("where", message)
        if isinstance(clause, Related):
            found, resource = resource.walk(clause.path)
            hops -= len(found)
            if hops < 0:
                raise _too_deep(resource, clause.path)
        clauses = (clause.part,) if isinstance(clause, (Not, Related)) else clause.parts
        if not clauses:
            self._count()
        parts = tuple([self.part(resource, each, levels=levels - 1, hops=hops) for each in clauses])
        path = clause.path if isinstance(clause, Related) else ""
        return Tree(_COMBINING[type(clause)], parts, sum(part.values for part in parts), path)

    def _count(self) -> None:
        if self._left == 0:
            raise _too_many()
        self._left -= 1


def _too_many() -> BadValue:
    message = f"a query has at most {MOST_CONDITIONS} conditions"
    return BadValue("where", message)


def _too_deep(resource: Resource, path: str) -> UnknownRelation:
    message = f"{path!r} goes across more than {DEEPEST} relations in all"
    return UnknownRelation(path, message, resource=resource.name)


_COMBINING: Final[Mapping[type, Combining]] = MappingProxyType(
    {AllOf: Combining.ALL, AnyOf: Combining.ANY, Not: Combining.NOT, Related: Combining.RELATED}
)


def shape(resource: Resource, query: Query) -> tuple[Shape, list[Any]]:
    """The shape of the query's page, and its values: those of the conditions, of the key, and the page's own.

    Raises `UnknownField`, `BadOperator` or `BadValue`.
    """
    where, values = matches(resource, query)
    order = tuple((step.field, step.descending) for step in query.order)
    for step in query.order:
        _check_order(resource, step)
    for name in query.fields:
        resource.field(name)
    after = None
    if isinstance(query.page, After):
        after = tuple(value is not None for value in query.page.key)
        values += _key(steps(resource, order), query.page.key)
    values += size(query.page)
    return Shape(where, order, after, query.fields, query.group), values


class Step(Struct, frozen=True, eq=False):
    """One step of the order that rows really have."""

    type: Type
    column: ColumnElement[Any]
    descending: bool


def steps(resource: Resource, order: Iterable[tuple[str, bool]]) -> tuple[Step, ...]:
    """The whole order, down to the id that tells all rows apart: no column counts twice, and nothing after the id."""
    found: list[Step] = []
    for name, descending in order:
        field = resource.field(name)
        if all(field.compared is not step.column for step in found):
            found.append(Step(field.ordered, field.compared, descending))
        if field.column is resource.id:
            return tuple(found)
    return (*found, Step(integer, resource.id, descending=True))


def _check_order(resource: Resource, step: Order) -> None:
    if not resource.field(step.field).sortable:
        message = f"{step.field} cannot be sorted by"
        raise BadOperator(step.field, message, op="order")


def _key(order: tuple[Step, ...], key: tuple[Scalar | None, ...]) -> list[Any]:
    """The values of a keyset page's key that are not null."""
    if len(key) != len(order):
        message = f"the key of the page must have {len(order)} values for this order"
        raise BadValue("page", message)
    found: list[Any] = []
    for step, value in zip(order, key, strict=True):
        if value is None and not is_nullable(step.column):
            raise BadValue("page", "a value in the key of the page is missing")
        if value is not None:
            found.append(_key_value(step, value))
    return found


def _key_value(step: Step, value: Scalar) -> Any:
    try:
        return step.type.check(value)
    except Unfit as error:
        message = f"a value in the key of the page {error}"
        raise BadValue("page", message) from error


def size(page: Offset | After) -> list[Any]:
    """The bound values of LIMIT and OFFSET: one row more than is wanted tells whether there is a next page."""
    offset = page.offset if isinstance(page, Offset) else 0
    for name, value in (("limit", page.limit), ("offset", offset)):
        if not 0 <= value < LARGEST:
            message = f"{name} must not be negative, nor larger than 63 bits"
            raise BadValue(name, message)
    return [page.limit + 1, offset]
