"""Shapes of statements, each compiled once: its text, where values go, and how rows are made."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BigInteger, BindParameter, ColumnElement, Integer, Select, bindparam, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from trivium.store.counters import total_for
from trivium.store.database import Flavour
from trivium.store.fields import Resource
from trivium.store.grams import Kind, Way
from trivium.store.grams import statements as grams
from trivium.store.query import conditions, merging, ordering, scopes
from trivium.store.query.checking import Match, Shape, Step, steps

_FLOAT8: Final = 701
"""PostgreSQL's code of a double: numbers are asked what the driver gives, and it gives floats."""


class Plan(Struct, frozen=True, eq=False):
    """A statement for the driver."""

    sql: str
    order: tuple[int, ...]  # which value goes to which place; the constants' numbers come after the values'
    constants: tuple[Any, ...]
    binders: tuple[tuple[int, Callable[[Any], Any]], ...]  # values that the database keeps in another form

    def bound(self, values: list[Any]) -> list[Any]:
        """The driver's parameters for these values, which are changed on the way."""
        for index, bind in self.binders:
            values[index] = bind(values[index])
        values += self.constants
        return [values[index] for index in self.order]


class CountPlan(Plan, frozen=True, eq=False):
    """A statement whose only value is a number of rows."""

    counters: bool  # whether counters tell it, so that its cost does not grow


