"""The store itself: runs functions over transactions, each where it belongs.

On SQLite bounded reads run in the event loop (a page costs less than a thread hop), every write in one writer thread
(so that a busy database never stalls the loop), and unbounded reads in threads with a time limit. On PostgreSQL
everything runs in threads.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine, exc

from trivium.base.clock import Clock
from trivium.base.ids import Ids
from trivium.store import migrations, servers
from trivium.store.database import WRITING, Flavour, engine_for, flavour_of
from trivium.store.errors import Busy, StoreUnavailable, TooSlow
from trivium.store.transactions import Read, Write

P = ParamSpec("P")
T = TypeVar("T")
ATTEMPTS = 10
PROGRESS_STEPS = 20_000  # SQLite instructions between two looks at the time limit


class Store:
    """A database that is open. Made by `Store.open`; `close` gives its worker bits back."""

    def __init__(self, engine: Engine, flavour: Flavour, clock: Clock, worker: int, ids: Ids) -> None:
        self.flavour = flavour
        self.clock = clock
        self.ids = ids
        self.worker = worker
        self.on_wake: Callable[[str], None] | None = None
        self._engine = engine
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        writers = 1 if flavour is Flavour.SQLITE else 8
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="store-write")
        self._readers = ThreadPoolExecutor(8, thread_name_prefix="store-read")

    @classmethod
    def open(cls, url: str, clock: Clock, kind: str) -> Self:
        """Open the database, bring its schema up to date and lease worker bits. `kind`: server or cli.

        Raises `StoreUnavailable`, `NewerDatabase` or `Busy`.
        """
        engine = engine_for(url)
        flavour = flavour_of(url)
        try:
            migrations.upgrade(engine)
            with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
                migrations.lock(connection, flavour)
                worker = servers.lease_worker(connection, clock, kind)
                ids = Ids(clock, worker, servers.largest_id(connection))
        except exc.DBAPIError as error:
            raise _translated(error) from error
        return cls(engine, flavour, clock, worker, ids)

    def close(self) -> None:
        """Give the worker bits back and close every connection."""
        self._writers.shutdown()
        self._readers.shutdown()
        try:
            self.write_now(lambda tx: servers.give_back(tx.connection, self.worker))
        except StoreUnavailable:
            pass  # the lease runs out by itself
        for connection in self._opened:
            connection.close()
        self._engine.dispose()

    async def read(self, use: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` makes of a consistent view. For look-ups whose cost does not grow with the tables."""
        if self.flavour is Flavour.SQLITE:
            return self.read_now(use, *args, **kwargs)
        return await self._in(self._readers, lambda: self.read_now(use, *args, **kwargs))

    async def search(self, use: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for look-ups whose cost may grow: in a thread, `TooSlow` after the time limit."""
        return await self._in(self._readers, lambda: self._search_now(use, *args, **kwargs))

    async def write(self, use: Callable[Concatenate[Write, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` returns, once what it changed is committed. It may be run again when others were in the way."""
        return await self._in(self._writers, lambda: self.write_now(use, *args, **kwargs))

    def read_now(self, use: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read`, in this thread."""
        try:
            if self.flavour is Flavour.SQLITE:
                connection = self._connection(writing=False)
                with connection.begin():
                    return use(Read(connection, self.flavour, self.clock.now()), *args, **kwargs)
            with self._engine.connect() as connection, connection.begin():
                # One snapshot for all statements of the view: a page and its total must not disagree.
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                return use(Read(connection, self.flavour, self.clock.now()), *args, **kwargs)
        except exc.DBAPIError as error:
            raise _translated(error) from error

    def write_now(self, use: Callable[Concatenate[Write, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`write`, in this thread."""
        for attempt in range(ATTEMPTS):
            try:
                return self._write_once(use, *args, **kwargs)
            except exc.DBAPIError as error:
                if attempt + 1 == ATTEMPTS or not _is_passing(error):
                    raise _translated(error) from error
        raise Busy

    def beat(self) -> bool:
        """Renew the lease on the worker bits; False when it was lost."""
        return self.write_now(lambda tx: servers.renew(tx.connection, self.clock, self.worker))

    def _write_once(self, use: Callable[Concatenate[Write, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.flavour is Flavour.SQLITE:
            with self._writing:
                connection = self._connection(writing=True)
                with connection.begin():
                    tx = Write(connection, self.flavour, self.clock.now(), self.ids)
                    result = use(tx, *args, **kwargs)
        else:
            with self._engine.connect() as connection, connection.begin():
                tx = Write(connection, self.flavour, self.clock.now(), self.ids)
                result = use(tx, *args, **kwargs)
        for call in tx.committed:
            call()
        if self.on_wake is not None:
            for worker in tx.woken:
                self.on_wake(worker)
        return result

    def _search_now(self, use: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        limit = self.search_limit
        if self.flavour is Flavour.POSTGRESQL:

            def bounded(tx: Read, *inner: P.args, **named: P.kwargs) -> T:
                tx.connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(limit.total_seconds() * 1000)}")
                return use(tx, *inner, **named)

            return self.read_now(bounded, *args, **kwargs)
        driver: Any = self._connection(writing=False).connection.driver_connection
        deadline = time.monotonic() + limit.total_seconds()
        driver.set_progress_handler(lambda: time.monotonic() > deadline, PROGRESS_STEPS)
        try:
            return self.read_now(use, *args, **kwargs)
        finally:
            driver.set_progress_handler(None, 0)

    search_limit = timedelta(seconds=10)

    def _connection(self, *, writing: bool) -> Connection:
        """This thread's own SQLite connection."""
        name = "writer" if writing else "reader"
        connection: Connection | None = getattr(self._local, name, None)
        if connection is None:
            connection = self._engine.connect().execution_options(**{WRITING: writing})
            setattr(self._local, name, connection)
            with self._opening:
                self._opened.append(connection)
        return connection

    async def _in(self, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, call)


def _is_passing(error: exc.DBAPIError) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    code = getattr(error.orig, "sqlstate", None)
    if code in ("40001", "40P01"):  # serialization failure, deadlock
        return True
    return isinstance(error, exc.IntegrityError) and ".id" in str(error.orig) or _names_key(error)


def _names_key(error: exc.DBAPIError) -> bool:
    """Whether two processes came to the same id, as can happen when a stopped process lost its worker bits."""
    return isinstance(error, exc.IntegrityError) and 'constraint "pk_' in str(error.orig)


def _translated(error: exc.DBAPIError) -> Exception:
    text = str(error.orig)
    code = getattr(error.orig, "sqlstate", None)
    if text == "interrupted" or code == "57014":
        return TooSlow()
    if "database is locked" in text or "database table is locked" in text:
        return Busy()
    if isinstance(error, exc.IntegrityError):
        return error
    if isinstance(error, (exc.OperationalError, exc.InterfaceError)):
        return StoreUnavailable(text)
    return error
