"""A database from before there were several hosts: what saved images stand on lies where their notebooks ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, MetaData, inspect, text

from tests.contract.store.test_grams_schema import upgraded
from trivium.store import Flavour
from trivium.store.database import WRITING, engine_for


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = engine_for(database_url)
    yield made
    made.dispose()


def add(connection: Connection, table: str, **values: Any) -> None:
    """A row that refers to nothing, with something in each column that must not be empty."""
    there = MetaData()
    there.reflect(connection, only=[table], resolve_fks=False)
    row: dict[str, Any] = dict(values)
    for column in there.tables[table].columns:
        if not column.nullable and column.name not in row:
            kind = column.type.python_type
            row[column.name] = values["id"].to_bytes(16) if kind is bytes else _plain(kind, values["id"])
    names = ", ".join(row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)


def _plain(kind: type, number: int) -> object:
    return {str: f"x{number}", bool: False}.get(kind, number)


def hosts_of(connection: Connection) -> Mapping[int, str | None]:
    return {row.id: row.host for row in connection.execute(text("SELECT id, host FROM images"))}


def test_the_layers_of_saved_images_lie_where_their_notebooks_ran(engine: Engine) -> None:
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        if engine.dialect.name == Flavour.SQLITE:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF").close()  # before a transaction begins
        with connection.begin():
            upgraded(connection, "0001")
            if engine.dialect.name == Flavour.POSTGRESQL:
                for table in ("notebooks", "images", "nodes"):
                    for key in inspect(connection).get_foreign_keys(table):
                        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {key['name']}")
            add(connection, "nodes", id=1, host="first")
            add(connection, "notebooks", id=10, host="second")
            add(connection, "images", id=20, layers="[]", status="active", path=None)
            add(connection, "images", id=21, layers='["/a"]', status="active", path=None, notebook_id=10)
            add(connection, "images", id=22, layers="[]", status="saving", path=None, notebook_id=10)
            add(connection, "images", id=23, layers='["/b"]', status="active", path=None, notebook_id=11)
            upgraded(connection, "0002")
            assert hosts_of(connection) == {20: None, 21: "second", 22: "second", 23: "first"}
