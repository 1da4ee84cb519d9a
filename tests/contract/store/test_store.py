"""The store's promises: whole or not at all, whoever dies or is in the way, and never a stalled event loop."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import bindparam, exc, insert, select, update
from sqlalchemy import text as sql

from tests import shelf
from trivium.base.clock import ManualClock, SystemClock
from trivium.base.errors import Invalid
from trivium.base.ids import Ids
from trivium.resources.projects.table import domains
from trivium.store import (
    Busy,
    Flavour,
    NewerDatabase,
    Prepared,
    Read,
    Store,
    StoreUnavailable,
    TooSlow,
    Write,
    failures,
)
from trivium.store.database import engine_for
from trivium.store.servers import LEASES, servers

START = datetime(2026, 11, 21, 12, tzinfo=UTC)

HALF_WAY = """
import sys
from sqlalchemy import insert, update
from tests import shelf
from trivium.base.clock import SystemClock
from trivium.store import Store
store = Store.open(sys.argv[1], SystemClock(), "cli")
def half(tx):
    tx.run(update(shelf.people).values(age=99))
    tx.run(insert(shelf.people).values(id=7, age=99))
    print("half way", flush=True)
    sys.stdin.readline()
store.write_now(half)
"""

COUNT_UP = """
import sys
from sqlalchemy import select, update
from tests import shelf
from trivium.base.clock import SystemClock
from trivium.store import Store
store = Store.open(sys.argv[1], SystemClock(), "cli")
def up(tx):
    row = tx.lock(select(shelf.people).where(shelf.people.c.id == 1))
    tx.run(update(shelf.people).where(shelf.people.c.id == 1).values(age=row.age + 1))
    return tx.ids.next()
for _ in range(30):
    print(store.write_now(up))
store.close()
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def store(database_url: str, clock: ManualClock) -> Iterator[Store]:
    opened = Store.open(database_url, clock, "cli")
    opened.write_now(shelf.make)
    opened.write_now(
        lambda tx: shelf.fill(tx, [{"id": 1, "name": None, "age": 0}, {"id": 2, "name": None, "age": 0}], [])
    )
    yield opened
    opened.close()


AGE = Prepared(select(shelf.people.c.age).where(shelf.people.c.id == bindparam("id")), "id")


def age(tx: Read) -> int:
    return tx.value(select(shelf.people.c.age).where(shelf.people.c.id == 1))


def grow(tx: Write) -> None:
    tx.run(update(shelf.people).where(shelf.people.c.id == 1).values(age=shelf.people.c.age + 1))


def test_a_change_whose_function_raises_has_never_been(store: Store) -> None:
    def breaks(tx: Write) -> None:
        grow(tx)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write_now(breaks)
    assert store.read_now(age) == 0


def test_what_is_to_be_done_after_a_commit_is_done_after_it_and_only_then(store: Store) -> None:
    seen: list[object] = []
    store.on_wake = lambda name: seen.append((name, store.read_now(age)))

    def change(tx: Write) -> None:
        grow(tx)
        tx.wake("notebooks")
        tx.wake("notebooks")
        tx.committed.append(lambda: seen.append(store.read_now(age)))

    store.write_now(change)
    assert seen == [1, ("notebooks", 1)]

    def breaks(tx: Write) -> None:
        change(tx)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write_now(breaks)
    assert len(seen) == 2


def test_a_view_stays_the_same_while_others_write(store: Store) -> None:
    def look(tx: Read) -> tuple[int, int]:
        before = age(tx)
        store.write_now(grow)
        return before, age(tx)

    assert store.read_now(look) == (0, 0)
    assert store.read_now(age) == 1


async def test_what_is_cached_and_what_is_not_are_of_one_snapshot(store: Store, database_url: str) -> None:
    other = Store.open(database_url, store.clock, "cli")
    changed = [False]

    def both(tx: Read) -> tuple[int, int]:
        first = AGE.first(tx, 1).age
        if not changed[0]:
            changed[0] = True
            other.write_now(lambda write: write.run(update(shelf.people).values(age=7)))
        return first, tx.value(select(shelf.people.c.age).where(shelf.people.c.id == 2))

    assert (await store.read(lambda tx: AGE.first(tx, 1))).age == 0
    assert (await store.read(lambda tx: AGE.first(tx, 1))).age == 0
    assert await store.read(both) == (7, 7)
    other.close()


async def test_on_sqlite_what_is_all_cached_opens_no_transaction(tmp_path: Path, clock: ManualClock) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'trivium.db'}", clock, "cli")
    store.write_now(shelf.make)
    driver = store._sqlite("loop").driver

    def asked(tx: Read, id: int) -> tuple[Any, bool]:
        return AGE.first(tx, id), driver.in_transaction

    assert [await store.read(asked, id) for id in (1, 1, 2)] == [(None, True), (None, False), (None, True)]
    assert not driver.in_transaction
    store.close()


