"""Compiling queries: the SELECT of a page or a total for each shape of query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from trivium.store.clauses import without_indexes
from trivium.store.counters import total_for
from trivium.store.database import Flavour
from trivium.store.fields import Resource
from trivium.store.grams import AccessPath, Kind
from trivium.store.grams import statements as grams
from trivium.store.query import audience_scan, conditions, grouping, leading, merge_scan, ordering, scopes
from trivium.store.query.leading import Leading, Way
from trivium.store.query.validation import Match, Part, Shape, Step, steps
from trivium.store.statements import Statement, compiled, row_type

ANY_WAY: Final = Way(None)


class PageStatement(Struct, frozen=True, eq=False):
    """A statement whose rows become a page."""

    statement: Statement
    row: Callable[[Iterable[Any]], Any]
    wanted: int  # columns that belong to the row; the others are only for the key
    key: tuple[int, ...]  # the columns that make the key of the next page


class Target(Struct, frozen=True, eq=False):
    """What a statement is compiled for."""

    resource: Resource
    scope: Sequence[scopes.Condition]
    flavour: Flavour
    dialect: Dialect


def page_statement(
    target: Target,
    shape: Shape,
    path: AccessPath | None = None,
    *,
    way: Way = ANY_WAY,
    crowded: bool = False,
) -> PageStatement:
    """Compile a page: its values are those of scope, conditions and key, limit and offset, then the access path's.

    `way`: what leads; `crowded`: too many are seen to be sorted.
    """
    builder = Builder(target)
    where = builder.where(shape.where, bounded=path is None, way=way, crowded=crowded)
    order = steps(target.resource, shape.order)
    names, columns = _wanted(target.resource, shape.fields)
    wanted = len(columns)
    key = tuple([_index_of(step.column, columns) for step in order])
    statement = select(*(column.label(f"c{index}") for index, column in enumerate(columns)))
    if shape.group:
        statement = _grouped(statement, builder, where, order=order, shape=shape)
    elif path is None:
        statement = _plain(statement, builder, where, order=order, shape=shape, way=way)
    else:
        statement = _searched(statement.where(*where), builder, order, shape=shape, path=path)
    return PageStatement(builder.compiled(statement), row_type(tuple(names)), wanted, key)


def _plain(
    statement: Select[Any],
    builder: Builder,
    where: Sequence[ColumnElement[bool]],
    *,
    order: tuple[Step, ...],
    shape: Shape,
    way: Way,
) -> Select[Any]:
    """The statement with its conditions, key, order, limit and offset, over the resource's table."""
    resource, flavour = builder.target.resource, builder.target.flavour
    after = [] if shape.after is None else [ordering.after(order, shape.after, builder.bind)]
    limit, offset = builder.bind(BigInteger()), builder.bind(BigInteger())
    own = len(where) - len(shape.where)
    matches = tuple(zip(shape.where, where[own:], strict=True))
    branches = merge_scan.branches(resource, (*where[:own], *after), matches) if len(order) == 1 else None
    scans = None if branches is not None else _scans(builder, (*where, *after), order, shape=shape, way=way)
    if scans is not None:
        picked = audience_scan.merged(resource, scans, order, page=(limit, offset), flavour=flavour)
        statement = statement.select_from(picked.join(resource.table, resource.id == picked.c.id))
    elif branches is None:
        statement = statement.select_from(resource.table).where(*where, *after).limit(limit).offset(offset)
    else:
        paging = merge_scan.Paging(order[0].descending, limit, offset)
        merged = merge_scan.merged(resource, branches, paging, flavour=flavour)
        statement = statement.select_from(merged.join(resource.table, resource.id == merged.c.id))
    is_sorted = way.led is not None and leading.is_sorted(way.led, order[0].column)
    return statement.order_by(*ordering.order_by(ordering.unindexed(order) if is_sorted else order, flavour))


def _scans(
    builder: Builder,
    where: Sequence[ColumnElement[bool]],
    order: tuple[Step, ...],
    *,
    shape: Shape,
    way: Way,
) -> list[list[ColumnElement[bool]]] | None:
    """The conditions of a scan for each audience; None where there are none, or a condition leads."""
    target = builder.target
    place = audience_scan.place_of(target.scope)
    if place is None or _leads(way, target.resource, shape.where):
        return None
    return audience_scan.branches(target.resource, where, place, order=order)


def _grouped(
    statement: Select[Any],
    builder: Builder,
    where: Sequence[ColumnElement[bool]],
    *,
    order: tuple[Step, ...],
    shape: Shape,
) -> Select[Any]:
    """The same over the first row of each group."""
    resource, flavour = builder.target.resource, builder.target.flavour
    first = grouping.first_of_each(resource, shape.group, where, order=ordering.order_by(order, flavour))
    after = [] if shape.after is None else [ordering.after(order, shape.after, builder.bind)]
    limit, offset = builder.bind(BigInteger()), builder.bind(BigInteger())
    statement = statement.select_from(resource.table.join(first, resource.id == first.c.id))
    statement = statement.where(first.c.place == literal_column("1"), *after)
    return statement.order_by(*ordering.order_by(order, flavour)).limit(limit).offset(offset)