class PagePlan(Plan, frozen=True, eq=False):
    """A statement whose rows become a page."""

    row: Callable[[Iterable[Any]], Any]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    wanted: int  # columns that belong to the row; those behind are only for the key
    key: tuple[int, ...]  # the columns that make the key of the next page

    def converted(self, rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
        """The rows with each column in its Python form."""
        found = [list(row) for row in rows]
        for index, convert in self.converters:
            for row in found:
                if row[index] is not None:
                    row[index] = convert(row[index])
        return found


class Ground(Struct, frozen=True, eq=False):
    """What a statement is built upon."""

    resource: Resource
    scope: Sequence[scopes.Condition]
    flavour: Flavour
    dialect: Dialect


def page_plan(ground: Ground, shape: Shape, way: Way | None = None) -> PagePlan:
    """Compile a page: its values are those of the scope, the conditions, the key, limit and offset, then the way's."""
    builder = Builder(ground)
    where = builder.where(shape.where)
    order = steps(ground.resource, shape.order)
    names, columns = _wanted(ground.resource, shape.fields)
    wanted = len(columns)
    key = [_index_of(step.column, columns) for step in order]
    statement = select(*(column.label(f"c{index}") for index, column in enumerate(columns)))
    plan = builder.compiled(_placed(statement, builder, where, order=order, shape=shape, way=way))
    return PagePlan(
        sql=plan.sql,
        order=plan.order,
        constants=plan.constants,
        binders=plan.binders,
        row=_row(names),
        converters=_present(enumerate(_converter(column.type, ground.dialect) for column in columns)),
        wanted=wanted,
        key=tuple(key),
    )


def _placed(
    statement: Select[Any],
    builder: Builder,
    where: Sequence[ColumnElement[bool]],
    *,
    order: tuple[Step, ...],
    shape: Shape,
    way: Way | None,
) -> Select[Any]:
    """The statement with its conditions, order, what it comes after, limit and offset, and where its rows come from."""
    if way is not None:
        return _searched(statement.where(*where), builder, order, shape=shape, way=way)
    resource = builder.ground.resource
    after = [] if shape.after is None else [ordering.after(order, shape.after, builder.bind)]
    limit, offset = builder.bind(BigInteger()), builder.bind(BigInteger())
    own = len(where) - len(shape.where)
    matches = tuple(zip(shape.where, where[own:], strict=True))
    walks = merging.branches(resource, (*where[:own], *after), matches) if len(order) == 1 else None
    if walks is None:
        statement = statement.select_from(resource.table).where(*where, *after).limit(limit).offset(offset)
    else:
        paging = merging.Paging(order[0].descending, limit, offset)
        picked = merging.merged(resource, walks, paging, flavour=builder.ground.flavour)
        statement = statement.select_from(picked.join(resource.table, resource.id == picked.c.id))
    return statement.order_by(*ordering.order_by(order, builder.ground.flavour))


def _searched(
    statement: Select[Any], builder: Builder, order: tuple[Step, ...], *, shape: Shape, way: Way
) -> Select[Any]:
    """The same for rows that a way finds."""
    resource, flavour = builder.ground.resource, builder.ground.flavour
    alone = len(order) == 1  # the id's own index of the way sorts them
    inner = _by(order, grams.id_of(way, flavour) if alone else resource.id)
    after = [] if shape.after is None else [ordering.after(inner, shape.after, builder.bind)]
    limit, offset = builder.bind(BigInteger()), builder.bind(BigInteger())
    given = grams.parameters(way, flavour, builder.bind)
    own = order[0].descending if alone else None
    source = grams.source(way, given, flavour, only=after if alone else (), descending=own)
    statement = statement.select_from(source.table).where(*source.where, *(() if alone else after))
    return statement.order_by(*ordering.order_by(_by(order, source.id), flavour)).limit(limit).offset(offset)


def _by(order: tuple[Step, ...], id: ColumnElement[Any]) -> tuple[Step, ...]:
    """The order with another column of the same ids for its last step."""
    *others, last = order
    return (*others, Step(last.type, id, last.descending))


def count_plan(ground: Ground, where: Sequence[Match], way: Way | None = None) -> CountPlan:
    """Compile a count: its values are those of the scope and the conditions, then the way's."""
    builder, resource = Builder(ground), ground.resource
    clauses = builder.where(where)
    if way is not None:
        return _found_count(builder, clauses, way)
    kept = None if resource.counted is None else total_for(resource.counted, clauses)
    plan = builder.compiled(select(func.count()).select_from(resource.table).where(*clauses) if kept is None else kept)
    return CountPlan(plan.sql, plan.order, plan.constants, plan.binders, counters=kept is not None)


def _found_count(builder: Builder, clauses: Sequence[ColumnElement[bool]], way: Way) -> CountPlan:
    """The count of what a way finds."""
    flavour = builder.ground.flavour
    given = grams.parameters(way, flavour, builder.bind)
    if way.kind is Kind.ALONE:
        statement = grams.total(way, given, flavour)
    else:
        source = grams.source(way, given, flavour, only=(), descending=None)
        statement = select(func.count()).select_from(source.table).where(*source.where, *clauses)
    plan = builder.compiled(statement)
    return CountPlan(plan.sql, plan.order, plan.constants, plan.binders, counters=False)


class Builder:
    """Builds one statement and remembers its parameters in the order of their values."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._parameters: list[BindParameter[Any]] = []

    def bind(self, type_: TypeEngine[Any]) -> BindParameter[Any]:
        """The parameter of the next value. Whole numbers have 64 bits, however few their column has."""
        wide = BigInteger() if isinstance(type_, Integer) else type_
        made: BindParameter[Any] = bindparam(None, None, type_=wide, unique=True)
        self._parameters.append(made)
        return made

    def where(self, matches: Sequence[Match]) -> list[ColumnElement[bool]]:
        """The scope, then the conditions."""
        clauses, self._parameters = scopes.built(self.ground.scope)
        resource, flavour = self.ground.resource, self.ground.flavour
        return clauses + [conditions.condition(resource, match, flavour=flavour, bind=self.bind) for match in matches]

    def compiled(self, statement: Select[Any]) -> Plan:
        """The statement's text, and the way of each value into it."""
        dialect = self.ground.dialect
        made: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        flat = [(name, parameter) for parameter in self._parameters for name in _names(parameter, made)]
        places = {name: index for index, (name, _) in enumerate(flat)}
        constants = [name for name in made.positiontup if name not in places]  # of the fields' own expressions
        places |= {name: len(flat) + index for index, name in enumerate(constants)}
        binders = (parameter.type.dialect_impl(dialect).bind_processor(dialect) for _, parameter in flat)
        order = tuple(places[name] for name in made.positiontup)
        fixed = tuple(made.params[name] for name in constants)
        return Plan(made.string, order, fixed, _present(enumerate(binders)))


def _names(parameter: BindParameter[Any], made: Any) -> list[str]:
    """The names that a parameter has in the text: one, or one for each value of a list.

    A clause that can never hold takes its neighbours out of the text, and their parameters with them.
    """
    name = made.bind_names.get(parameter, "")
    if not parameter.expanding:
        return [name]
    values: Any = parameter.effective_value
    return [f"{name}_{index}" for index in range(1, len(values) + 1)]


def _present(pairs: Iterable[tuple[int, Any]]) -> tuple[tuple[int, Any], ...]:
    return tuple((index, function) for index, function in pairs if function is not None)


def _wanted(resource: Resource, fields: Sequence[str]) -> tuple[list[str], list[ColumnElement[Any]]]:
    """The names and columns of a row: the asked fields in their order, or all columns of the resource."""
    if not fields:
        return [column.key for column in resource.columns], list(resource.columns)
    names = list(dict.fromkeys(fields))
    return names, [resource.field(name).column for name in names]


def _index_of(column: ColumnElement[Any], columns: list[ColumnElement[Any]]) -> int:
    """Where the column is among the selected ones; it goes behind them when it was not wanted."""
    for index, other in enumerate(columns):
        if other is column:
            return index
    columns.append(column)
    return len(columns) - 1


def _row(names: Sequence[str]) -> Callable[[Iterable[Any]], Any]:
    # Its fields are only known now.
    made: Any = namedtuple("Row", names, rename=True)  # noqa: PYI024  # pyright: ignore[reportUntypedNamedTuple]
    return made._make


def _converter(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return type_.dialect_impl(dialect).result_processor(dialect, _FLOAT8)
