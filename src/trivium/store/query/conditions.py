"""Conditions in SQL: each operator over a column, and across relations by existence."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, FromClause, Table, Text, cast, exists, false, func, select

from trivium.base.query import Op
from trivium.store.clauses import adapted
from trivium.store.database import Flavour
from trivium.store.fields import PATTERNS, Field, Relation, Resource, text, uuid
from trivium.store.query.patterns import ESCAPE
from trivium.store.query.validation import Match

Bind = Callable[[Any], BindParameter[Any]]
"""Gives the parameter of the next value, for a type of column."""

Inner = Callable[[Table, FromClause], ColumnElement[bool]]
"""A condition on a table, whose name in the statement is the second argument."""

_COMPARED: Final[Mapping[Op, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        Op.EQ: operator.eq,
        Op.NE: operator.ne,
        Op.LT: operator.lt,
        Op.LE: operator.le,
        Op.GT: operator.gt,
        Op.GE: operator.ge,
    }
)


def condition(resource: Resource, match: Match, *, flavour: Flavour, bind: Bind) -> ColumnElement[bool]:
    """The condition on the resource's table."""
    hops, field = resource.path(match.path)

    def inner(table: Table, name: FromClause) -> ColumnElement[bool]:
        if match.op in PATTERNS:
            found = adapted(_as_text(field, flavour), table, name).like(bind(Text()), escape=ESCAPE)
            return found if match.op in (Op.LIKE, Op.CONTAINS) else ~found
        return _compared(adapted(field.column, table, name), match, bind)

    return _across(hops, resource.table, (resource.table, inner))


def _across(hops: Sequence[Relation], here: FromClause, last: tuple[Table, Inner]) -> ColumnElement[bool]:
    """Whether there are related rows, hop by hop, the last of which satisfy the inner condition."""
    table, inner = last
    if not hops:
        return inner(table, here)
    hop = hops[0]
    target = hop.target().table
    there = target.alias()
    joined = there.c[hop.remote.key] == here.c[hop.local.key]
    where = [adapted(clause, target, there) for clause in hop.where]
    return exists(select(1).select_from(there).where(joined, *where, _across(hops[1:], there, (target, inner))))


def _as_text(field: Field, flavour: Flavour) -> ColumnElement[Any]:
    """The field as folded text."""
    if field.folded is not None:
        return field.folded
    if field.type is uuid:
        return func.lower(func.hex(field.column) if flavour is Flavour.SQLITE else func.encode(field.column, "hex"))
    return field.column if field.type is text else cast(field.column, Text())


def _compared(column: ColumnElement[Any], match: Match, bind: Bind) -> ColumnElement[bool]:
    values = [bind(column.type) for _ in range(match.values)]
    match match.op:
        case Op.NULL:
            return column.is_(None)
        case Op.NOT_NULL:
            return column.is_not(None)
        case Op.IN:
            return column.in_(values) if values else false()
        case Op.NOT_IN:
            return column.not_in(values) if values else column.is_not(None)
        case _:
            return _COMPARED[match.op](column, values[0])
