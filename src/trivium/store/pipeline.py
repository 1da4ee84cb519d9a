"""Several SELECT statements in one round trip and one snapshot of PostgreSQL, awaited without a thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from itertools import count
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from sqlalchemy import URL

from trivium.store.database import timeouts_for
from trivium.store.result_cache import BoundStatement

MOST_PREPARED: Final = 256
"""Statements that stay prepared. Users choose their texts in part, so they must not fill the server's memory."""

SETTINGS: Final = (
    # What is sent up to a synchronisation point is one implicit transaction, with these properties.
    "SET default_transaction_isolation = 'repeatable read'",
    "SET default_transaction_read_only = on",
)

_PLACEHOLDER: Final = re.compile("%[s%]")


class Fetched(NamedTuple):
    """The results of some statements in one snapshot."""

    snapshot: str  # lists the transactions that it does not see: on one connection equal ones see the same rows
    rows: list[list[Any] | None]  # of each statement; None where a parameter has no form in PostgreSQL


class _Encoded(NamedTuple):
    """A statement with its parameters in the form of the wire."""

    sql: str
    types: tuple[int, ...]
    values: Sequence[Any]
    formats: Sequence[Any]


SNAPSHOT_ID: Final = _Encoded("SELECT pg_current_snapshot()::text", (), (), ())


class Pipeline:
    """A connection of its own in libpq's pipeline mode, awaited by the event loop.

    One call of `fetch` at a time; after an error it must be closed.
    """

    def __init__(self, url: URL) -> None:
        """Connect, which blocks. Raises `psycopg.Error`."""
        conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        options: dict[str, Any] = {"application_name": "trivium", **timeouts_for(url)}
        self._connection = psycopg.connect(conninfo, autocommit=True, **options)
        for setting in SETTINGS:
            self._connection.execute(setting)
        self._libpq: Any = self._connection.pgconn
        self._libpq.nonblocking = 0  # one call sends less than a socket's buffer holds
        self._libpq.enter_pipeline_mode()
        self._transformer: Any = Transformer(self._connection)
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._numbers = 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    async def fetch(self, statements: Sequence[BoundStatement]) -> Fetched:
        """The rows of each statement. Raises `psycopg.Error`."""
        encoded = [self._encoded(statement) for statement in statements]
        are_rows = self._send(SNAPSHOT_ID)
        for each in encoded:
            are_rows += () if each is None else self._send(each)
        self._libpq.pipeline_sync()
        results = await self._received()
        found = (self._rows(result) for result, is_rows in zip(results, are_rows, strict=True) if is_rows)
        snapshot = next(found)[0][0]
        return Fetched(snapshot, rows=[None if each is None else next(found) for each in encoded])

    def _encoded(self, statement: BoundStatement) -> _Encoded | None:
        transformer, parameters = self._transformer, statement.parameters
        try:
            values = transformer.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters))
        except psycopg.Error:  # a text with NUL
            return None
        return _Encoded(statement.sql, tuple(transformer.types or ()), values, transformer.formats or ())

    def _send(self, encoded: _Encoded) -> list[bool]:
        """Send a statement, prepared; tells of each of its results whether it has the rows."""
        key, prepared, are_rows = (encoded.sql, encoded.types), self._prepared, [True]
        name = prepared.pop(key, None)
        if name is None:
            self._numbers += 1
            name = b"trivium_%d" % self._numbers
            self._libpq.send_prepare(name, numbered(encoded.sql).encode(), encoded.types)
            are_rows.insert(0, False)
        prepared[key] = name
        self._libpq.send_query_prepared(name, encoded.values, encoded.formats)
        if len(prepared) > MOST_PREPARED:
            least_used = prepared.pop(next(iter(prepared)))
            self._libpq.send_query_params(b"DEALLOCATE " + least_used, None)
            are_rows.append(False)
        return are_rows

    async def _received(self) -> list[Any]:
        """Every result up to the synchronisation point."""
        loop, socket = asyncio.get_running_loop(), self._libpq.socket
        results: list[Any] = []
        complete: asyncio.Future[None] = loop.create_future()

        def readable() -> None:
            try:
                if self._take(results) and not complete.done():
                    complete.set_result(None)
            except psycopg.Error as error:
                if not complete.done():
                    complete.set_exception(error)

        loop.add_reader(socket, readable)
        try:
            await complete
        finally:
            loop.remove_reader(socket)
        return results

    def _take(self, results: list[Any]) -> bool:
        """Append the results that have arrived; whether these are all."""
        libpq = self._libpq
        libpq.consume_input()
        while not libpq.is_busy():
            result = libpq.get_result()
            if result is None:
                continue  # the end of one statement's results
            if result.status == ExecStatus.PIPELINE_SYNC:
                return True
            if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                raise psycopg.errors.error_from_result(result)
            results.append(result)
        return False

    def _rows(self, result: Any) -> list[Any]:
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


def numbered(sql: str) -> str:
    """The statement with libpq's placeholders: $1, $2 and so on for each `%s`, and a percent sign for `%%`."""
    numbers = count(1)
    return _PLACEHOLDER.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql)
