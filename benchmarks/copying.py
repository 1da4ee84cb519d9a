"""Many rows at once: copies of rows that the rooms' own services made, written past the object layer."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Table

from trivium.store import Flavour, Read, Store, Write, add_rows

CHUNK: Final = 20_000


def template(tx: Read, table: Table) -> tuple[Any, ...]:
    """The newest row of a table, as the driver has it."""
    return tx.fetch(f"SELECT {_columns(table)} FROM {table.name} ORDER BY id DESC LIMIT 1", ())[0]


def copies(table: Table, row: Sequence[Any], changes: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """The row once for each of the changes, which say what columns have instead."""
    places = {column.name: place for place, column in enumerate(table.c)}
    for changed in changes:
        copy = list(row)
        for name, value in changed.items():
            copy[places[name]] = value
        yield tuple(copy)


def write(store: Store, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write the rows, which have a value for each column of the table."""
    left = iter(rows)
    for first in left:
        store.write_now(add_rows, table, list(islice(chain((first,), left), CHUNK)))


@contextlib.contextmanager
def unindexed(store: Store, table: Table) -> Generator[None]:
    """The table without those of its indexes that keep nothing unique: they are made faster at once than row by row."""
    if store.flavour is Flavour.SQLITE:
        found = (
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table.name}'"
            " AND instr(sql, 'UNIQUE') = 0"
        )
    else:
        found = (
            f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{table.name}'"
            " AND schemaname = current_schema() AND position('UNIQUE' IN indexdef) = 0"
        )
    indexes = store.read_now(lambda tx: tx.fetch(found, ()))
    store.write_now(execute, [f"DROP INDEX {name}" for name, _ in indexes])
    yield
    for _, sql in indexes:
        store.write_now(execute, [sql])


def execute(tx: Write, statements: Iterable[str]) -> None:
    """Run statements as they are."""
    for statement in statements:
        tx.connection.exec_driver_sql(statement)


def _columns(table: Table) -> str:
    return ", ".join(column.name for column in table.c)
