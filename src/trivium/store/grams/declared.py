"""Which column's substrings are kept in an index, and the parts that its rows fall into."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Integer, MetaData, Table, Text, event
from sqlalchemy.sql import visitors

from trivium.store.columns import text
from trivium.store.database import Flavour
from trivium.store.grams import triggers

INFO: Final = "grams"
"""Where a table of `metadata` says what of it is searched."""


class Grams:
    """The index of a folded column's substrings.

    `part` is what the rows of one search have in common, a whole number that is not negative; rows whose part is null
    are not in the index. Tables are named after the column: `notebooks_name_grams` and `notebooks_name_generations`.
    """

    def __init__(self, table: Table, column: str, *, part: ColumnElement[Any]) -> None:
        self.table = table
        self.column: Column[Any] = table.c[column]
        self.part = part
        self.name = f"{table.name}_{column.removesuffix('_folded')}"
        self.index = f"{self.name}_grams"
        self.generations = f"{self.name}_generations"
        self._rows = {flavour: _rows(self.index, flavour) for flavour in Flavour}
        table.info[INFO] = (*table.info.get(INFO, ()), self)
        event.listen(table, "after_create", self._install)

    @property
    def tables(self) -> tuple[str, ...]:
        """What the names of the index's own tables begin with."""
        return (self.index, self.generations)

    def rows(self, flavour: Flavour) -> Table:
        """The index's table, as statements name it. It is in no `metadata`: the databases have different ones."""
        return self._rows[flavour]

    def ddl(self, flavour: Flavour) -> tuple[str, ...]:
        """The statements that make the index, empty, and what keeps it."""
        make = triggers.sqlite if flavour is Flavour.SQLITE else triggers.postgresql
        return make(self._names())

    def _names(self) -> triggers.Names:
        return triggers.Names(
            table=self.table.name,
            column=self.column.name,
            index=self.index,
            generations=self.generations,
            depends=tuple(dict.fromkeys(["id", self.column.name, *_columns(self.part)])),
            part=lambda row, dialect: triggers.of_row(self.part, self.table, row, dialect=dialect),
        )

    def _install(self, _table: Table, connection: Connection, **_named: Any) -> None:
        for statement in self.ddl(Flavour(connection.dialect.name)):
            connection.exec_driver_sql(statement)


def _rows(name: str, flavour: Flavour) -> Table:
    if flavour is Flavour.SQLITE:
        return Table(name, MetaData(), Column("rowid", Integer, primary_key=True), Column(name, Text))
    id, part = Column("id", BigInteger, primary_key=True), Column("part", BigInteger, nullable=False)
    return Table(name, MetaData(), id, part, Column("folded", text(), nullable=False))


def _columns(part: ColumnElement[Any]) -> list[str]:
    return [element.key for element in visitors.iterate(part) if isinstance(element, Column)]
