"""Clauses in SQL: each operator over a column, across relations by existence, and what combines them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Table,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)

from trivium.base.query import Op
from trivium.store.clauses import adapted, without_index
from trivium.store.database import Flavour
from trivium.store.fields import PATTERNS, Field, Manner, Relation, Resource, is_nullable, text, uuid
from trivium.store.query import alternatives, seconds
from trivium.store.query.patterns import ESCAPE
from trivium.store.query.validation import Combining, Match, Part, Tree
from trivium.store.query.values import BOUNDED

Bind = Callable[[Any], BindParameter[Any]]
"""Gives the parameter of the next value, for a type of column."""

Inner = Callable[[Table, FromClause], ColumnElement[bool]]
"""A condition on a table, whose name in the statement is the second argument."""

Across: TypeAlias = "Callable[[Writing, Sequence[Relation], FromClause, tuple[Table, Inner]], ColumnElement[bool]]"
"""Writes the inner condition on what relations lead to."""

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


class Writing(Struct, frozen=True, eq=False):
    """What clauses are written for. `bounded`: whether patterns are told to indexes, too.

    `shown` are the audiences whose rows count across relations; where there are none, all do.
    """

    resource: Resource
    here: FromClause  # the resource's table as the statement names it
    flavour: Flavour
    bind: Bind
    bounded: bool
    shown: tuple[BindParameter[Any], ...] = ()


def clause(writing: Writing, part: Part) -> ColumnElement[bool]:
    """The clause on the resource's table."""
    if isinstance(part, Match):
        return _condition(writing, part)
    if part.combining is Combining.NOT:
        return _fails(writing, part.parts[0])
    if part.combining is Combining.RELATED:
        return _related(writing, part)
    return _combined(part.combining, [clause(writing, each) for each in part.parts])


def leading_clause(writing: Writing, match: Match) -> ColumnElement[bool]:
    """The clause of a condition across relations, so that related rows are found first and ours by them."""
    return _condition(writing, match, across=_listed)


def _fails(writing: Writing, part: Part) -> ColumnElement[bool]:
    """The clause that holds exactly where the part's does not: it goes down to the comparisons, which indexes know."""
    if isinstance(part, Match):
        return _failing(writing, part)
    if part.combining is Combining.NOT:
        return clause(writing, part.parts[0])
    if part.combining is Combining.RELATED:
        return not_(_related(writing, part))
    other = Combining.ANY if part.combining is Combining.ALL else Combining.ALL
    return _combined(other, [_fails(writing, each) for each in part.parts])


def _failing(writing: Writing, match: Match) -> ColumnElement[bool]:
    hops, field = writing.resource.path(match.path)
    found = _condition(writing, match)
    if hops or match.op in (Op.NULL, Op.NOT_NULL) or not is_nullable(field.column):
        return not_(found)
    return or_(not_(found), adapted(field.column, writing.resource.table, writing.here).is_(None))


