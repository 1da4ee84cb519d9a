"""A SQLite connection of one thread, with read transactions that bypass SQLAlchemy's overhead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from trivium.store import failures
from trivium.store.result_cache import ResultCache
from trivium.store.transactions import NotCached, Read, late

P = ParamSpec("P")
T = TypeVar("T")


class SqliteConnection:
    """A connection that belongs to one thread.

    `caches`: results are cached between transactions, so that the event loop's frequent small look-ups cost no query.
    """

    def __init__(self, connection: Connection, *, caches: bool) -> None:
        self.connection = connection
        self.driver: Any = connection.connection.driver_connection
        self.results = ResultCache(None) if caches else None

    def read(
        self,
        make: Callable[[SqliteConnection, Connection], Read],
        use: Callable[Concatenate[Read, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What `use` returns for a read transaction, which it may use through the driver and through SQLAlchemy.

        Where nobody has committed since results were cached, it begins with the first statement: what is all cached
        needs none. Raises the store's errors.
        """
        driver = self.driver
        try:
            if self.results is not None and self.results.version == self._version():
                try:
                    return use(make(self, late(self._begun)), *args, **kwargs)
                except NotCached:  # somebody committed meanwhile: what was cached is of another snapshot
                    self._end()
            driver.execute("BEGIN")
            if self.results is not None:
                self._expire(self.results)
            return use(make(self, self.connection), *args, **kwargs)
        except failures.TRANSLATED as error:
            failures.raise_translated(error)
        except driver.Error as error:
            failures.raise_translated(failures.as_dbapi_error("BEGIN", error, driver.Error))
        finally:
            self._end()

    def data_version(self) -> int | None:
        """A number that changes when another connection commits; None while the database is locked."""
        try:
            return self._version()
        except self.driver.Error:
            return None

    def _version(self) -> int:
        return self.driver.execute("PRAGMA data_version").fetchone()[0]

    def _begun(self) -> Connection:
        """The connection, in a transaction that reads what the cached results are of; `NotCached` if that is over."""
        if not self.driver.in_transaction:
            self.driver.execute("BEGIN")
            if self.results is None or self.results.version != self._version():
                raise NotCached
        return self.connection

    def _expire(self, results: ResultCache) -> None:
        """Begin an empty cache if anybody committed since. Must be the first statement of a transaction.

        Read within the transaction, `PRAGMA data_version` changes when another connection commits, of any process.
        """
        version = self._version()
        if version != results.version:
            self.results = ResultCache(version)

    def _end(self) -> None:
        if self.connection.in_transaction():
            self.connection.rollback()
        if self.driver.in_transaction:
            self.driver.execute("COMMIT")
