"""Which counter answers a query, and the SELECT that asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Table, cast, func, select

from trivium.store.clauses import adapted, columns_of, fixed_columns
from trivium.store.counters.declared import Blocks, Counted


def total_for(counted: Counted, clauses: Sequence[ColumnElement[bool]]) -> Select[Any] | None:
    """The number of rows that satisfy the clauses, from counters; None where no counter has it.

    One has it where the clauses use counted columns only: then all rows of a group satisfy them, or none does.
    """
    asked = columns_of(counted.table, clauses)
    fitting = [] if asked is None else [total for total in counted.totals if asked <= set(total.columns)]
    if not fitting:
        return None
    total = min(fitting, key=lambda total: len(total.columns)).table
    folded, waiting = (
        select(func.coalesce(func.sum(table.c[column]), 0))
        .where(*(adapted(clause, counted.table, table) for clause in clauses))
        .scalar_subquery()
        for table, column in ((total, "number"), (counted.changes, "change"))
    )
    return select(cast(folded + waiting, BigInteger))


def numbers_by(counted: Counted, *columns: str) -> Select[*tuple[Any, ...]]:
    """The number of rows of each combination of the columns, as `number`, which may be 0."""
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
    """The blocks that have the number of rows that satisfy the clauses, by ranges of ids; None where none have."""
    blocks, asked = counted.blocks, columns_of(counted.table, clauses)
    if blocks is None or asked is None or not asked <= {*blocks.within, *blocks.by}:
        return None
    return blocks if fixed_columns(clauses) >= set(blocks.within) else None


def numbers_of(
    counted: Counted, blocks: Blocks, clauses: Sequence[ColumnElement[bool]], *more: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The first id of each block and its number of rows that satisfy the clauses, in descending order of ids."""
    table: Table = blocks.table
    number = cast(func.sum(table.c.number), BigInteger)
    where = (*(adapted(clause, counted.table, table) for clause in clauses), *more)
    return select(table.c.first, number).where(*where).group_by(table.c.first).order_by(table.c.first.desc())


def changes_of(
    counted: Counted, clauses: Sequence[ColumnElement[bool]], *more: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The changes that are not folded yet: ids of rows with +1 or -1, in descending order of ids."""
    table = counted.changes
    where = (*(adapted(clause, counted.table, table) for clause in clauses), *more)
    return select(table.c.row_id, table.c.change).where(*where).order_by(table.c.row_id.desc())
