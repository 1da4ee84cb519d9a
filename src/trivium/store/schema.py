"""The one account of tables. Each room puts its tables here; a test holds them against the migrations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Index, MetaData, Table, TextClause, event
from sqlalchemy.ext.compiler import compiles

WHERE: Final = "where"
"""Where the `info` of an index has the condition of its rows."""

NULLS_FIRST: Final = "nulls first"
"""Where it says that nulls come before everything else."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial_index(
    name: str | None,
    *columns: str | Column[Any],
    where: TextClause | ColumnElement[bool] | Mapping[str, TextClause],
    unique: bool = False,
) -> Index:
    """An index of the rows that a condition holds for, which may be another by the database's name.

    SQLAlchemy's own parameters for it would import its words for both databases, with those for all of their drivers,
    at every start; so it is told of the condition when a table is made.
    """
    return Index(name, *columns, unique=unique, info={WHERE: where})


def nulls_first_index(*columns: str | Column[Any], name: str | None = None) -> Index:
    """An index that has nulls before everything else in a column, as lists have them. SQLite's all do."""
    return Index(name, *columns, info={NULLS_FIRST: True})


@event.listens_for(Table, "before_create")
def tell_conditions(table: Table, connection: Connection, **_named: Any) -> None:
    """Tell SQLAlchemy the conditions of the table's partial indexes, and where nulls are in others."""
    database = connection.dialect.name
    for index in table.indexes:
        where = index.info.get(WHERE)
        if where is not None:
            index.dialect_options[database]["where"] = where[database] if isinstance(where, Mapping) else where
        if index.info.get(NULLS_FIRST):
            is_told = database == "postgresql"
            index.expressions = [
                column.nulls_first() if is_told and column.nullable else column for column in index.columns
            ]


@compiles(BigInteger, "sqlite")
def _integer(_type: BigInteger, _compiler: Any, **_named: Any) -> str:
    """INTEGER, which has 64 bits on SQLite: a primary key of exactly that name is the row's place in the table."""
    return "INTEGER"