def _combined(combining: Combining, clauses: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    if combining is Combining.ALL:
        return and_(true(), *clauses)
    return or_(false(), *clauses)


def _related(writing: Writing, tree: Tree) -> ColumnElement[bool]:
    hops, resource = writing.resource.walk(tree.path)

    def inner(_table: Table, name: FromClause) -> ColumnElement[bool]:
        return clause(replace(writing, resource=resource, here=name), tree.parts[0])

    return _across(writing, hops, writing.here, (resource.table, inner))


def _condition(writing: Writing, match: Match, across: Across | None = None) -> ColumnElement[bool]:
    hops, field = writing.resource.path(match.path)

    def inner(table: Table, name: FromClause) -> ColumnElement[bool]:
        if match.op in PATTERNS:
            return _like(writing, match, field, here=lambda column: adapted(column, table, name))
        return _compared(adapted(field.compared, table, name), match, writing.bind, manner=field.type.manner)

    return (across or _across)(writing, hops, writing.here, (writing.resource.table, inner))


def _across(  # noqa: PLR0917 - as `Across` has it
    writing: Writing, hops: Sequence[Relation], here: FromClause, last: tuple[Table, Inner]
) -> ColumnElement[bool]:
    """Whether there are related rows, hop by hop, the last of which satisfy the inner condition."""
    table, inner = last
    if not hops:
        return inner(table, here)
    hop = hops[0]
    target, there, where = _counting(writing, hop)
    joined = there.c[hop.remote.key] == here.c[hop.local.key]
    rest = _across(writing, hops[1:], there, (target, inner))
    return exists(select(1).select_from(there).where(joined, *where, rest))


def _listed(  # noqa: PLR0917 - as `Across` has it
    writing: Writing, hops: Sequence[Relation], here: FromClause, last: tuple[Table, Inner]
) -> ColumnElement[bool]:
    """The same, as a list of what our side of each relation must be."""
    table, inner = last
    if not hops:
        return inner(table, here)
    hop = hops[0]
    target, there, where = _counting(writing, hop)
    found = select(there.c[hop.remote.key]).where(*where, _listed(writing, hops[1:], there, (target, inner)))
    return here.c[hop.local.key].in_(found)


def _counting(writing: Writing, hop: Relation) -> tuple[Table, FromClause, list[ColumnElement[bool]]]:
    """The table that a relation leads to, its name in the statement, and which of its rows count."""
    resource = hop.target()
    there = resource.table.alias()
    where = [adapted(clause, resource.table, there) for clause in hop.where]
    if writing.shown and resource.audience is not None:
        audience: ColumnElement[Any] = there.c[resource.audience.key]
        if writing.flavour is Flavour.SQLITE:
            audience = without_index(audience)  # the relation's key leads
        where.append(audience.in_(writing.shown))
    return resource.table, there, where


def _like(
    writing: Writing, match: Match, field: Field, *, here: Callable[[ColumnElement[Any]], Any]
) -> ColumnElement[bool]:
    pattern = writing.bind(Text())
    written = here(_as_text(field, writing))
    found: ColumnElement[bool] = written.like(pattern, escape=ESCAPE)
    if match.op in (Op.NOT_LIKE, Op.NOT_CONTAINS):
        return not_(found)
    if match.values != BOUNDED or match.op is not Op.LIKE:
        return found
    column = here(field.column if field.type is uuid else _as_text(field, writing))
    first, behind = writing.bind(column.type), writing.bind(column.type)
    if not writing.bounded:
        return found
    return and_(column >= first, column <= behind if field.type is uuid else column < behind, found)


def _as_text(field: Field, writing: Writing) -> ColumnElement[Any]:
    """The field as folded text."""
    if field.folded is not None:
        return field.folded
    if field.type.manner is Manner.SECONDS:
        return seconds.as_text(field.column, writing.bind, writing.flavour)
    if field.type is uuid:
        if writing.flavour is Flavour.POSTGRESQL:
            return func.encode(field.column, "hex")
        return func.lower(func.nullif(func.hex(field.column), ""))  # SQLite has empty text for a null there
    return field.column if field.type is text else cast(field.column, Text())


def _compared(column: ColumnElement[Any], match: Match, bind: Bind, *, manner: Manner) -> ColumnElement[bool]:
    values = [bind(column.type) for _ in range(match.values)]
    if not values:
        return _without_value(column, match.op)
    if manner is Manner.MEMBERS and match.op in alternatives.MEMBERSHIP:
        return alternatives.members(column, match.op, values)
    if manner is Manner.SECONDS:
        return alternatives.seconds(column, match.op, values)
    if match.op in (Op.IN, Op.NOT_IN):
        return column.in_(values) if match.op is Op.IN else column.not_in(values)
    return _COMPARED[match.op](column, values[0])


def _without_value(column: ColumnElement[Any], op: Op) -> ColumnElement[bool]:
    """The tests for null, and comparisons with an empty list."""
    if op is Op.IN:
        return false()
    return column.is_(None) if op is Op.NULL else column.is_not(None)
