"""Counters: whatever is written, by whomever, they say what counting would; far pages are those that a walk finds."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Executable,
    Index,
    Integer,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy import text as text_of
from sqlalchemy import update as update_of

from tests.rollback import rolled_back
from trivium.base.clock import SystemClock
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.resources.notebooks.table import COUNTED as NOTEBOOKS_COUNTED
from trivium.store import Field, Flavour, Read, Resource, Store, Write, counters, fields, migrations, query
from trivium.store.columns import text
from trivium.store.counters import Counted, recounting, total_for
from trivium.store.database import engine_for

KINDS = ("cup", "jar", "pot")
tables = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s"})
things = Table(
    "things",
    tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("room", Integer, nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("kind", text(), nullable=False),
    Column("colour", text()),
    Index(None, "room", "kept", "kind", "id"),
)
COUNTED = Counted(things, (("room", "kept", "kind"), ("kind",)), within=("room", "kept"), by=("kind",), sizes=(2, 6))
THINGS = Resource(
    "thing",
    things,
    (
        Field("id", fields.integer, things.c.id),
        Field("kind", fields.enum(KINDS), things.c.kind),
        Field("colour", fields.text, things.c.colour),
    ),
    counted=COUNTED,
)
IN_ROOM = query.Scope((things.c.room == bindparam("room")) & things.c.kept)

IDS = some.integers(1, 60)
VALUES = {"room": some.integers(1, 2), "kept": some.booleans(), "kind": some.sampled_from(KINDS)}
ACTS = some.lists(
    some.one_of(
        some.tuples(some.just("add"), some.lists(IDS, max_size=30), some.fixed_dictionaries(VALUES)),
        some.tuples(some.just("change"), some.lists(IDS, max_size=30), some.fixed_dictionaries({}, optional=VALUES)),
        some.tuples(some.just("remove"), some.lists(IDS, max_size=30), some.just({})),
        some.tuples(some.just("fold"), some.just([]), some.just({})),
    ),
    max_size=12,
)
WHERE = some.sampled_from([(), ("cup",), ("cup", "pot")]).map(
    lambda kinds: (Condition(field="kind", op=Op.IN, value=kinds),) if kinds else ()
)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store.open(database_url, SystemClock(), "cli")
    opened.write_now(lambda tx: tables.create_all(tx.connection))
    yield opened
    opened.close()


def undone(store: Store, use: Callable[[Write], None]) -> None:
    """Do it on one snapshot, as folding demands, and roll it back."""

    def on_one_snapshot(tx: Write) -> None:
        if tx.flavour is Flavour.POSTGRESQL:
            tx.connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        use(tx)

    rolled_back(store, on_one_snapshot)


def act(tx: Write, verb: str, ids: Iterable[int], values: dict[str, Any]) -> None:
    if verb == "fold":
        assert counters.fold(tx, COUNTED)
    there = set(tx.connection.execute(select(things.c.id)).scalars())
    if verb == "add":
        for id in sorted(set(ids) - there):
            tx.run(insert(things).values(id=id, **values))
    elif verb == "change" and values:
        tx.run(update_of(things).where(things.c.id.in_(list(ids))).values(**values))
    elif verb == "remove":
        tx.run(delete(things).where(things.c.id.in_(list(ids))))


def wrong(tx: Read) -> list[str]:
    """Where the counters differ from what counting gives."""
    found: list[str] = []
    for total in COUNTED.totals:
        own = [things.c[name] for name in total.columns]
        counted = {tuple(row[:-1]): row[-1] for row in tx.all(select(*own, func.count()).group_by(*own))}
        kept = dict.fromkeys(counted, 0)
        for table, column in ((total.table, "number"), (COUNTED.changes, "change")):
            for row in tx.all(select(*(table.c[name] for name in total.columns), table.c[column])):
                kept[tuple(row[:-1])] = kept.get(tuple(row[:-1]), 0) + row[-1]
        if {key: number for key, number in kept.items() if number} != counted:
            found.append(f"{total.table.name}: {kept} and there are {counted}")
    return found


same = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@same
@given(acts=ACTS)
def test_counters_say_what_counting_says_after_whatever_was_written(
    store: Store, acts: list[tuple[str, list[int], dict[str, Any]]]
) -> None:
    def look(tx: Write) -> None:
        for verb, ids, values in acts:
            act(tx, verb, ids, values)
            assert wrong(tx) == []

    undone(store, look)


@same
@given(acts=ACTS, where=WHERE, descending=some.booleans())
def test_a_page_by_any_offset_is_the_one_that_a_walk_finds(
    store: Store,
    acts: list[tuple[str, list[int], dict[str, Any]]],
    where: tuple[Condition, ...],
    descending: bool,
) -> None:
    kinds = where[0].value if where else KINDS
    assert isinstance(kinds, tuple)

    def look(tx: Write) -> None:
        act(tx, "add", range(1, 61, 2), {"room": 1, "kept": True, "kind": "cup"})
        act(tx, "fold", (), {})  # so that what comes next waits beside blocks
        for verb, ids, values in acts:
            act(tx, verb, ids, values)
        own = (things.c.room == 1, things.c.kept, things.c.kind.in_(kinds))
        wanted = sorted(tx.connection.execute(select(things.c.id).where(*own)).scalars(), reverse=descending)
        for offset in range(len(wanted) + 3):
            asked = Query(
                where=where, order=(Order(field="id", descending=descending),), page=Offset(limit=3, offset=offset)
            )
            found = query.page(tx, THINGS, asked, scope=(IN_ROOM.of(room=1),))
            assert ([row.id for row in found.rows], found.total) == (wanted[offset : offset + 3], len(wanted))

    undone(store, look)


def test_blocks_stay_small_whatever_the_order_of_the_ids(store: Store) -> None:
    ids = list(range(1, 200))
    random.Random(7).shuffle(ids)

    def fill(tx: Write) -> None:
        for id in ids:
            tx.run(insert(things).values(id=id, room=1, kept=True, kind=KINDS[id % 3]))
            if id % 5 == 0:
                counters.fold(tx, COUNTED)
        counters.fold(tx, COUNTED)
        assert COUNTED.blocks is not None
        block = COUNTED.blocks.table.c
        sums = select(block.level, block.first, func.sum(block.number).label("rows"))
        for row in tx.all(sums.group_by(block.level, block.first)):
            assert row.rows <= 2 * COUNTED.blocks.sizes[row.level], row.first

    undone(store, fill)


def test_what_is_rolled_back_counts_nothing(store: Store) -> None:
    undone(store, lambda tx: act(tx, "add", range(1, 9), {"room": 1, "kept": True, "kind": "cup"}))
    total = total_for(COUNTED, (things.c.room == 1, things.c.kept))
    assert total is not None
    assert store.read_now(lambda tx: tx.value(total)) == 0
    assert store.read_now(wrong) == []


def test_a_recount_gives_what_the_triggers_gave(store: Store) -> None:
    def fill(tx: Write) -> None:
        for id in range(1, 100):
            tx.run(insert(things).values(id=id, room=id % 4, kept=id % 7 > 0, kind=KINDS[id % 3]))
        counters.recount(tx, COUNTED)
        assert wrong(tx) == []
        assert tx.value(select(func.count()).select_from(COUNTED.changes)) == 0
        for room in range(4):
            walked = [
                query.page(tx, THINGS, Query(page=Offset(limit=1, offset=at)), scope=(IN_ROOM.of(room=room),)).rows
                for at in range(30)
            ]
            wanted = [id for id in range(99, 0, -1) if id % 4 == room and id % 7 > 0]
            assert [row.id for rows in walked for row in rows] == wanted

    undone(store, fill)


def test_only_questions_about_counted_columns_are_answered_by_counters(store: Store) -> None:
    store.write_now(lambda tx: act(tx, "add", range(1, 9), {"room": 1, "kept": True, "kind": "cup"}))

    def total(*clauses: ColumnElement[bool]) -> int | None:
        statement = total_for(COUNTED, clauses)
        return None if statement is None else store.read_now(lambda tx: tx.value(statement))

    assert total(things.c.room == 1, things.c.kept) == 8
    assert total(things.c.room == 2, things.c.kept) == 0
    assert total() == 8
    assert total(things.c.kind != "cup") == 0
    assert total(things.c.colour.is_(None)) is None
    assert total(things.c.id > 4) is None
    assert total(things.c.id.in_(select(things.c.room))) is None


@pytest.mark.postgresql
def test_writers_and_folders_at_once_lose_nothing_and_stand_in_nobodys_way(postgres_url: str) -> None:
    store = Store.open(postgres_url, SystemClock(), "cli")
    try:
        store.write_now(lambda tx: tables.create_all(tx.connection))
        with ThreadPoolExecutor(8) as pool:
            writing = [pool.submit(_write, store, number) for number in range(6)]
            folding = [pool.submit(_fold, store, writing) for _ in range(2)]
            for done in (*writing, *folding):
                done.result()
        store.write_now(counters.fold, COUNTED)
        assert store.read_now(wrong) == []
        assert store.read_now(lambda tx: counters.waiting(tx, COUNTED)) == 0
        kept = store.read_now(lambda tx: [row.id for row in tx.all(select(things.c.id).where(things.c.kept))])
        found = [
            row.id
            for room in range(3)
            for at in range(0, len(kept), 10)
            for row in store.read_now(_page, room=room, offset=at).rows
        ]
        assert sorted(found) == sorted(kept)
    finally:
        store.close()


def _page(tx: Read, *, room: int, offset: int) -> query.Found:
    return query.page(tx, THINGS, Query(page=Offset(limit=10, offset=offset)), scope=(IN_ROOM.of(room=room),))


def _write(store: Store, number: int) -> None:
    chosen = random.Random(number)
    for turn in range(40):
        values = {"room": chosen.randrange(3), "kept": True, "kind": chosen.choice(KINDS)}
        store.write_now(_run, insert(things).values(id=turn * 10 + number, **values))
        changed = {"kind": chosen.choice(KINDS), "kept": chosen.random() < 0.8}
        mine = chosen.randrange(turn + 1) * 10 + number
        store.write_now(_run, update_of(things).where(things.c.id == mine).values(**changed))


def _run(tx: Write, statement: Executable) -> None:
    tx.run(statement)


def _fold(store: Store, writing: list[Any]) -> None:
    while not all(done.done() for done in writing):
        store.write_now(counters.fold, COUNTED)


def test_the_schema_has_the_triggers_that_are_declared(database_url: str) -> None:
    engine = engine_for(database_url)
    with engine.connect() as connection:
        migrations.upgrade(connection)
    flavour = Flavour(engine.dialect.name)
    with engine.connect() as connection:
        for counted in counters.all_counted():
            name = counted.table.name
            declared = counted.ddl(flavour)
            names = [f"{name}_{verb}" for verb in ("come", "gone", "moved")]
            if flavour is Flavour.SQLITE:
                made = [_value(connection, "SELECT sql FROM sqlite_master WHERE name = :name", each) for each in names]
                assert tuple(made) == declared
                continue
            for each, function in zip(names, declared[::2], strict=True):
                assert _value(connection, "SELECT prosrc FROM pg_proc WHERE proname = :name", each) in function
                assert _value(connection, "SELECT tgenabled FROM pg_trigger WHERE tgname = :name", each)
    engine.dispose()


def test_the_migration_counted_what_was_there_as_a_recount_does() -> None:
    migration = importlib.import_module("trivium.store.migrations.versions.0011_notebooks")
    assert recounting.statements(NOTEBOOKS_COUNTED) == migration.COUNTS


def _value(connection: Connection, statement: str, name: str) -> Any:
    return connection.execute(text_of(statement), {"name": name}).scalar_one()
