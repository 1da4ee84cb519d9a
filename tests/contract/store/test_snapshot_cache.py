"""Reads on PostgreSQL from cached results: as new, and as consistent, as reads in transactions of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import exc, make_url, update

from tests import shelf
from tests.waiting import until_async
from trivium.base.clock import SystemClock
from trivium.store import Read, Store, StoreUnavailable, Write
from trivium.store.pipeline import MOST_PREPARED
from trivium.store.result_cache import LONGEST

pytestmark = pytest.mark.postgresql
AGE = "SELECT age FROM people WHERE id = %s"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    opened = Store.open(postgres_url, SystemClock(), "cli")
    opened.write_now(shelf.make)
    opened.write_now(lambda tx: shelf.fill(tx, [{"id": id, "name": None, "age": 50} for id in (1, 2)], []))
    yield opened
    opened.close()


@pytest.fixture
def other(store: Store, postgres_url: str) -> Iterator[Store]:  # noqa: ARG001 - which made the tables
    """Another process's store, as far as the first one can tell."""
    opened = Store.open(postgres_url, SystemClock(), "cli")
    yield opened
    opened.close()


def age(tx: Read, id: int = 1) -> int:
    return tx.fetch(AGE, (id,))[0][0]


def make_older(tx: Write, by: int = 1) -> None:
    tx.run(update(shelf.people).where(shelf.people.c.id == 1).values(age=shelf.people.c.age + by))


async def test_what_others_committed_is_seen_by_the_next_read(store: Store, other: Store) -> None:
    for number in range(50, 90):
        assert await asyncio.gather(*(store.read(age) for _ in range(5))) == [number] * 5
        await (store, other)[number % 2].write(make_older)


async def test_a_result_is_fetched_once_as_long_as_nobody_commits(store: Store) -> None:
    calls = 0

    def counted(tx: Read) -> int:
        nonlocal calls
        calls += 1
        return age(tx) + age(tx, 2)

    assert await store.read(counted) == 100
    assert calls >= 3
    for _ in range(100):  # somebody may commit in another database of the cluster
        calls = 0
        assert await store.read(counted) == 100
        if calls == 1:
            return
    pytest.fail("nothing is cached")


async def test_a_read_sees_one_moment_while_others_write(store: Store, other: Store) -> None:
    done = threading.Event()

    def shift(tx: Write) -> None:
        make_older(tx)
        tx.run(update(shelf.people).where(shelf.people.c.id == 2).values(age=shelf.people.c.age - 1))

    def keep_shifting() -> None:
        while not done.is_set():
            other.write_now(shift)

    writer = threading.Thread(target=keep_shifting)
    writer.start()
    try:
        sums = [await store.read(lambda tx: age(tx) + age(tx, 2)) for _ in range(300)]
        ages = [await store.read(age) for _ in range(10)]
    finally:
        done.set()
        writer.join()
    assert set(sums) == {100}
    assert ages == sorted(ages)
    assert ages[0] > 50


async def test_results_of_one_round_trip_are_of_one_snapshot(store: Store, other: Store) -> None:
    slow = "SELECT age FROM people, pg_sleep(%s) WHERE id = 1"

    async def both() -> tuple[int, int]:
        reads = (store.read(lambda tx, seconds=seconds: tx.fetch(slow, (seconds,))[0][0]) for seconds in (1.0, 0.0))
        one, other = await asyncio.gather(*reads)
        return one, other

    reading = asyncio.create_task(both())
    await until_async(lambda: asyncio.to_thread(other.read_now, _is_somebody_asleep))
    await other.write(make_older)
    assert not reading.done()
    assert await reading == (50, 50)
    assert await store.read(age) == 51


def _is_somebody_asleep(tx: Read) -> bool:
    asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    return bool(tx.fetch(asleep, ()))


async def test_a_connection_that_was_ended_costs_nobody_an_answer(store: Store, other: Store) -> None:
    for _ in range(3):
        assert await store.read(age) == 50
        other.read_now(_end_all_others)
        assert await asyncio.gather(store.read(age), store.read(age, 2)) == [50, 50]


def _end_all_others(tx: Read) -> None:
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    tx.fetch(f"SELECT pg_terminate_backend(pid) {others}", ())


async def test_a_connection_that_ends_amid_an_answer_is_replaced(store: Store, other: Store) -> None:
    slow = "SELECT age FROM people, pg_sleep(1) WHERE id = %s"
    reading = asyncio.create_task(store.read(lambda tx: tx.fetch(slow, (1,))[0][0]))
    await until_async(lambda: asyncio.to_thread(other.read_now, _is_somebody_asleep))
    other.read_now(_end_all_others)
    assert await reading == 50


async def test_without_a_database_there_is_an_error_and_with_it_answers_again(store: Store, postgres_url: str) -> None:
    assert await store.read(age) == 50
    database = make_url(postgres_url).database
    with psycopg.connect(postgres_url, dbname="postgres", user="postgres", autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false'.encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
        with pytest.raises(StoreUnavailable):
            await store.read(age)
        connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true'.encode())
    assert await store.read(age) == 50


async def test_one_that_is_wrong_spoils_nothing_for_others(store: Store) -> None:
    named = "SELECT id FROM people WHERE name = %s"
    found = await asyncio.gather(
        store.read(age),
        store.read(lambda tx: tx.fetch(named, ("\0",))),
        store.read(lambda tx: tx.fetch("SELECT 1 / (age - %s) FROM people", (50,))),
        store.read(age, 2),
        return_exceptions=True,
    )
    assert [found[0], found[3]] == [50, 50]
    assert [type(error) for error in found[1:3]] == [exc.DataError, exc.DataError]


async def test_what_is_never_cached_is_read_all_the_same(store: Store) -> None:
    ids = [
        row[0] for row in await store.read(lambda tx: tx.fetch("SELECT id FROM people WHERE id = ANY(%s)", ([1, 2],)))
    ]
    assert sorted(ids) == [1, 2]
    assert await store.read(lambda tx: tx.value(shelf.people.select().with_only_columns(shelf.people.c.age))) == 50
    many = "SELECT * FROM generate_series(1, %s)"
    assert len(await store.read(lambda tx: tx.fetch(many, (LONGEST + 1,)))) == LONGEST + 1

    def chain(tx: Read) -> int:
        return sum(tx.fetch("SELECT %s::bigint", (number,))[0][0] for number in range(100))

    assert await store.read(chain) == sum(range(100))


async def test_more_statements_than_stay_prepared(store: Store) -> None:
    for number in [*range(MOST_PREPARED + 40), *range(40)]:
        assert await store.read(
            lambda tx, at=number: tx.fetch(f"SELECT age + {at} FROM people WHERE id = %s", (1,))
        ) == [(50 + number,)]
    prepared: Any = await store.read(lambda tx: tx.fetch("SELECT count(*) FROM pg_prepared_statements", ()))
    assert 1 < prepared[0][0] <= MOST_PREPARED + 1


async def test_parameters_that_are_equal_in_python_are_told_apart(store: Store) -> None:
    typed = "SELECT pg_typeof(%s)::text, %s %% 7"
    assert await store.read(lambda tx: tx.fetch(typed, (True, 8))) == [("boolean", 1)]
    assert await store.read(lambda tx: tx.fetch(typed, (1, 8))) == [("smallint", 1)]
