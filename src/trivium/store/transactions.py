"""Transactions, as services see them: a consistent view to read, or one change that happens whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, exc

from trivium.base.ids import Ids
from trivium.store.database import Flavour
from trivium.store.shapes import Shapes


class Read:
    """A consistent view of the store, good until the function that was given it returns."""

    def __init__(self, connection: Connection, flavour: Flavour, now: datetime, *, shapes: Shapes) -> None:
        self.connection = connection
        self.flavour = flavour
        self.now = now
        self.shapes = shapes

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Every row of the statement's answer."""
        return self.connection.execute(statement, parameters).all()

    def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The first row, or None."""
        return self.connection.execute(statement, parameters).first()

    def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row; None where there is no row."""
        return self.connection.execute(statement, parameters).scalar()

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """Every row, as the driver gives it, of a statement in the driver's own tongue: the fast way.

        Parameters are positional, and in the form in which the database keeps them.
        """
        driver: Any = self.connection.connection.driver_connection
        try:
            return driver.execute(sql, parameters).fetchall()
        except Exception as error:
            module: Any = self.connection.dialect.loaded_dbapi
            if not isinstance(error, module.Error):
                raise
            # The same error as on SQLAlchemy's own way, so that whoever opened the transaction tells them alike.
            raise exc.DBAPIError.instance(sql, parameters, error, module.Error) from error


class Write(Read):
    """One change. What it did is there when the function returned and nobody raised; else nothing of it is."""

    def __init__(self, connection: Connection, flavour: Flavour, now: datetime, *, shapes: Shapes, ids: Ids) -> None:
        super().__init__(connection, flavour, now, shapes=shapes)
        self.ids = ids
        self.committed: list[Callable[[], None]] = []
        self.woken: set[str] = set()

    def run(self, statement: Executable, parameters: Any = None) -> int:
        """Carry the statement out; the number of rows that it touched."""
        return self.connection.execute(statement, parameters).rowcount

    def lock(self, statement: Select[Any]) -> Row[Any] | None:
        """The first row, which nobody else changes until this transaction ends."""
        return self.connection.execute(statement.with_for_update()).first()

    def wake(self, worker: str) -> None:
        """Tell the workers of that name, once this is committed, that there is something to do."""
        self.woken.add(worker)
