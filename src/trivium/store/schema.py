"""The one account of tables. Each room puts its tables here; a test holds them against the migrations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, MetaData
from sqlalchemy.ext.compiler import compiles

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


@compiles(BigInteger, "sqlite")
def _integer(_type: BigInteger, _compiler: Any, **_named: Any) -> str:
    """INTEGER, which has 64 bits on SQLite: a primary key of exactly that name is the row's place in the table."""
    return "INTEGER"
