"""Views on SQLite at the driver's own cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from trivium.store import failures
from trivium.store.kept import Kept
from trivium.store.transactions import Read

P = ParamSpec("P")
T = TypeVar("T")


class Own:
    """A SQLite connection that belongs to one thread.

    `keeps`: statements' answers are kept between views, which makes the frequent small look-ups of the event loop cost
    a dictionary's.
    """

    def __init__(self, connection: Connection, *, keeps: bool) -> None:
        self.connection = connection
        self.driver: Any = connection.connection.driver_connection
        self.kept = Kept(self.driver) if keeps else None

    def look(
        self, make: Callable[[Own], Read], use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What `use` makes of a view, in which it may go both ways: through the driver and through SQLAlchemy.

        Raises the store's errors.
        """
        driver = self.driver
        try:
            driver.execute("BEGIN")
            if self.kept is not None:
                self.kept.renew()
            return use(make(self), *args, **kwargs)
        except failures.TRANSLATED as error:
            failures.raise_as_ours(error)
        except driver.Error as error:
            failures.raise_as_ours(failures.wrapped("BEGIN", error, driver.Error))
        finally:
            self._end()

    def version(self) -> int | None:
        """A number that differs from before if anybody else committed since; None while the database is held."""
        try:
            return self.driver.execute("PRAGMA data_version").fetchone()[0]
        except self.driver.Error:
            return None

    def _end(self) -> None:
        if self.connection.in_transaction():
            self.connection.rollback()
        if self.driver.in_transaction:
            self.driver.execute("COMMIT")
