"""The store: runs functions in transactions, in the event loop or in threads.

Bounded reads run in the event loop, for a page costs less than a switch to a thread: on SQLite straight on the
database, on PostgreSQL on cached results, which are awaited first. Unbounded reads run in threads with a time limit; on
PostgreSQL, reads of what is never cached run in threads, too. Writes on SQLite run in one thread, so that a locked
database never stalls the loop, and on PostgreSQL in several.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine, exc

from trivium.base.clock import Clock
from trivium.base.errors import Unavailable
from trivium.base.ids import Ids
from trivium.store import counters, failures, migrations, notifications, servers
from trivium.store.bounded_cache import BoundedCache
from trivium.store.database import WRITING, Flavour, engine_for, snapshots_of
from trivium.store.errors import Busy, StoreUnavailable
from trivium.store.result_cache import BoundStatement
from trivium.store.search_cache import SearchCache
from trivium.store.snapshot_cache import SnapshotCache
from trivium.store.sqlite_connection import SqliteConnection
from trivium.store.transactions import CachedRead, NotCached, Read, Write

if TYPE_CHECKING:
    from trivium.store.pipeline import Pipeline

P = ParamSpec("P")
T = TypeVar("T")
ATTEMPTS: Final = 10
PAUSE: Final = 0.003
"""Seconds before the first retry of a transaction that conflicted with another; each later pause is so much longer."""

PROGRESS_STEPS: Final = 20_000
"""SQLite's instructions between two checks of the time limit; about a millisecond."""

MOST_FETCHED: Final = 16
"""Results that are fetched one after the other for a read in the event loop; with more it goes to a thread."""

MOST_STATEMENTS: Final = 1024
"""Compiled statements that are cached. Callers choose the shapes of queries, so they must not fill the memory."""

SEARCH_LIMIT: Final = timedelta(seconds=10)


