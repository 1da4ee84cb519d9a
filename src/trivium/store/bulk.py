"""Many rows at once, handed to the driver as they are stored: without SQLAlchemy's work on each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table

from trivium.store.database import Flavour
from trivium.store.transactions import Write


def add_rows(tx: Write, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert the rows, each of which has a value for every column, in the columns' order.

    Values are in the form that the database stores: microseconds for times, 16 bytes for UUIDs. Triggers do what they
    always do. Raises what any statement raises.
    """
    driver: Any = tx.connection.connection.driver_connection
    columns = ", ".join(column.name for column in table.c)
    into = f"{table.name} ({columns})"
    try:
        if tx.flavour is Flavour.SQLITE:
            places = ", ".join("?" for _ in table.c)
            driver.executemany(f"INSERT INTO {into} VALUES ({places})", rows)  # noqa: S608
            return
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except Exception as error:
        if (told := tx.of_driver(into, error)) is None:
            raise
        raise told from error
