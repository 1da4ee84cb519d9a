"""Databases of older schemas: migrations up to a revision, and rows that refer to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import Connection, Engine, MetaData, inspect, text

from trivium.store import Flavour, metadata
from trivium.store.database import WRITING
from trivium.store.migrations import running


def upgraded(connection: Connection, revision: str) -> None:
    """Bring the database to a revision that is not the newest."""
    scripts = running.scripts()

    def steps(current: Any, _context: object) -> Any:
        return scripts._upgrade_revs(revision, current)

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment:
        environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        environment.run_migrations()


@contextmanager
def at_revision(engine: Engine, revision: str, *, loose: tuple[str, ...]) -> Iterator[Connection]:
    """A transaction on a database of that revision, where rows of the tables `loose` may refer to nothing."""
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        if engine.dialect.name == Flavour.SQLITE:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF").close()  # before a transaction begins
        with connection.begin():
            upgraded(connection, revision)
            if engine.dialect.name == Flavour.POSTGRESQL:
                for table in loose:
                    for key in inspect(connection).get_foreign_keys(table):
                        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {key['name']}")
            yield connection


def add(connection: Connection, table: str, **values: Any) -> None:
    """Add a row, with something in each column that must not be null."""
    reflected = MetaData()
    reflected.reflect(connection, only=[table], resolve_fks=False)
    row: dict[str, Any] = dict(values)
    for column in reflected.tables[table].columns:
        if not column.nullable and column.name not in row and column.server_default is None:
            kind = column.type.python_type
            row[column.name] = values["id"].to_bytes(16) if kind is bytes else _plain(kind, values["id"])
    names = ", ".join(row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)


def _plain(kind: type, number: int) -> object:
    return {str: f"x{number}", bool: False}.get(kind, number)
