"""Transactions, as services see them: `Read` sees one snapshot, `Write` is atomic."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn, cast

from sqlalchemy import Connection, Executable, Row, Select, text

from trivium.base.clock import instant
from trivium.base.ids import Ids
from trivium.store import failures
from trivium.store.bounded_cache import BoundedCache
from trivium.store.database import Flavour
from trivium.store.result_cache import BoundStatement, ResultCache, bound_statement
from trivium.store.search_cache import SearchCache

DATABASE_NOW: Final = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
ADVISORY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:number)")
AWAITED_ADVISORY_LOCK: Final = text("SELECT pg_advisory_xact_lock(:number)")


class Read:
    """A transaction that reads one snapshot of the database, valid until the function that was given it returns."""

    def __init__(
        self,
        connection: Connection,
        flavour: Flavour,
        now: datetime,
        *,
        statements: BoundedCache[Any],
        results: ResultCache | None = None,
        search_cache: SearchCache | None = None,
    ) -> None:
        self.connection = connection
        self.flavour = flavour
        self.now = now
        self.statements = statements  # compiled ones, by what their text depends on
        self.search_cache = search_cache  # None in a transaction that writes: what it reads may never be committed
        self._results = results

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Every row of the statement's answer."""
        return self.connection.execute(statement, parameters).all()

    def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The first row, or None."""
        return self.connection.execute(statement, parameters).first()

    def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row; None where there is no row."""
        return self.connection.execute(statement, parameters).scalar()

    def database_now(self) -> datetime:
        """The time by the database's clock, which all processes share."""
        if self.flavour is Flavour.POSTGRESQL:
            return instant(int(self.value(DATABASE_NOW)))
        return self.now

    def cached(self, key: Hashable) -> Any:
        """The result that was cached under that key, if nobody has committed anything since; else None."""
        return None if self._results is None else self._results.get(key)

    def cache(self, key: Hashable, result: object, *, rows: int) -> None:
        """Cache a result until somebody commits: it must depend on the key and the database alone, not on the time.

        Callers share the object and must not change it. `rows` is how many it holds.
        """
        if self._results is not None:
            self._results.put(key, result, rows=rows)

    def cached_text(self, key: Hashable) -> Any:
        """What was made of results as text and cached under that key, as `cached` has it."""
        return None if self._results is None else self._results.get_text(key)

    def cache_text(self, key: Hashable, made: object, *, size: int) -> None:
        """Cache what was made of results as a text of so many bytes, as `cache` does."""
        if self._results is not None:
            self._results.put_text(key, made, size=size)

    def text_keeper(self, key: Hashable) -> Callable[[object, int], None]:
        """`cache_text` for what is made after this transaction has ended, of what is read from now on.

        Whoever commits meanwhile ends the cache that it goes to, so that a text is never found that is older.
        """
        results = self._results
        return lambda made, size: None if results is None else results.put_text(key, made, size=size)

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """Every row as the driver returns it, without SQLAlchemy's overhead.

        The statement has the driver's placeholders; parameters are in the form that the database stores.
        """
        driver: Any = self.connection.connection.driver_connection
        try:
            return driver.execute(sql, parameters).fetchall()
        except Exception as error:
            if (told := self.of_driver(sql, error)) is None:
                raise
            raise told from error

    def of_driver(self, sql: str, error: Exception) -> Exception | None:
        """An error of the driver's as SQLAlchemy would raise it, so that both are translated alike; None for others."""
        module: Any = self.connection.dialect.loaded_dbapi
        return failures.as_dbapi_error(sql, error, module.Error) if isinstance(error, module.Error) else None


class NotCached(Exception):
    """A result is not cached: the database must be asked.

    `statement` is whose result it is; None for what is never cached.
    """

    def __init__(self, statement: BoundStatement | None = None) -> None:
        super().__init__()
        self.statement = statement


class CachedRead(Read):
    """A read transaction of cached results, without a connection. Raises `NotCached` for everything else."""

    def __init__(
        self,
        results: ResultCache,
        flavour: Flavour,
        now: datetime,
        *,
        statements: BoundedCache[Any],
        search_cache: SearchCache,
    ) -> None:
        connection = cast("Connection", _NoConnection())
        super().__init__(connection, flavour, now, statements=statements, results=results, search_cache=search_cache)
        self._cached = results

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """Every row, as it was fetched by `SnapshotCache`."""
        if any(isinstance(value, list) for value in parameters):
            raise NotCached  # no key
        statement = bound_statement(sql, parameters)
        rows: list[Any] | None = self._cached.get(statement)
        if rows is None:
            raise NotCached(statement)
        return rows


class _NoConnection:
    """Stands for the connection of a transaction that has none."""

    def __getattr__(self, _name: str) -> NoReturn:
        raise NotCached


class _LateConnection:
    """Stands for the connection of a transaction that begins when it is first used."""

    def __init__(self, begin: Callable[[], Connection]) -> None:
        self._begin = begin

    def __getattr__(self, name: str, /) -> Any:
        return getattr(self._begin(), name)


def late(begin: Callable[[], Connection]) -> Connection:
    """A connection that `begin` gives each time something of it is used; it may raise `NotCached`."""
    return cast("Connection", _LateConnection(begin))


class Write(Read):
    """A transaction that changes the database: committed if its function returns, rolled back if it raises."""

    def __init__(
        self, connection: Connection, flavour: Flavour, now: datetime, *, statements: BoundedCache[Any], ids: Ids
    ) -> None:
        super().__init__(connection, flavour, now, statements=statements)
        self.ids = ids
        self.committed: list[Callable[[], None]] = []
        self.woken: set[str] = set()

    def run(self, statement: Executable, parameters: Any = None) -> int:
        """Execute the statement; the number of rows that it touched."""
        return self.connection.execute(statement, parameters).rowcount

    def lock(self, statement: Select[Any]) -> Row[Any] | None:
        """The first row, locked until this transaction ends: nobody else changes it."""
        return self.connection.execute(statement.with_for_update()).first()

    def lock_key_share(self, statement: Select[Any]) -> Row[Any] | None:
        """The first row, with a lock that excludes `lock` and deletion until this transaction ends, but not updates."""
        return self.connection.execute(statement.with_for_update(read=True, key_share=True)).first()

    def try_advisory_lock(self, number: int) -> bool:
        """Take the lock of that number until this transaction ends; False when another transaction has it.

        For what one process at a time does for the whole database. On SQLite there is only one writer anyway.
        """
        if self.flavour is Flavour.SQLITE:
            return True
        return bool(self.connection.execute(ADVISORY_LOCK, {"number": number}).scalar())

    def advisory_lock(self, number: int) -> None:
        """Wait for the lock of that number, and keep it until this transaction ends."""
        if self.flavour is Flavour.POSTGRESQL:
            self.connection.execute(AWAITED_ADVISORY_LOCK, {"number": number})

    def wake(self, worker: str) -> None:
        """Notify those who wait for that name, in every process on PostgreSQL, when this is committed."""
        self.woken.add(worker)
