"""Opening a database: SQLite in WAL mode, or PostgreSQL through psycopg."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from sqlite3 import SQLITE_BUSY
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import NullPool, QueuePool

from trivium.base.errors import Invalid
from trivium.store.errors import StoreUnavailable

WRITING = "trivium_writing"
"""Execution option of a connection whose transactions write: SQLite then takes its lock at the start."""


PAUSE: Final = 0.003  # seconds between two tries to change a database that others are opening
PRIMARY: Final = 0xFF  # the part of SQLite's error codes that says what, not why

OLDEST_POSTGRESQL: Final = 150_000
TIMEOUTS: Final = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 5,  # seconds
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
"""How soon a PostgreSQL whose machine does not answer is given up, in libpq's parameters."""


class Flavour(StrEnum):
    """The databases that the store speaks."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


def dialect_of(flavour: Flavour) -> Dialect:
    """SQLAlchemy's words for the database, without a connection. The other one's are not imported, which takes long."""
    return URL.create("sqlite" if flavour is Flavour.SQLITE else "postgresql+psycopg").get_dialect()()


def flavour_of(url: str) -> Flavour:
    """Which database a URL names; `Invalid` for any other."""
    scheme = url.split(":", 1)[0]
    if scheme == "sqlite":
        return Flavour.SQLITE
    if scheme in ("postgresql", "postgres"):
        return Flavour.POSTGRESQL
    message = f"database: the URL must begin with postgresql:// or sqlite:///, not {scheme}:"
    raise Invalid("database", message)


def engine_for(url: str, *, busy_seconds: float = 15.0, idle_seconds: float = 10.0, connections: int = 20) -> Engine:
    """An engine for the URL. SQLite connections belong to whoever opened them; PostgreSQL's are pooled.

    `busy_seconds` is how long a statement waits for a lock, or for a connection of the pool. PostgreSQL ends a session
    that idles in a transaction for `idle_seconds`: our transactions wait for nothing but the database, so it is one of
    a process that was stopped, and must not keep its locks from those that take over.
    """
    if flavour_of(url) is Flavour.SQLITE:
        return _sqlite(make_url(url), busy_seconds)
    return _postgresql(make_url(url), connections, busy_seconds=busy_seconds, idle_seconds=idle_seconds)


def timeouts_for(url: URL) -> dict[str, Any]:
    """The timeouts of a connection to PostgreSQL, as far as the URL does not set its own."""
    return {name: value for name, value in TIMEOUTS.items() if name not in url.query}


def snapshots_of(engine: Engine) -> Engine:
    """The engine, with transactions whose statements all see the same moment: a page and its total must not disagree.

    On SQLite every transaction is one. PostgreSQL is told in the statement that begins it, at no cost of its own.
    """
    if Flavour(engine.dialect.name) is Flavour.SQLITE:
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def check_postgresql(version: int, encoding: str) -> None:
    """Raise `StoreUnavailable` for a PostgreSQL that is too old, or a database that cannot hold every script.

    `version` is the number that the server gives, such as 150018.
    """
    if version < OLDEST_POSTGRESQL:
        message = f"PostgreSQL 15 or newer is needed, and this is {version // 10_000}.{version % 10_000}"
        raise StoreUnavailable(message)
    if encoding != "UTF8":
        message = f"the database must be encoded in UTF8, and this one is in {encoding or 'an unknown encoding'}"
        raise StoreUnavailable(message)


def _sqlite(url: URL, busy_seconds: float) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,  # secrets among them must not come into a log
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, busy_seconds=busy_seconds))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object, *, busy_seconds: float) -> None:
    # The driver would begin transactions by itself, and late; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    _write_ahead(connection, busy_seconds)
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()


def _write_ahead(connection: Any, busy_seconds: float) -> None:
    """Let readers go on while somebody writes.

    A new database changes to that when it is first opened, and SQLite does not wait by itself for others that open it,
    too.
    """
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except connection.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY != SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(PAUSE)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: upgrading a read transaction later fails as soon as another has written.
    writing = connection.get_execution_options().get(WRITING, False)
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:
        return  # a view, which was begun on the driver itself
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _postgresql(url: URL, connections: int, *, busy_seconds: float, idle_seconds: float) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=QueuePool,
            hide_parameters=True,  # secrets among them must not come into a log
            pool_size=connections,
            max_overflow=0,
            pool_timeout=busy_seconds,
            pool_pre_ping=True,
            paramstyle="format",  # positional, so that compiled statements go straight to the driver
            connect_args={"application_name": "trivium", **timeouts_for(url)},
        )
    except ModuleNotFoundError as error:
        message = "PostgreSQL needs the library psycopg, which is not installed: pip install 'trivium[postgresql]'"
        raise StoreUnavailable(message) from error
    event.listen(engine, "connect", _prepare_postgresql(busy_seconds, idle_seconds))
    return engine


def _prepare_postgresql(busy_seconds: float, idle_seconds: float) -> Callable[[Any, object], None]:
    def prepare(connection: Any, _record: object) -> None:
        info = connection.info
        check_postgresql(info.server_version, info.parameter_status("server_encoding") or "")
        # Whoever waits longer than this for a lock hears that the store is busy, as on SQLite.
        connection.execute(f"SET lock_timeout = {int(busy_seconds * 1000)}")
        connection.execute(f"SET idle_in_transaction_session_timeout = {int(idle_seconds * 1000)}")
        connection.commit()

    return prepare
