"""The access paths in SQL: what a statement selects from, instead of the resource's table alone."""

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
from trivium.store.grams.access_paths import AccessPath, Kind

ESCAPE = "\\"
Bind: TypeAlias = Callable[[Any], BindParameter[Any]]
"""Gives the parameter of the next value, for a type of column."""


class OrderedJoin(Join):
    """A join whose left side is the outer loop; SQLite's CROSS JOIN demands that."""

    inherit_cache = True


@compiles(OrderedJoin, "sqlite")
def _ordered_join(join: OrderedJoin, compiler: Any, **named: Any) -> str:
    left, right = (compiler.process(side, **{**named, "asfrom": True}) for side in (join.left, join.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **named)}"


class Source(Struct, frozen=True, eq=False):
    """What a page is selected from, further conditions, and the column of ids that it is sorted by."""

    table: FromClause
    where: tuple[ColumnElement[bool], ...]
    id: ColumnElement[Any]


def parameters(path: AccessPath, flavour: Flavour, bind: Bind) -> list[BindParameter[Any]]:
    """The parameters of the access path's values."""
    if flavour is Flavour.SQLITE:
        return [bind(Text())]
    if path.kind is Kind.NEWEST:
        return [bind(text()), *(bind(BigInteger()) for _ in path.parts), bind(BigInteger())]
    types = [type_ for _ in path.parts for type_ in (BigInteger(), BigInteger(), ARRAY(Text()))]
    return [bind(text()), *map(bind, types)]


def id_of(path: AccessPath, flavour: Flavour) -> Column[Any]:
    """The index's own column of ids, which a page's key is compared with."""
    index = path.grams.rows(flavour)
    return index.c.rowid if flavour is Flavour.SQLITE else index.c.id


def source(
    path: AccessPath,
    given: Sequence[BindParameter[Any]],
    flavour: Flavour,
    *,
    only: Sequence[ColumnElement[bool]],
    descending: bool | None,
) -> Source:
    """The rows of the resource's table that the access path finds.

    `only` are conditions on the index's ids. `descending` is how the page is sorted by them; None where it is sorted by
    something else.
    """
    main, index = path.grams.table, path.grams.rows(flavour)
    if flavour is Flavour.SQLITE:
        joined = OrderedJoin(index, main, main.c.id == index.c.rowid)
        return Source(joined, (_sqlite_match(path, index, given), *only), index.c.rowid)
    if path.kind is Kind.NEWEST:
        pairs: Any = select(index.c.id, index.c.folded)
        newest = _sorted(pairs.where(index.c.part == given[1], *only), descending=descending)
        scanned = newest.limit(given[-1]).subquery()
        found: Select[Any] = select(scanned.c.id).where(scanned.c.folded.like(given[0], escape=ESCAPE))
    else:
        found = select(index.c.id).where(*_postgresql_match(index, given), *only)
    there = _sorted(found, descending=descending).subquery()
    return Source(main.join(there, main.c.id == there.c.id), (), there.c.id)


def total(path: AccessPath, given: Sequence[BindParameter[Any]], flavour: Flavour) -> Select[Any]:
    """The number of rows, from the index alone."""
    index = path.grams.rows(flavour)
    match = [_sqlite_match(path, index, given)] if flavour is Flavour.SQLITE else _postgresql_match(index, given)
    return select(func.count()).select_from(index).where(*match)


def _sorted(found: Select[Any], *, descending: bool | None) -> Select[Any]:
    """The ids in the order of the page, so that PostgreSQL joins them one by one until the page is full."""
    id = found.selected_columns[0]
    if descending is None:
        return found
    return found.order_by(id.desc() if descending else id.asc())


def _sqlite_match(path: AccessPath, index: Table, given: Sequence[BindParameter[Any]]) -> ColumnElement[bool]:
    return index.c[path.grams.index].op("MATCH", is_comparison=True)(given[0])


def _postgresql_match(index: Table, given: Sequence[BindParameter[Any]]) -> list[ColumnElement[bool]]:
    """Grams through the index, then the pattern: hashes of grams tell neither their places nor exclude collisions."""
    either: list[ColumnElement[bool]] = []
    for place in range(1, len(given), 3):
        part, own, texts = given[place : place + 3]
        hashes: Any = func.trivium_grams(index.c.part, index.c.folded, type_=ARRAY(BigInteger()))
        # Zero is added to keep PostgreSQL from using the index on parts, which would give all rows of the part.
        either.append(
            and_(hashes.op("@>", is_comparison=True)(func.trivium_hashed(own, texts)), index.c.part + 0 == part)
        )
    return [or_(*either), index.c.folded.like(given[0], escape=ESCAPE)]