def _searched(
    statement: Select[Any], builder: Builder, order: tuple[Step, ...], *, shape: Shape, path: AccessPath
) -> Select[Any]:
    """The same over the rows that an access path finds."""
    resource, flavour = builder.target.resource, builder.target.flavour
    is_by_id = len(order) == 1
    inner = _by(order, grams.id_of(path, flavour) if is_by_id else resource.id)
    after = [] if shape.after is None else [ordering.after(inner, shape.after, builder.bind)]
    limit, offset = builder.bind(BigInteger()), builder.bind(BigInteger())
    given = grams.parameters(path, flavour, builder.bind)
    descending = order[0].descending if is_by_id else None
    source = grams.source(path, given, flavour, only=after if is_by_id else (), descending=descending)
    statement = statement.select_from(source.table).where(*source.where, *(() if is_by_id else after))
    return statement.order_by(*ordering.order_by(_by(order, source.id), flavour)).limit(limit).offset(offset)


def _by(order: tuple[Step, ...], id: ColumnElement[Any]) -> tuple[Step, ...]:
    """The order with another column of the same ids as its last step."""
    *others, last = order
    return (*others, Step(last.type, id, last.descending))


def total_statement(
    target: Target, where: Sequence[Part], group: Sequence[str] = (), *, path: AccessPath | None = None
) -> Statement:
    """Compile a total: its values are those of the scope and the conditions, then the access path's."""
    builder, resource = Builder(target), target.resource
    led = leading.leading(resource, where, target.flavour) if path is None else None
    clauses = builder.where(where, bounded=path is None, way=Way(led))
    if group:
        return builder.compiled(grouping.number(resource, group, clauses))
    if path is not None:
        return builder.compiled(_searched_total(builder, clauses, path))
    counter = None if resource.counted is None else total_for(resource.counted, clauses)
    if counter is not None:
        return builder.compiled(counter)
    return builder.compiled(select(func.count()).select_from(resource.table).where(*clauses))


def number_led(target: Target, where: Sequence[Part], led: Leading, *, most: int) -> Statement:
    """Compile the number of rows that satisfy what leads, up to one more than `most`. Its values are a total's."""
    builder = Builder(target)
    clause = builder.where(where, way=Way(led))[led.place - len(where)]
    found = select(target.resource.id).select_from(target.resource.table).where(clause).limit(most + 1)
    return builder.compiled(select(func.count()).select_from(found.subquery("led")))


def number_seen(target: Target) -> Statement:
    """Compile the number of rows within the scope, up to one more than are sorted. Its values are the scope's."""
    builder = Builder(target)
    found = select(target.resource.id).select_from(target.resource.table).where(*builder.where(()))
    return builder.compiled(select(func.count()).select_from(found.limit(leading.MOST + 1).subquery("seen")))


def _searched_total(builder: Builder, clauses: Sequence[ColumnElement[bool]], path: AccessPath) -> Select[Any]:
    flavour = builder.target.flavour
    given = grams.parameters(path, flavour, builder.bind)
    if path.kind is Kind.INDEX_ONLY:
        return grams.total(path, given, flavour)
    source = grams.source(path, given, flavour, only=(), descending=None)
    return select(func.count()).select_from(source.table).where(*source.where, *clauses)


class Builder:
    """Builds one statement, and keeps its parameters in the order of their values."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._parameters: list[BindParameter[Any]] = []

    def bind(self, type_: TypeEngine[Any]) -> BindParameter[Any]:
        """The parameter of the next value. Whole numbers have 64 bits, however few their column has."""
        wide = BigInteger() if isinstance(type_, Integer) else type_
        made: BindParameter[Any] = bindparam(None, None, type_=wide, unique=True)
        self._parameters.append(made)
        return made

    def where(
        self, parts: Sequence[Part], *, bounded: bool = True, way: Way = ANY_WAY, crowded: bool = False
    ) -> list[ColumnElement[bool]]:
        """The clauses of the scope, then those of the query; `bounded`: patterns are told to indexes, too.

        `crowded`: an audience leads as little as where a condition does.
        """
        clauses, self._parameters = scopes.built(self.target.scope)
        resource = self.target.resource
        shown = scopes.shown(self.target.scope, clauses)
        writing = conditions.Writing(
            resource, resource.table, self.target.flavour, bind=self.bind, bounded=bounded, shown=shown
        )
        hidden = leading.hidden(resource, parts, way) if self.target.flavour is Flavour.SQLITE else ()
        if self.target.flavour is Flavour.SQLITE:
            place = audience_scan.place_of(self.target.scope)
            if place is not None and (crowded or _leads(way, resource, parts)):
                clauses = audience_scan.without_index(clauses, place, resource=resource)
        for place, part in enumerate(parts):
            if way.led is not None and way.led.over is None and place == way.led.place and isinstance(part, Match):
                clauses.append(conditions.leading_clause(writing, part))
                continue
            clause = conditions.clause(writing, part)
            clauses.append(without_indexes(clause, resource.table) if place in hidden else clause)
        return clauses

    def compiled(self, statement: Select[Any]) -> Statement:
        """The statement, compiled with the parameters that were bound."""
        return compiled(statement, self._parameters, self.target.dialect)


def _leads(way: Way, resource: Resource, parts: Sequence[Part]) -> bool:
    """Whether a condition leads, so that an audience must not."""
    return way.led is not None or (not way.is_hidden and leading.has_equal(resource, parts))


def _wanted(resource: Resource, fields: Sequence[str]) -> tuple[list[str], list[ColumnElement[Any]]]:
    """The names and columns of a row: the asked fields in their order, or all columns of the resource."""
    if not fields:
        return [column.key for column in resource.columns], list(resource.columns)
    names = list(dict.fromkeys(fields))
    return names, [resource.field(name).column for name in names]


def _index_of(column: ColumnElement[Any], columns: list[ColumnElement[Any]]) -> int:
    """Where the column is among the selected ones; it is appended to them when it was not wanted."""
    for index, other in enumerate(columns):
        if other is column:
            return index
    columns.append(column)
    return len(columns) - 1