class Store:
    """An open database. Made by `Store.open`; `close` releases its worker bits."""

    def __init__(
        self, engine: Engine, clock: Clock, lease: servers.Lease, *, ids: Ids, search_limit: timedelta
    ) -> None:
        self.flavour = Flavour(engine.dialect.name)
        self.clock = clock
        self.ids = ids
        self.on_wake: Callable[[str], None] | None = None
        self.on_wait: Callable[[str, float], None] | None = None  # called in threads: kind of use, seconds in the queue
        self.statements = BoundedCache[Any](MOST_STATEMENTS)
        self.search_cache = SearchCache()
        self._lease = lease
        self._announced: tuple[str, str] | None = None
        self._engine = engine
        self._reading_engine = snapshots_of(engine)
        self._search_limit = search_limit
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        self._is_closing = False
        self._snapshot_cache = SnapshotCache(self._pipeline)
        writers = 1 if self.flavour is Flavour.SQLITE else 8
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="store-write")
        self._readers = ThreadPoolExecutor(8, thread_name_prefix="store-read")

    @classmethod
    def open(cls, url: str, clock: Clock, kind: str, *, search_limit: timedelta = SEARCH_LIMIT) -> Self:
        """Open the database, bring its schema up to date and lease worker bits. `kind`: server or cli.

        Raises `StoreUnavailable`, `NewerDatabase` or `Busy`, and `Invalid` for a URL that names no database.
        """
        engine = engine_for(url)
        try:
            with engine.connect() as connection:
                migrations.upgrade(connection)
                lease, ids = cls._begun(connection, clock, kind)
                store = cls(engine, clock, lease, ids=ids, search_limit=search_limit)
                if store.flavour is Flavour.SQLITE:
                    # SQLite writes its log back, and waits for the disk, each time that its last connection closes:
                    # this opens the one that keeps it open from now on.
                    store.read_now(lambda _: None)
        except exc.DBAPIError as error:
            engine.dispose()
            told = failures.translated(error)
            raise StoreUnavailable(str(error.orig)) if told is error else told from error
        except BaseException:
            engine.dispose()
            raise
        return store

    @staticmethod
    def _begun(connection: Connection, clock: Clock, kind: str) -> tuple[servers.Lease, Ids]:
        with connection.execution_options(**{WRITING: True}).begin():
            migrations.lock(connection)
            lease = servers.lease_worker(connection, clock, kind)
            return lease, Ids(clock, lease.worker, servers.largest_id(connection))

    @property
    def search_limit(self) -> timedelta:
        """How long a look-up may take whose cost may grow."""
        return self._search_limit

    @property
    def worker(self) -> int:
        """The worker bits of the ids that are given here."""
        return self._lease.worker

    def close(self) -> None:
        """Finish the writes in progress, interrupt searches, release the worker bits, close every connection."""
        self._writers.shutdown()
        self._is_closing = True
        # PostgreSQL ends a search by the statement's time limit; nobody else uses its connection.
        self._readers.shutdown(wait=self.flavour is Flavour.SQLITE, cancel_futures=True)
        with contextlib.suppress(Unavailable):  # the next process folds
            self.fold()
        with contextlib.suppress(Unavailable):  # the lease runs out by itself
            self.write_now(lambda tx: servers.release(tx.connection, self._lease))
        self._snapshot_cache.close()
        for connection in self._opened:
            with contextlib.suppress(exc.DBAPIError):
                connection.close()
        self._engine.dispose()

    async def read(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` returns for a read transaction. For look-ups whose cost does not grow with the tables.

        It may be called several times, so it must not have side effects.
        """
        if self.flavour is Flavour.SQLITE:
            # Rarely a reader must wait, while another process recovers or truncates the log: it does so in a thread.
            with contextlib.suppress(Busy):
                return self._sqlite("loop").read(self._read, use, *args, **kwargs)
        else:
            with contextlib.suppress(NotCached):
                return await self._cached(use, *args, **kwargs)
        return await self._in("read", self._readers, lambda: self.read_now(use, *args, **kwargs))

    async def search(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for look-ups whose cost may grow: in a thread, `TooSlow` after the time limit."""
        return await self._in("search", self._readers, lambda: self.search_now(use, *args, **kwargs))

    async def write(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` returns, once it is committed. `use` runs again after a conflict with another transaction."""
        return await self._in("write", self._writers, lambda: self.write_now(use, *args, **kwargs))

    def snapshot_id_now(self) -> object:
        """A value that differs whenever anybody committed in between; None where it takes waiting to know.

        To be called in the event loop's thread.
        """
        if self.flavour is Flavour.SQLITE:
            return self._sqlite("loop").data_version()
        return None

    async def snapshot_id(self) -> object:
        """The same, with waiting. What is read afterwards is at least as new. Errors: `StoreUnavailable`."""
        if self.flavour is Flavour.POSTGRESQL:
            with contextlib.suppress(NotCached):
                return (await self._snapshot_cache.results()).version
            return object()
        found = self.snapshot_id_now()
        return object() if found is None else found  # locked: an id that equals no other

    def read_now(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`read`, in this thread."""
        if self.flavour is Flavour.SQLITE:
            return self._sqlite("reader").read(self._read, use, *args, **kwargs)
        with self._reading() as tx:
            return use(tx, *args, **kwargs)

    def search_now(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`search`, in this thread."""
        return self.read_now(self._limited, use, *args, **kwargs)

    def write_now(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`write`, in this thread."""
        attempt = 1
        while True:
            try:
                return self._written(use, *args, **kwargs)
            except (exc.DBAPIError, exc.TimeoutError) as error:
                if attempt == ATTEMPTS or not failures.is_retryable(error):
                    failures.raise_translated(error)
            time.sleep(PAUSE * attempt)
            attempt += 1

    def fold(self) -> None:
        """Fold the counters' changes. To be called every second or so on PostgreSQL; SQLite's writers do it."""
        if self.flavour is Flavour.POSTGRESQL:
            for counted in counters.all_counted():
                if self.read_now(counters.waiting, counted):
                    self.write_now(counters.fold, counted)

    def renew_lease(self) -> bool:
        """Renew the lease on the worker bits; False when it had run out, as after a long stop: others are leased."""
        if self.write_now(lambda tx: servers.renew(tx.connection, self.clock, self._lease)):
            return True
        self._lease = self.write_now(self._leased_again)
        return False

    async def listen(self) -> None:
        """Call `on_wake` with what other processes woke, until cancelled; returns at once on SQLite."""
        if self.flavour is Flavour.POSTGRESQL:
            await notifications.listen(self._engine.url, self._received)

    def _received(self, name: str, sender: int) -> None:
        if sender != self._lease.worker and self.on_wake is not None:
            self.on_wake(name)

    def announce(self, tx: Write, *, host: str, proxy_address: str) -> None:
        """Record on which host this server is, and where other servers reach its proxy."""
        self._announced = (host, proxy_address)
        servers.announce(tx.connection, self._lease, host=host, proxy_address=proxy_address)

    def _leased_again(self, tx: Write) -> servers.Lease:
        migrations.lock(tx.connection)
        lease = servers.lease_worker(tx.connection, self.clock, self._lease.kind)
        if self._announced is not None:
            host, proxy_address = self._announced
            servers.announce(tx.connection, lease, host=host, proxy_address=proxy_address)
        self.ids = Ids(self.clock, lease.worker, max(self.ids.next(), servers.largest_id(tx.connection)))
        return lease

    def _read(self, sqlite: SqliteConnection, connection: Connection) -> Read:
        return Read(
            connection,
            self.flavour,
            self.clock.now(),
            statements=self.statements,
            results=sqlite.results,
            search_cache=self.search_cache,
        )

    async def _cached(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` returns for cached results; each that it misses is fetched, and it is called again.

        Raises `NotCached` where it needs what is never cached.
        """
        wanted: list[BoundStatement] = []
        while True:
            results = await self._snapshot_cache.results(tuple(wanted))
            tx = CachedRead(
                results, self.flavour, self.clock.now(), statements=self.statements, search_cache=self.search_cache
            )
            try:
                return use(tx, *args, **kwargs)
            except NotCached as missing:
                if missing.statement is None or missing.statement in wanted or len(wanted) == MOST_FETCHED:
                    raise
                wanted.append(missing.statement)

    async def _pipeline(self) -> Pipeline:
        from trivium.store.pipeline import Pipeline  # noqa: PLC0415 - an optional library

        return await asyncio.get_running_loop().run_in_executor(self._readers, Pipeline, self._engine.url)

    @contextlib.contextmanager
    def _reading(self) -> Generator[Read]:
        """A read transaction on PostgreSQL; raises the store's errors."""
        try:
            with self._reading_engine.connect() as connection, connection.begin():
                yield Read(
                    connection,
                    self.flavour,
                    self.clock.now(),
                    statements=self.statements,
                    search_cache=self.search_cache,
                )
        except (exc.DBAPIError, exc.TimeoutError) as error:
            failures.raise_translated(error)

    def _limited(self, tx: Read, use: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` returns, under the time limit: of the whole on SQLite, of each statement on PostgreSQL."""
        seconds = self._search_limit.total_seconds()
        if self.flavour is Flavour.POSTGRESQL:
            # Without parallel workers: to start them takes longer than they save, and many search at once.
            tx.connection.exec_driver_sql(
                f"SET LOCAL statement_timeout = {max(int(seconds * 1000), 1)}; "
                "SET LOCAL max_parallel_workers_per_gather = 0"
            )
            return use(tx, *args, **kwargs)
        driver: Any = tx.connection.connection.driver_connection
        deadline = time.monotonic() + seconds
        driver.set_progress_handler(lambda: self._is_closing or time.monotonic() > deadline, PROGRESS_STEPS)
        try:
            return use(tx, *args, **kwargs)
        finally:
            driver.set_progress_handler(None, 0)

    def _written(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """One attempt, and the calls that follow the commit."""
        with self._writable() as connection, connection.begin():
            tx = Write(connection, self.flavour, self.clock.now(), statements=self.statements, ids=self.ids)
            result = use(tx, *args, **kwargs)
            if self.flavour is Flavour.SQLITE:
                counters.settle(tx)
            if tx.woken and self.flavour is Flavour.POSTGRESQL:
                notifications.notify(connection, tx.woken, sender=self._lease.worker)
        for call in tx.committed:
            call()
        if self.on_wake is not None:
            for worker in tx.woken:
                self.on_wake(worker)
        return result

    @contextlib.contextmanager
    def _writable(self) -> Generator[Connection]:
        if self.flavour is Flavour.SQLITE:
            with self._writing:
                yield self._sqlite("writer").connection
        else:
            with self._engine.connect() as connection:
                yield connection

    def _sqlite(self, name: str) -> SqliteConnection:
        """This thread's own connection of that name: loop, reader or writer."""
        found: SqliteConnection | None = getattr(self._local, name, None)
        if found is None:
            connection = self._engine.connect().execution_options(**{WRITING: name == "writer"})
            found = SqliteConnection(connection, caches=name == "loop")
            if name != "writer":
                found.driver.execute("PRAGMA query_only=ON").close()
            if name == "loop":
                found.driver.execute("PRAGMA busy_timeout=0").close()  # waiting is for other threads
                self._close_reader()
            setattr(self._local, name, found)
            with self._opening:
                self._opened.append(connection)
        return found

    def _close_reader(self) -> None:
        """Close what this thread read by before it had an event loop: each connection keeps the whole schema anew."""
        reader: SqliteConnection | None = getattr(self._local, "reader", None)
        if reader is not None:
            del self._local.reader
            with self._opening:
                self._opened.remove(reader.connection)
            reader.connection.close()

    async def _in(self, use: str, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        on_wait = self.on_wait
        if on_wait is None:
            return await asyncio.get_running_loop().run_in_executor(pool, call)
        asked = time.monotonic()

        def timed() -> T:
            on_wait(use, time.monotonic() - asked)
            return call()

        return await asyncio.get_running_loop().run_in_executor(pool, timed)
