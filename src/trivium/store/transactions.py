"""Transactions, as services see them: a consistent view to read, or one change that happens whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Executable, Row, Select, text

from trivium.base.clock import instant
from trivium.base.ids import Ids
from trivium.store import failures
from trivium.store.database import Flavour
from trivium.store.kept import Kept
from trivium.store.searches import Searches
from trivium.store.shapes import Shapes

MOMENT: Final = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")

ONLY_ONE: Final = text("SELECT pg_try_advisory_xact_lock(:duty)")


class Read:
    """A consistent view of the store, good until the function that was given it returns."""

    def __init__(
        self,
        connection: Connection,
        flavour: Flavour,
        now: datetime,
        *,
        shapes: Shapes,
        kept: Kept | None = None,
        searches: Searches | None = None,
    ) -> None:
        self.connection = connection
        self.flavour = flavour
        self.now = now
        self.shapes = shapes
        self.searches = searches  # None where what is seen may never be committed
        self._kept = kept

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Every row of the statement's answer."""
        return self.connection.execute(statement, parameters).all()

    def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The first row, or None."""
        return self.connection.execute(statement, parameters).first()

    def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row; None where there is no row."""
        return self.connection.execute(statement, parameters).scalar()

    def moment(self) -> datetime:
        """The time at this very moment, by the clock that all who use the database share."""
        if self.flavour is Flavour.POSTGRESQL:
            return instant(int(self.value(MOMENT)))
        return self.now

    def recall(self, key: Hashable) -> Any:
        """What was kept under that key, if nobody has written anything since; else None."""
        return None if self._kept is None else self._kept.get(key)

    def keep(self, key: Hashable, found: object, *, rows: int) -> None:
        """Keep what was found until somebody writes: it must follow from the key and the database alone.

        Whoever recalls it gets the same object, which nobody may change. `rows` is how many it holds.
        """
        if self._kept is not None:
            self._kept.put(key, found, rows=rows)

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
            raise failures.wrapped(sql, error, module.Error) from error


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

    def lock_key(self, statement: Select[Any]) -> Row[Any] | None:
        """The first row, which nobody else can `lock` until this transaction ends; plain updates of it go on."""
        return self.connection.execute(statement.with_for_update(read=True, key_share=True)).first()

    def only_one(self, duty: int) -> bool:
        """Whether nobody else is at this duty, which is ours until the transaction ends. `duty`: any number of its own.

        For what one process at a time does for the whole database: whoever comes meanwhile leaves it.
        """
        if self.flavour is Flavour.SQLITE:
            return True
        return bool(self.connection.execute(ONLY_ONE, {"duty": duty}).scalar())

    def wake(self, worker: str) -> None:
        """Tell whoever listens for that name, in every process on PostgreSQL, once this is committed."""
        self.woken.add(worker)
