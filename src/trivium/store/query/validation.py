"""A query held against its resource: what is wrong is refused, what is left is a shape and the values that go in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from msgspec import Struct
from sqlalchemy import ColumnElement

from trivium.base.query import After, Condition, Offset, Op, Order, Query, Scalar
from trivium.store.errors import BadOperator, BadValue
from trivium.store.fields import LARGEST, Field, Resource, Type, Unfit, integer, is_nullable, text
from trivium.store.query import patterns

MOST_CONDITIONS: Final = 64
MOST_VALUES: Final = 1024
"""Values of one IN, and the longest bucket."""

FEW: Final = 8
"""Values of one IN of which each number is a shape of its own, and none comes twice."""


class Match(Struct, frozen=True):
    """One condition without its values: how many it takes is part of what it is."""

    path: str
    op: Op
    values: int


class Shape(Struct, frozen=True):
    """All that the text of a page's statement depends on, save for resource, scope and database."""

    where: tuple[Match, ...]
    order: tuple[tuple[str, bool], ...]
    after: tuple[bool, ...] | None  # for each ordered field whether the key has a value; None for a page by offset
    fields: tuple[str, ...]


def matches(resource: Resource, query: Query) -> tuple[tuple[Match, ...], list[Any]]:
    """The conditions, and their values in order. Raises `UnknownField`, `BadOperator` or `BadValue`."""
    if len(query.where) > MOST_CONDITIONS:
        message = f"a query has at most {MOST_CONDITIONS} conditions"
        raise BadValue("where", message)
    found: list[Match] = []
    values: list[Any] = []
    for condition in query.where:
        _, field = resource.path(condition.field)
        if not field.allows(condition.op):
            message = f"{condition.field} cannot be matched with {condition.op.value!r}"
            raise BadOperator(condition.field, message, op=condition.op.value)
        own = _values(field, condition)
        found.append(Match(condition.field, condition.op, len(own)))
        values += own
    return tuple(found), values


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
    values += _size(query.page)
    return Shape(where, order, after, query.fields), values


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
        if all(field.column is not step.column for step in found):
            found.append(Step(field.type, field.column, descending))
        if field.column is resource.id:
            return tuple(found)
    return (*found, Step(integer, resource.id, descending=True))


def _check_order(resource: Resource, step: Order) -> None:
    if not resource.field(step.field).sortable:
        message = f"{step.field} cannot be sorted by"
        raise BadOperator(step.field, message, op="order")


def _values(field: Field, condition: Condition) -> list[Any]:
    """The condition's values, ready to be bound; long lists are filled up to the next power of two with their last."""
    try:
        return _READERS[condition.op](field, condition.value)
    except Unfit as error:
        message = f"{condition.field} {error}"
        raise BadValue(condition.field, message) from error


def _none(_field: Field, value: object) -> list[Any]:
    if value is not None:
        raise Unfit("takes no value here")
    return []


def _one(field: Field, value: object) -> list[Any]:
    return [field.type.check(value)]


def _many(field: Field, value: object) -> list[Any]:
    if not isinstance(value, tuple):
        raise Unfit("must be compared with a list")
    items = cast("tuple[object, ...]", value)
    if len(items) > MOST_VALUES:
        message = f"can be compared with at most {MOST_VALUES} values"
        raise Unfit(message)
    found = list(dict.fromkeys(field.type.check(item) for item in items))
    return found + found[-1:] * (_bucket(len(found)) - len(found))


def _bucket(length: int) -> int:
    return length if length <= FEW else 1 << (length - 1).bit_length()


def _pattern(_field: Field, value: object) -> list[Any]:
    return [patterns.like(text.check(value))]


def _term(_field: Field, value: object) -> list[Any]:
    return [patterns.containing(text.check(value))]


_READERS: Final[Mapping[Op, Callable[[Field, object], list[Any]]]] = MappingProxyType(
    {
        **dict.fromkeys((Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE), _one),
        **dict.fromkeys((Op.IN, Op.NOT_IN), _many),
        **dict.fromkeys((Op.LIKE, Op.NOT_LIKE), _pattern),
        **dict.fromkeys((Op.CONTAINS, Op.NOT_CONTAINS), _term),
        **dict.fromkeys((Op.NULL, Op.NOT_NULL), _none),
    }
)


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


def _size(page: Offset | After) -> list[Any]:
    """The bound values of LIMIT and OFFSET: one row more than is wanted tells whether there is a next page."""
    offset = page.offset if isinstance(page, Offset) else 0
    for name, value in (("limit", page.limit), ("offset", offset)):
        if not 0 <= value < LARGEST:
            message = f"{name} must not be negative, nor larger than 63 bits"
            raise BadValue(name, message)
    return [page.limit + 1, offset]
