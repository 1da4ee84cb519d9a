"""The store itself: runs functions over transactions, each where it belongs.

On SQLite bounded reads run in the event loop (a page costs less than a thread hop), every write in one writer thread
(so that a busy database never stalls the loop), and unbounded reads in threads with a time limit. On PostgreSQL
everything runs in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine, exc

from trivium.base.clock import Clock
from trivium.base.errors import Unavailable
from trivium.base.ids import Ids
from trivium.store import counters, failures, migrations, notices, servers
from trivium.store.database import WRITING, Flavour, engine_for, flavour_of, snapshots_of
from trivium.store.editions import Together, edition_of
from trivium.store.errors import Busy, StoreUnavailable
from trivium.store.searches import Searches
from trivium.store.shapes import Shapes
from trivium.store.transactions import Read, Write
from trivium.store.views import Own

P = ParamSpec("P")
T = TypeVar("T")
ATTEMPTS: Final = 10
PAUSE: Final = 0.003
"""Seconds before a transaction that others were in the way of is run again; as often longer as it was tried."""

PROGRESS_STEPS: Final = 20_000
"""SQLite's instructions between two looks at the time limit; a millisecond or so."""

SEARCH_LIMIT: Final = timedelta(seconds=10)


class Store:
    """A database that is open. Made by `Store.open`; `close` gives its worker bits back."""

    def __init__(
        self, engine: Engine, clock: Clock, lease: servers.Lease, *, ids: Ids, search_limit: timedelta
    ) -> None:
        self.flavour = Flavour(engine.dialect.name)
        self.clock = clock
        self.ids = ids
        self.on_wake: Callable[[str], None] | None = None
        self.on_wait: Callable[[str, float], None] | None = None  # told by threads: the use, seconds it waited for one
        self.shapes = Shapes()
        self.searches = Searches()
        self._lease = lease
        self._announced: tuple[str, str] | None = None
        self._engine = engine
        self._snapshots = snapshots_of(engine)
        self._search_limit = search_limit
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        self._is_closing = False
        self._editions = Together(lambda: self.read(edition_of))
        writers = 1 if self.flavour is Flavour.SQLITE else 8
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="store-write")
        self._readers = ThreadPoolExecutor(8, thread_name_prefix="store-read")

    @classmethod
    def open(cls, url: str, clock: Clock, kind: str, *, search_limit: timedelta = SEARCH_LIMIT) -> Self:
        """Open the database, bring its schema up to date and lease worker bits. `kind`: server or cli.

        Raises `StoreUnavailable`, `NewerDatabase` or `Busy`, and `Invalid` for a URL that names no database.
        """
        flavour = flavour_of(url)
        engine = engine_for(url)
        try:
            migrations.upgrade(engine)
            with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
                migrations.lock(connection, flavour)
                lease = servers.lease_worker(connection, clock, kind)
                ids = Ids(clock, lease.worker, servers.largest_id(connection))
        except exc.DBAPIError as error:
            engine.dispose()
            told = failures.translated(error)
            raise StoreUnavailable(str(error.orig)) if told is error else told from error
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, clock, lease, ids=ids, search_limit=search_limit)

    @property
    def worker(self) -> int:
        """The worker bits of the ids that are given here."""
        return self._lease.worker

    def close(self) -> None:
        """Wait for writes that are under way, break searches off, give the worker bits back, close every connection."""
        self._writers.shutdown()
        self._is_closing = True
        # PostgreSQL ends a search by its own time limit, on a connection that nobody else has.
        self._readers.shutdown(wait=self.flavour is Flavour.SQLITE, cancel_futures=True)
        with contextlib.suppress(Unavailable):  # who comes next folds more
            self.fold()
        with contextlib.suppress(Unavailable):  # the lease runs out by itself
            self.write_now(lambda tx: servers.give_back(tx.connection, self._lease))
        for connection in self._opened:
            with contextlib.suppress(exc.DBAPIError):
                connection.close()
        self._engine.dispose()

    async def read(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` makes of a consistent view. For look-ups whose cost does not grow with the tables."""
        if self.flavour is Flavour.SQLITE:
            # Rarely a reader must wait, while another process mends or ends the log; then it does so in a thread.
            with contextlib.suppress(Busy):
                return self._own("loop").look(self._seen, use, *args, **kwargs)
        return await self._in("read", self._readers, lambda: self.read_now(use, *args, **kwargs))

    async def search(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for look-ups whose cost may grow: in a thread, `TooSlow` after the time limit."""
        return await self._in("search", self._readers, lambda: self.search_now(use, *args, **kwargs))

    async def write(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` returns, once what it changed is committed. It may be run again when others were in the way."""
        return await self._in("write", self._writers, lambda: self.write_now(use, *args, **kwargs))

    def edition_now(self) -> object:
        """What differs from before if anything was committed since, by whomever; None where that takes a wait.

        To be asked in the event loop's thread.
        """
        if self.flavour is Flavour.SQLITE:
            return self._own("loop").version()
        return None

    async def edition(self) -> object:
        """The same where it takes a wait. What is read afterwards is at least as new. Errors: `StoreUnavailable`."""
        if self.flavour is Flavour.POSTGRESQL:
            return await self._editions.ask()
        found = self.edition_now()
        return object() if found is None else found  # one that nothing is kept for

    def read_now(self, use: Callable[Concatenate[Read, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`read`, in this thread."""
        if self.flavour is Flavour.SQLITE:
            return self._own("reader").look(self._seen, use, *args, **kwargs)
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
                if attempt == ATTEMPTS or not failures.is_passing(error):
                    failures.raise_as_ours(error)
            time.sleep(PAUSE * attempt)
            attempt += 1

    def fold(self) -> None:
        """Fold what the counters noted. To be called every second or so on PostgreSQL; SQLite's writers do it."""
        if self.flavour is Flavour.POSTGRESQL:
            for counted in counters.all_counted():
                if self.read_now(counters.waiting, counted):
                    self.write_now(counters.fold, counted)

    def beat(self) -> bool:
        """Renew the lease on the worker bits. False when they were lost, as after a long stop: others are leased."""
        if self.write_now(lambda tx: servers.renew(tx.connection, self.clock, self._lease)):
            return True
        self._lease = self.write_now(self._leased_again)
        return False

    async def heed(self) -> None:
        """Have `on_wake` told what other processes woke, until cancelled; on SQLite there is nobody who would tell."""
        if self.flavour is Flavour.POSTGRESQL:
            await notices.heed(self._engine.url, self._heard)

    def _heard(self, name: str, sender: int) -> None:
        if sender != self._lease.worker and self.on_wake is not None:
            self.on_wake(name)

    def announce(self, tx: Write, *, host: str, proxy_address: str) -> None:
        """Say on which host this server is, and where the others reach its proxy."""
        self._announced = (host, proxy_address)
        servers.announce(tx.connection, self._lease, host=host, proxy_address=proxy_address)

    def _leased_again(self, tx: Write) -> servers.Lease:
        migrations.lock(tx.connection, self.flavour)
        lease = servers.lease_worker(tx.connection, self.clock, self._lease.kind)
        if self._announced is not None:
            host, proxy_address = self._announced
            servers.announce(tx.connection, lease, host=host, proxy_address=proxy_address)
        self.ids = Ids(self.clock, lease.worker, max(self.ids.next(), servers.largest_id(tx.connection)))
        return lease

    def _seen(self, own: Own) -> Read:
        return Read(
            own.connection,
            self.flavour,
            self.clock.now(),
            shapes=self.shapes,
            kept=own.kept,
            searches=self.searches,
        )

    @contextlib.contextmanager
    def _reading(self) -> Generator[Read]:
        """A consistent view on PostgreSQL; its errors are the store's."""
        try:
            with self._snapshots.connect() as connection, connection.begin():
                yield Read(connection, self.flavour, self.clock.now(), shapes=self.shapes, searches=self.searches)
        except (exc.DBAPIError, exc.TimeoutError) as error:
            failures.raise_as_ours(error)

    def _limited(self, tx: Read, use: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `use` makes of the view within the time limit: of all on SQLite, of each statement on PostgreSQL."""
        seconds = self._search_limit.total_seconds()
        if self.flavour is Flavour.POSTGRESQL:
            tx.connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(int(seconds * 1000), 1)}")
            return use(tx, *args, **kwargs)
        driver: Any = tx.connection.connection.driver_connection
        deadline = time.monotonic() + seconds
        driver.set_progress_handler(lambda: self._is_closing or time.monotonic() > deadline, PROGRESS_STEPS)
        try:
            return use(tx, *args, **kwargs)
        finally:
            driver.set_progress_handler(None, 0)

    def _written(self, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """One attempt, and what was to be done once it is committed."""
        with self._writable() as connection, connection.begin():
            tx = Write(connection, self.flavour, self.clock.now(), shapes=self.shapes, ids=self.ids)
            result = use(tx, *args, **kwargs)
            if self.flavour is Flavour.SQLITE:
                counters.settle(tx)
            if tx.woken and self.flavour is Flavour.POSTGRESQL:
                notices.tell(connection, tx.woken, sender=self._lease.worker)
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
                yield self._own("writer").connection
        else:
            with self._engine.connect() as connection:
                yield connection

    def _own(self, name: str) -> Own:
        """This thread's own SQLite connection of that name: loop, reader or writer."""
        own: Own | None = getattr(self._local, name, None)
        if own is None:
            connection = self._engine.connect().execution_options(**{WRITING: name == "writer"})
            own = Own(connection, keeps=name == "loop")
            if name == "loop":
                own.driver.execute("PRAGMA busy_timeout=0").close()  # whoever must wait does so in a thread
            setattr(self._local, name, own)
            with self._opening:
                self._opened.append(connection)
        return own

    async def _in(self, use: str, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        on_wait = self.on_wait
        if on_wait is None:
            return await asyncio.get_running_loop().run_in_executor(pool, call)
        asked = time.monotonic()

        def timed() -> T:
            on_wait(use, time.monotonic() - asked)
            return call()

        return await asyncio.get_running_loop().run_in_executor(pool, timed)
