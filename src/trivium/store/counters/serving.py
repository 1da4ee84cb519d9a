"""Which counter answers a question, and how it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Table, cast, func, select

from trivium.store.clauses import columns_of, pinned, under
from trivium.store.counters.declared import Blocks, Counted


def total_for(counted: Counted, clauses: Sequence[ColumnElement[bool]]) -> Select[Any] | None:
    """How many rows satisfy the clauses, from counters; None where they do not tell.

    They do where the clauses speak of counted columns alone, for then all rows of a group satisfy them, or none.
    """
    asked = columns_of(counted.table, clauses)
    fitting = [] if asked is None else [total for total in counted.totals if asked <= set(total.columns)]
    if not fitting:
        return None
    total = min(fitting, key=lambda total: len(total.columns)).table
    folded, waiting = (
        select(func.coalesce(func.sum(table.c[column]), 0))
        .where(*(under(clause, counted.table, table) for clause in clauses))
        .scalar_subquery()
        for table, column in ((total, "number"), (counted.changes, "change"))
    )
    return select(cast(folded + waiting, BigInteger))


def numbers_by(counted: Counted, *columns: str) -> Select[*tuple[Any, ...]]:
    """How many rows there are of each combination of the columns, as `number` beside them. It may be 0."""
    total = min(
        (total for total in counted.totals if set(columns) <= set(total.columns)), key=lambda total: len(total.columns)
    )
    folded, waiting = (
        select(*(table.c[name] for name in columns), table.c[column].label("number"))
        for table, column in ((total.table, "number"), (counted.changes, "change"))
    )
    either = folded.union_all(waiting).subquery()
    own = [either.c[name] for name in columns]
    return select(*own, cast(func.sum(either.c.number), BigInteger).label("number")).group_by(*own)


def blocks_for(counted: Counted, clauses: Sequence[ColumnElement[bool]]) -> Blocks | None:
    """The blocks that tell how many rows satisfy the clauses in each stretch of ids; None where none do."""
    blocks, asked = counted.blocks, columns_of(counted.table, clauses)
    if blocks is None or asked is None or not asked <= {*blocks.within, *blocks.by}:
        return None
    return blocks if pinned(clauses) >= set(blocks.within) else None


def numbers_of(
    counted: Counted, blocks: Blocks, clauses: Sequence[ColumnElement[bool]], *more: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The firsts of blocks with the numbers of rows in them that satisfy the clauses, the newest first."""
    table: Table = blocks.table
    number = cast(func.sum(table.c.number), BigInteger)
    where = (*(under(clause, counted.table, table) for clause in clauses), *more)
    return select(table.c.first, number).where(*where).group_by(table.c.first).order_by(table.c.first.desc())


def changes_of(
    counted: Counted, clauses: Sequence[ColumnElement[bool]], *more: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The ids of rows that came or went and are not folded yet, with +1 or -1, the newest first."""
    table = counted.changes
    where = (*(under(clause, counted.table, table) for clause in clauses), *more)
    return select(table.c.row_id, table.c.change).where(*where).order_by(table.c.row_id.desc())
