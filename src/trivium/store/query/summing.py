"""Sums of fields by groups of rows, with how many rows each group has."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, func, literal_column, select

from trivium.base.query import Offset, Order, Query
from trivium.base.values import Value
from trivium.store.errors import BadOperator, BadValue
from trivium.store.fields import Field, Resource, integer, number
from trivium.store.query import grouping, ordering, scopes, validation
from trivium.store.query.compiling import Builder, Target
from trivium.store.query.scopes import Condition
from trivium.store.query.validation import Part, Step
from trivium.store.statements import Statement
from trivium.store.transactions import Read

HALF: Final = 1 << 31
_HALF: Final[ColumnElement[int]] = literal_column(str(HALF), BigInteger())
"""Whole numbers are summed in two halves: no database's sum of 64 bits runs over, and the sum is exact."""


class Summed(Value, frozen=True):
    """One group: what its rows are equal in, folded where it is compared so, their number, and their sums.

    A sum is None where no row has a value.
    """

    by: tuple[Any, ...]
    rows: int
    sums: tuple[int | float | None, ...]


def summed(
    tx: Read, resource: Resource, query: Query, *, of: Sequence[str], scope: Sequence[Condition] = ()
) -> list[Summed]:
    """The groups of the query, `Query.group`, and the sums of the fields `of`, in the order of what they are groups by.

    The order may name no other fields, and the page is one by offset. Raises what `page` raises. It goes through all
    rows that satisfy the conditions, so it belongs where the time is limited.
    """
    where, values = validation.matches(resource, query)
    order = _order(resource, query)
    fields = [_summable(resource, name) for name in of]
    if not isinstance(query.page, Offset):
        raise BadValue("page", "groups have pages by offset only")
    values += [*validation.size(query.page)]
    values[-2] -= 1  # no row more than the page has: nobody asks for the next one
    key, own = scopes.taken(scope)
    target = Target(resource, scope, tx.flavour, tx.connection.dialect)
    place: Hashable = (resource, key, where, query.group, query.order, tuple(of), Summed)
    statement: Statement | None = tx.statements.get(place)
    if statement is None:
        statement = _statement(target, where, query.group, fields=fields, order=order)
        tx.statements.put(place, statement)
    rows = statement.converted(statement.fetch(tx, [*own, *values]))
    return [_group(row, len(query.group), fields) for row in rows]


def _order(resource: Resource, query: Query) -> list[Step]:
    asked = query.order or tuple(Order(field=name) for name in query.group)
    for step in asked:
        if step.field not in query.group:
            message = f"groups cannot be sorted by {step.field}"
            raise BadOperator(step.field, message, op="order")
    keys = dict(zip(query.group, grouping.columns(resource, query.group), strict=True))
    return [Step(resource.field(step.field).ordered, keys[step.field], step.descending) for step in asked]


def _summable(resource: Resource, name: str) -> Field:
    field = resource.field(name)
    if field.type not in (integer, number):
        message = f"{name} is no number, so there is no sum of it"
        raise BadOperator(name, message, op="sum")
    return field


def _statement(
    target: Target, where: tuple[Part, ...], group: tuple[str, ...], *, fields: Sequence[Field], order: Sequence[Step]
) -> Statement:
    builder = Builder(target)
    clauses = builder.where(where)
    keys = grouping.columns(target.resource, group)
    wanted = [*keys, func.count(), *(half for field in fields for half in _halves(field))]
    limit, offset = builder.bind(BigInteger()), builder.bind(BigInteger())
    statement = select(*(column.label(f"c{index}") for index, column in enumerate(wanted)))
    statement = statement.select_from(target.resource.table).where(*clauses).group_by(*keys)
    statement = statement.order_by(*ordering.order_by(order, target.flavour)).limit(limit).offset(offset)
    return builder.compiled(statement)


def _halves(field: Field) -> list[ColumnElement[Any]]:
    if field.type is number:
        return [func.sum(field.column), func.sum(field.column)]
    return [func.sum(field.column.op("/")(_HALF)), func.sum(field.column.op("%")(_HALF))]


def _group(row: Sequence[Any], keys: int, fields: Sequence[Field]) -> Summed:
    sums: list[int | float | None] = []
    for place, field in enumerate(fields):
        high, low = row[keys + 1 + 2 * place], row[keys + 2 + 2 * place]
        if high is None or field.type is number:
            sums.append(high)
        else:
            sums.append(int(high) * HALF + int(low))
    return Summed(by=tuple(row[:keys]), rows=row[keys], sums=tuple(sums))
