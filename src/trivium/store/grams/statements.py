"""The ways in SQL: where a statement takes its rows from, instead of the resource's table alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct
from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Join,
    Select,
    Table,
    Text,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles

from trivium.store.columns import text
from trivium.store.database import Flavour
from trivium.store.grams.ways import Kind, Way

ESCAPE = "\\"
Bind: TypeAlias = Callable[[Any], BindParameter[Any]]
"""Gives the parameter of the next value, for a type of column."""


class Driven(Join):
    """A join whose left side leads: SQLite is not to begin with the other one."""

    inherit_cache = True


@compiles(Driven, "sqlite")
def _driven(join: Driven, compiler: Any, **named: Any) -> str:
    left, right = (compiler.process(side, **{**named, "asfrom": True}) for side in (join.left, join.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **named)}"


class Source(Struct, frozen=True, eq=False):
    """Where a page's rows come from, what must hold besides, and the column of ids that they are sorted by."""

    table: FromClause
    where: tuple[ColumnElement[bool], ...]
    id: ColumnElement[Any]


def parameters(way: Way, flavour: Flavour, bind: Bind) -> list[BindParameter[Any]]:
    """The parameters of the way's values."""
    if flavour is Flavour.SQLITE:
        return [bind(Text())]
    if way.kind is Kind.WALK:
        return [bind(text()), *(bind(BigInteger()) for _ in way.parts), bind(BigInteger())]
    types = [type_ for _ in way.parts for type_ in (BigInteger(), BigInteger(), ARRAY(Text()))]
    return [bind(text()), *map(bind, types)]


def id_of(way: Way, flavour: Flavour) -> Column[Any]:
    """The index's own column of ids, which a page's key is held against."""
    index = way.grams.rows(flavour)
    return index.c.rowid if flavour is Flavour.SQLITE else index.c.id


def source(
    way: Way,
    given: Sequence[BindParameter[Any]],
    flavour: Flavour,
    *,
    only: Sequence[ColumnElement[bool]],
    descending: bool | None,
) -> Source:
    """The rows of the resource's table that the way finds.

    `only` are conditions on the index's ids. `descending` is how the page is sorted by them; None where it is sorted by
    something else.
    """
    main, index = way.grams.table, way.grams.rows(flavour)
    if flavour is Flavour.SQLITE:
        joined = Driven(index, main, main.c.id == index.c.rowid)
        return Source(joined, (_sqlite_match(way, index, given), *only), index.c.rowid)
    if way.kind is Kind.WALK:
        pairs: Any = select(index.c.id, index.c.folded)
        newest = _sorted(pairs.where(index.c.part == given[1], *only), descending=descending)
        walked = newest.limit(given[-1]).subquery()
        found: Select[Any] = select(walked.c.id).where(walked.c.folded.like(given[0], escape=ESCAPE))
    else:
        found = select(index.c.id).where(*_postgresql_match(index, given), *only)
    there = _sorted(found, descending=descending).subquery()
    return Source(main.join(there, main.c.id == there.c.id), (), there.c.id)


def total(way: Way, given: Sequence[BindParameter[Any]], flavour: Flavour) -> Select[Any]:
    """The number of rows that the index alone finds."""
    index = way.grams.rows(flavour)
    match = [_sqlite_match(way, index, given)] if flavour is Flavour.SQLITE else _postgresql_match(index, given)
    return select(func.count()).select_from(index).where(*match)


def _sorted(found: Select[Any], *, descending: bool | None) -> Select[Any]:
    """The ids in the order of the page. PostgreSQL then joins row by row, only as far as the page goes."""
    id = found.selected_columns[0]
    if descending is None:
        return found
    return found.order_by(id.desc() if descending else id.asc())


def _sqlite_match(way: Way, index: Table, given: Sequence[BindParameter[Any]]) -> ColumnElement[bool]:
    return index.c[way.grams.index].op("MATCH", is_comparison=True)(given[0])


def _postgresql_match(index: Table, given: Sequence[BindParameter[Any]]) -> list[ColumnElement[bool]]:
    """The grams by the index; the pattern, for grams say neither where they are nor, hashed, quite which they are."""
    either: list[ColumnElement[bool]] = []
    for place in range(1, len(given), 3):
        part, own, texts = given[place : place + 3]
        hashes: Any = func.trivium_grams(index.c.part, index.c.folded, type_=ARRAY(BigInteger()))
        # Zero is added so that no index on parts is asked besides: it would give all rows of the part.
        either.append(
            and_(hashes.op("@>", is_comparison=True)(func.trivium_hashed(own, texts)), index.c.part + 0 == part)
        )
    return [or_(*either), index.c.folded.like(given[0], escape=ESCAPE)]
