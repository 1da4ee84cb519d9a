"""Compiling queries: the SELECT of a page or a total for each shape of query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, BindParameter, ColumnElement, Integer, Select, bindparam, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from trivium.store.counters import total_for
from trivium.store.database import Flavour
from trivium.store.fields import Resource
from trivium.store.grams import AccessPath, Kind
from trivium.store.grams import statements as grams
from trivium.store.query import conditions, merge_scan, ordering, scopes
from trivium.store.query.validation import Match, Shape, Step, steps
from trivium.store.statements import Statement, compiled, row_type


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


def page_statement(target: Target, shape: Shape, path: AccessPath | None = None) -> PageStatement:
    """Compile a page: its values are those of scope, conditions and key, limit and offset, then the access path's."""
    builder = Builder(target)
    where = builder.where(shape.where)
    order = steps(target.resource, shape.order)
    names, columns = _wanted(target.resource, shape.fields)
    wanted = len(columns)
    key = tuple([_index_of(step.column, columns) for step in order])
    statement = select(*(column.label(f"c{index}") for index, column in enumerate(columns)))
    if path is None:
        statement = _plain(statement, builder, where, order=order, shape=shape)
    else:
        statement = _searched(statement.where(*where), builder, order, shape=shape, path=path)
    return PageStatement(builder.compiled(statement), row_type(names), wanted, key)


def _plain(
    statement: Select[Any],
    builder: Builder,
    where: Sequence[ColumnElement[bool]],
    *,
    order: tuple[Step, ...],
    shape: Shape,
) -> Select[Any]:
    """The statement with its conditions, key, order, limit and offset, over the resource's table."""
    resource = builder.target.resource
    after = [] if shape.after is None else [ordering.after(order, shape.after, builder.bind)]
    limit, offset = builder.bind(BigInteger()), builder.bind(BigInteger())
    own = len(where) - len(shape.where)
    matches = tuple(zip(shape.where, where[own:], strict=True))
    branches = merge_scan.branches(resource, (*where[:own], *after), matches) if len(order) == 1 else None
    if branches is None:
        statement = statement.select_from(resource.table).where(*where, *after).limit(limit).offset(offset)
    else:
        paging = merge_scan.Paging(order[0].descending, limit, offset)
        merged = merge_scan.merged(resource, branches, paging, flavour=builder.target.flavour)
        statement = statement.select_from(merged.join(resource.table, resource.id == merged.c.id))
    return statement.order_by(*ordering.order_by(order, builder.target.flavour))


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


def total_statement(target: Target, where: Sequence[Match], path: AccessPath | None = None) -> Statement:
    """Compile a total: its values are those of the scope and the conditions, then the access path's."""
    builder, resource = Builder(target), target.resource
    clauses = builder.where(where)
    if path is not None:
        return builder.compiled(_searched_total(builder, clauses, path))
    counter = None if resource.counted is None else total_for(resource.counted, clauses)
    if counter is not None:
        return builder.compiled(counter)
    return builder.compiled(select(func.count()).select_from(resource.table).where(*clauses))


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

    def where(self, matches: Sequence[Match]) -> list[ColumnElement[bool]]:
        """The clauses of the scope, then those of the conditions."""
        clauses, self._parameters = scopes.built(self.target.scope)
        resource, flavour = self.target.resource, self.target.flavour
        return clauses + [conditions.condition(resource, match, flavour=flavour, bind=self.bind) for match in matches]

    def compiled(self, statement: Select[Any]) -> Statement:
        """The statement, compiled with the parameters that were bound."""
        return compiled(statement, self._parameters, self.target.dialect)


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
