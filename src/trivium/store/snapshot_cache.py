"""A cache of query results on PostgreSQL, valid for one snapshot: until any connection commits.

Each read first asks which snapshot is the current one, in one round trip for all reads that wait, together with the
results that they miss. So a read sees whatever was committed before it began, by whichever process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from trivium.store import failures
from trivium.store.errors import StoreUnavailable
from trivium.store.result_cache import BoundStatement, ResultCache
from trivium.store.single_flight import SingleFlight
from trivium.store.transactions import NotCached

if TYPE_CHECKING:
    from trivium.store.pipeline import Fetched, Pipeline

PATIENCE: Final = 15.0
"""Seconds after which an answer is given up."""


class SnapshotCache:
    """Results in the newest snapshot. For one event loop; `connect` opens the connection when it is needed."""

    def __init__(self, connect: Callable[[], Awaitable[Pipeline]]) -> None:
        self._connect = connect
        self._pipeline: Pipeline | None = None
        self._connections = 0
        self._results = ResultCache(None)
        self._calls = SingleFlight(self._updated)

    async def results(self, wanted: Sequence[BoundStatement] = ()) -> ResultCache:
        """The cache of a snapshot that was taken after this was called, holding the results that are wanted.

        Of these it lacks only what is too long, or whose parameters have no form in PostgreSQL. Raises `NotCached`
        where PostgreSQL refuses a statement of anybody's, and the store's errors.
        """
        return await self._calls.ask(wanted)

    def close(self) -> None:
        """Close the connection. The next call opens another."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.close()

    async def _updated(self, wanted: Sequence[BoundStatement]) -> ResultCache:
        before = self._results
        missing = [statement for statement in wanted if before.get(statement) is None]
        results = await self._fetched(missing)
        if results is not before and len(missing) < len(wanted):  # those that were not missing are outdated
            results = await self._fetched(wanted)
        return results

    async def _fetched(self, statements: Sequence[BoundStatement]) -> ResultCache:
        """The cache of the current snapshot, with these results."""
        fetched = await self._from_database(statements)
        # Of this connection alone: a database that crashed or was restored may number other transactions the same.
        version = (self._connections, fetched.snapshot)
        if version != self._results.version:
            self._results = ResultCache(version)
        for statement, rows in zip(statements, fetched.rows, strict=True):
            if rows is not None:
                self._results.put(statement, rows, rows=len(rows))
        return self._results

    async def _from_database(self, statements: Sequence[BoundStatement]) -> Fetched:
        """The results; where the connection was lost, of another one: reading can be repeated."""
        from psycopg import Error, OperationalError  # noqa: PLC0415 - an optional library

        is_new, fetched = self._pipeline is None, None
        try:
            async with asyncio.timeout(PATIENCE):
                pipeline = self._pipeline or await self._connected()
                fetched = await pipeline.fetch(statements)
        except TimeoutError as error:
            raise StoreUnavailable("the database does not answer") from error
        except OperationalError as error:
            if is_new:
                failures.raise_translated(failures.as_dbapi_error("", error, Error))
        except Error as error:  # in one of the statements; in which, each reader finds out for itself
            raise NotCached from error
        finally:
            if fetched is None:
                self.close()
        return fetched or await self._from_database(statements)

    async def _connected(self) -> Pipeline:
        self._pipeline = await self._connect()
        self._connections += 1
        return self._pipeline
