"""What the database says, read beside the server that writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, exc, func, select, text

from trivium.resources.events import events
from trivium.resources.images.table import images
from trivium.resources.nodes.table import devices, nodes, reservations
from trivium.resources.notebooks.table import notebooks
from trivium.resources.operations.table import operations
from trivium.resources.pools.table import flavors
from trivium.store import metadata
from trivium.store.database import engine_for

Rows = list[Row[Any]]


@dataclass(frozen=True)
class Ledger:
    """One consistent view of the tables."""

    notebooks: dict[int, Row[Any]]
    operations: dict[int, Rows]  # by target
    events: dict[int, Rows]  # of notebooks, by target, oldest first
    images: Rows
    reservations: dict[int, Row[Any]]  # by holder
    devices: Rows
    nodes: Rows
    flavors: Rows

    @property
    def here(self) -> list[Row[Any]]:
        """The notebooks of which something is left."""
        return [row for row in self.notebooks.values() if row.found != "gone"]

    @property
    def running(self) -> list[Row[Any]]:
        """Those that run."""
        return [row for row in self.notebooks.values() if row.found == "running" and row.wanted == "running"]


class Book:
    """The database of a site."""

    def __init__(self, url: str) -> None:
        self._engine = engine_for(url, connections=2)
        self._is_sqlite = url.startswith("sqlite")

    def read(self) -> Ledger:
        """All that invariants speak of, from one view."""
        with self._engine.connect().execution_options(isolation_level=self._isolation) as connection:

            def rows(table: Table) -> Rows:
                return list(connection.execute(select(table).order_by(*table.primary_key.columns)))

            with connection.begin():
                return Ledger(
                    notebooks={row.id: row for row in rows(notebooks)},
                    operations=_grouped(rows(operations)),
                    events=_grouped(row for row in rows(events) if row.kind == "notebook"),
                    images=rows(images),
                    reservations={row.holder: row for row in rows(reservations)},
                    devices=rows(devices),
                    nodes=rows(nodes),
                    flavors=rows(flavors),
                )

    def is_settled(self) -> bool:
        """Whether nothing is left to do."""
        waiting = (
            select(notebooks.c.id).where(
                notebooks.c.settled.is_(False), (notebooks.c.wanted != "running") | (notebooks.c.found != "running")
            ),
            select(operations.c.id).where(operations.c.finished_at.is_(None)),
            select(images.c.id).where(images.c.status == "saving"),
        )
        with self._engine.connect() as connection, connection.begin():
            return all(connection.execute(one.limit(1)).first() is None for one in waiting)

    def faults(self) -> list[str]:
        """What the database itself finds wrong with its file, its keys, or a table that is read whole."""
        try:
            with self._engine.connect() as connection, connection.begin():
                for table in metadata.sorted_tables:
                    connection.execute(select(func.count()).select_from(table))
                if not self._is_sqlite:
                    return []
                said = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
                keys = [str(tuple(row)) for row in connection.execute(text("PRAGMA foreign_key_check"))]
        except exc.DBAPIError as error:
            return [str(error.orig)]
        return [line for line in said if line != "ok"] + keys

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def _isolation(self) -> str:
        return "SERIALIZABLE" if self._is_sqlite else "REPEATABLE READ"


def _grouped(rows: Iterable[Row[Any]]) -> dict[int, Rows]:
    found: dict[int, Rows] = defaultdict(list)
    for row in rows:
        found[row.target_id].append(row)
    return found
