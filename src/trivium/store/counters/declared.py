"""What of a table's rows is counted, and the tables that hold the counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BigInteger, Column, Connection, Index, Integer, Table, event

from trivium.store.counters.triggers import triggers
from trivium.store.database import Flavour

INFO: Final = "counted"
"""Where a table of `metadata` says what is counted of it."""


class Total(Struct, frozen=True, eq=False):
    """How many rows there are of each combination of some columns."""

    columns: tuple[str, ...]
    table: Table


FINE: Final = 0
COARSE: Final = 1


class Blocks(Struct, frozen=True, eq=False):
    """How many rows there are in each stretch of ids, within each combination of the columns `within`.

    They are told apart by the columns `by`. Each block begins with the id `first` and ends where the next of its level
    begins. A new one of the fine level has so many rows as `sizes` says of it, one of the coarse level many fine ones;
    a block with twice as many is divided.
    """

    within: tuple[str, ...]
    by: tuple[str, ...]
    table: Table
    sizes: tuple[int, int]

    @property
    def worth(self) -> int:
        """The offset from which on it costs less to look for a near id than to go past the rows."""
        return 2 * self.sizes[FINE]


class Counted:
    """All that is counted of a table. Its columns must not be null.

    `totals` are the groups of columns that are counted, each named by its columns; `within` and `by` are those of the
    blocks, where pages far behind must be found, and `sizes` how many rows new blocks have, fine and coarse ones.
    """

    def __init__(
        self,
        table: Table,
        totals: Iterable[Sequence[str]],
        *,
        within: Sequence[str] = (),
        by: Sequence[str] = (),
        sizes: tuple[int, int] = (128, 128 * 64),
    ) -> None:
        self.table = table
        self.totals = tuple(_total(table, tuple(columns)) for columns in totals)
        self.blocks = _blocks(table, tuple(within), tuple(by), sizes=sizes) if within else None
        named = [*within, *by, *(name for total in self.totals for name in total.columns)]
        self.columns = tuple(dict.fromkeys(named))
        for name in self.columns:
            if table.c[name].nullable:
                message = f"{table.name}.{name} may be null, so it cannot be counted by"
                raise ValueError(message)
        self.changes = _changes(table, self.columns)
        table.info[INFO] = self
        event.listen(self.changes, "after_create", self._install)

    def ddl(self, flavour: Flavour) -> tuple[str, ...]:
        """The statements that make the triggers, on tables that are there."""
        return triggers(self.table.name, self.changes.name, self.columns, flavour=flavour)

    def _install(self, _table: Table, connection: Connection, **_named: Any) -> None:
        for statement in self.ddl(Flavour(connection.dialect.name)):
            connection.exec_driver_sql(statement)


def _changes(table: Table, columns: tuple[str, ...]) -> Table:
    """One row for each row of the table that came into a group (+1) or left one (-1) and is not folded yet."""
    made = Table(
        f"{table.name}_changes",
        table.metadata,
        Column("seq", BigInteger, primary_key=True, autoincrement=True),
        Column("row_id", BigInteger, nullable=False),
        *_groups(table, columns),
        Column("change", Integer, nullable=False),
        Index(None, *columns),
    )
    made.add_is_dependent_on(table)
    return made


def _total(table: Table, columns: tuple[str, ...]) -> Total:
    made = Table(
        f"{table.name}_per_{'_'.join(columns)}",
        table.metadata,
        *_groups(table, columns, key=True),
        Column("number", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    return Total(columns, made)


def _blocks(table: Table, within: tuple[str, ...], by: tuple[str, ...], *, sizes: tuple[int, int]) -> Blocks:
    made = Table(
        f"{table.name}_blocks",
        table.metadata,
        Column("level", Integer, primary_key=True, autoincrement=False),
        *_groups(table, within, key=True),
        Column("first", BigInteger, primary_key=True, autoincrement=False),
        *_groups(table, by, key=True),
        Column("number", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    return Blocks(within, by, made, sizes)


def _groups(table: Table, columns: Iterable[str], *, key: bool = False) -> list[Column[Any]]:
    return [Column(name, table.c[name].type, primary_key=key, nullable=False, autoincrement=False) for name in columns]