def test_two_processes_lose_no_change_and_give_no_id_twice(store: Store, database_url: str) -> None:
    command = [sys.executable, "-c", COUNT_UP, database_url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for _ in range(30):
        store.write_now(grow)
    given = [line for process in started for line in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in started] == [0, 0]
    assert len(given) == len(set(given)) == 60
    assert store.read_now(age) == 90


def test_a_process_killed_in_the_middle_of_a_change_leaves_nothing_of_it(store: Store, database_url: str) -> None:
    command = [sys.executable, "-c", HALF_WAY, database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        assert store.read_now(age) == 0
        process.send_signal(signal.SIGKILL)
        process.wait()
    store.write_now(grow)
    rows = store.read_now(lambda tx: tx.all(select(shelf.people.c.id, shelf.people.c.age).order_by(shelf.people.c.id)))
    assert [tuple(row) for row in rows] == [(1, 1), (2, 0)]


async def test_a_busy_database_does_not_stall_the_event_loop(store: Store) -> None:
    held, free = threading.Event(), threading.Event()

    def hold(tx: Write) -> None:
        grow(tx)
        held.set()
        assert free.wait(30)

    holder = threading.Thread(target=store.write_now, args=(hold,))
    holder.start()
    await asyncio.to_thread(held.wait)
    waiting = asyncio.create_task(store.write(grow))
    for _ in range(20):
        assert await store.read(age) == 0
    assert not waiting.done()
    free.set()
    await waiting
    assert await store.read(age) == 2
    holder.join()


@pytest.mark.postgresql
def test_who_stops_amid_a_transaction_loses_its_locks(postgres_url: str) -> None:
    Store.open(postgres_url, SystemClock(), "cli").close()
    idle, other = engine_for(postgres_url, idle_seconds=0.1), engine_for(postgres_url)
    lock = sql("LOCK TABLE servers IN ACCESS EXCLUSIVE MODE")

    def idle_in_a_transaction() -> None:
        with idle.connect() as stopped, stopped.begin():
            stopped.execute(lock)
            with other.connect() as heir, heir.begin():
                heir.execute(lock)  # waits until the database has ended the other session
            stopped.execute(sql("SELECT 1"))

    with pytest.raises(exc.DBAPIError) as refused:
        idle_in_a_transaction()
    assert isinstance(failures.translated(refused.value), StoreUnavailable)
    idle.dispose()
    other.dispose()


@pytest.mark.postgresql
def test_the_url_of_a_database_may_set_timeouts_of_its_own(postgres_url: str) -> None:
    joint = "&" if "?" in postgres_url else "?"
    engine = engine_for(f"{postgres_url}{joint}keepalives_idle=77&options=-c%20statement_timeout%3D1234")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        parameters = driver.info.get_parameters()
        assert (parameters["keepalives_idle"], parameters["keepalives_interval"]) == ("77", "5")
        assert connection.execute(sql("SHOW statement_timeout")).scalar_one() == "1234ms"
    engine.dispose()


@pytest.mark.postgresql
def test_transactions_that_block_each_other_are_run_again(postgres_url: str) -> None:
    store = Store.open(postgres_url, SystemClock(), "cli")
    store.write_now(shelf.make)
    store.write_now(
        lambda tx: shelf.fill(tx, [{"id": 1, "name": None, "age": 0}, {"id": 2, "name": None, "age": 0}], [])
    )
    both = threading.Barrier(2)
    runs: list[int] = []

    def crosswise(first: int, second: int) -> None:
        def change(tx: Write) -> None:
            runs.append(first)
            tx.run(update(shelf.people).where(shelf.people.c.id == first).values(age=shelf.people.c.age + 1))
            if len(runs) <= 2:
                both.wait(30)
            tx.run(update(shelf.people).where(shelf.people.c.id == second).values(age=shelf.people.c.age + 1))

        store.write_now(change)

    threads = [threading.Thread(target=crosswise, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 3
    assert store.read_now(lambda tx: [row.age for row in tx.all(select(shelf.people.c.age))]) == [2, 2]
    store.close()


def test_an_id_that_was_there_already_is_given_anew(store: Store, clock: ManualClock) -> None:
    taken = Ids(clock, store.worker, store.ids.next()).next()
    store.write_now(lambda tx: tx.run(insert(shelf.people).values(id=taken)))
    made = store.write_now(lambda tx: [tx.run(insert(shelf.people).values(id=(number := tx.ids.next()))), number])[1]
    assert made > taken


def test_a_violated_rule_is_told_as_it_is(store: Store) -> None:
    runs: list[int] = []

    def twice(tx: Write) -> None:
        runs.append(1)
        tx.run(
            insert(servers).values(worker=store.worker, kind="x", host="x", pid=1, started_at=START, lease_until=START)
        )

    with pytest.raises(exc.IntegrityError):
        store.write_now(twice)
    assert len(runs) == 1


def test_sqlites_log_is_not_written_back_while_a_store_opens(tmp_path: Path) -> None:
    file = tmp_path / "trivium.db"
    Store.open(f"sqlite:///{file}", SystemClock(), "cli").close()
    assert not file.with_name("trivium.db-wal").exists()
    store = Store.open(f"sqlite:///{file}", SystemClock(), "cli")
    assert file.with_name("trivium.db-wal").stat().st_size > 0  # the lease, which would else have gone into the file
    store.close()
    assert not file.with_name("trivium.db-wal").exists()


def test_worker_bits_are_leased_to_one_and_given_back(store: Store, database_url: str, clock: ManualClock) -> None:
    second = Store.open(database_url, clock, "server")
    assert (store.worker, second.worker) == (0, 1)
    rows = store.read_now(lambda tx: tx.all(select(servers).order_by(servers.c.worker)))
    until = START + LEASES[store.flavour]
    assert [(row.kind, row.lease_until) for row in rows] == [("cli", until), ("server", until)]
    second.close()
    third = Store.open(database_url, clock, "cli")
    assert third.worker == 1
    third.close()


def test_a_beat_keeps_the_worker_bits_and_who_lost_them_gets_others(
    store: Store, database_url: str, clock: ManualClock
) -> None:
    lease = LEASES[store.flavour]
    clock.move(lease * 0.9)
    assert store.renew_lease()
    clock.move(lease * 0.9)
    second = Store.open(database_url, clock, "cli")
    assert second.worker == 1
    clock.move(lease * 2)
    third = Store.open(database_url, clock, "cli")
    assert third.worker == 0  # both leases ran out
    before = store.ids.next()
    assert not store.renew_lease()
    assert store.worker == 1
    assert store.ids.next() > before
    assert store.renew_lease()
    for other in (second, third):
        other.close()
    assert store.renew_lease()


def test_ids_go_on_above_the_largest_one_when_the_clock_was_set_back(database_url: str, clock: ManualClock) -> None:
    ahead = Store.open(database_url, clock, "cli")

    def add(tx: Write) -> int:
        given = tx.ids.next()
        tx.run(insert(domains).values(id=given, uuid=UUID(int=1), name="x", enabled=True, created_at=tx.now))
        return given

    given = ahead.write_now(add)
    ahead.close()
    clock.move(-timedelta(days=30))
    behind = Store.open(database_url, clock, "cli")
    assert behind.ids.next() > given
    behind.close()


@pytest.mark.parametrize("how", ["statement", "engine"])
def test_a_search_that_takes_too_long_ends(database_url: str, how: str) -> None:
    store = Store.open(database_url, SystemClock(), "cli", search_limit=timedelta(milliseconds=50))
    endless = {
        Flavour.SQLITE: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        Flavour.POSTGRESQL: "SELECT pg_sleep(60)",
    }[store.flavour]

    def look(tx: Read) -> None:
        if how == "engine":
            tx.fetch(endless, ())
        else:
            tx.value(sql(endless))

    for _ in range(2):
        with pytest.raises(TooSlow):
            asyncio.run(store.search(look))
    assert store.search_now(lambda tx: tx.value(sql("SELECT 1"))) == 1
    store.close()


def test_a_locked_database_is_busy_in_the_end(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trivium.db'}"
    first = Store.open(url, SystemClock(), "cli")
    second = Store.open(url, SystemClock(), "cli")
    second.write_now(lambda tx: tx.connection.exec_driver_sql("PRAGMA busy_timeout=50").close())

    def both(tx: Write) -> None:
        tx.run(update(servers).values(kind="x"))
        with pytest.raises(Busy):
            second.write_now(lambda tx: tx.run(update(servers).values(kind="y")))

    first.write_now(both)
    second.close()
    first.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/x", "must begin with postgresql:// or sqlite://"),
        ("sqlite:////nowhere/at/all/trivium.db", "unable to open database file"),
        ("postgresql://trivium@/x?host=/nowhere/at/all", "No such file or directory"),
    ],
)
def test_a_database_that_cannot_be_opened_says_why(url: str, said: str) -> None:
    with pytest.raises((Invalid, StoreUnavailable), match=said):
        Store.open(url, SystemClock(), "cli")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trivium.db"
    path.write_bytes(b"this is text, and more than a page's head of it " * 40)
    with pytest.raises(StoreUnavailable, match="not a database"):
        Store.open(f"sqlite:///{path}", SystemClock(), "cli")


def test_a_newer_database_is_refused(store: Store, database_url: str, clock: ManualClock) -> None:
    store.write_now(lambda tx: tx.run(sql("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(NewerDatabase):
        Store.open(database_url, clock, "cli")


def test_a_search_under_way_does_not_keep_the_store_from_closing(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'x.db'}", SystemClock(), "test", search_limit=timedelta(hours=1))
    begun = threading.Event()

    def endless(tx: Read) -> object:
        begun.set()
        count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        return tx.value(sql(count))

    async def search() -> None:
        with pytest.raises(TooSlow):
            await store.search(endless)

    async def close_meanwhile() -> None:
        searching = asyncio.create_task(search())
        await asyncio.to_thread(begun.wait, 30)
        await asyncio.to_thread(store.close)
        await searching

    asyncio.run(close_meanwhile())
