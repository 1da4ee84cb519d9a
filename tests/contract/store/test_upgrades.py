"""A database of the first schema, with what people had in it, brought to the newest: as if it had always been so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, func, select, text, update

from tests import schema
from tests.contract.store.test_grams_schema import declared
from tests.upgrading import upgraded
from trivium.base.caller import Caller, Role
from trivium.base.clock import EPOCH, SystemClock
from trivium.base.ids import SNOWFLAKE_EPOCH
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.base.text import fold
from trivium.resources import images, nodes, notebooks, pools
from trivium.resources.images.table import images as image_table
from trivium.resources.notebooks.table import notebooks as table
from trivium.resources.samples import samples
from trivium.store import Flavour, Read, Store, Write, counters
from trivium.store.database import WRITING, engine_for
from trivium.store.grams import Grams, backfill

PROJECTS = (11, 12, 13)
MOST = 1500  # so that several blocks are made, and one owner has more than are counted
NODES = 500  # of two pools, so that each has several blocks
NAMES = (
    "Diffusion-训练",
    "straße ÜBER alles",
    "данные и Модели",
    "データ解析ﾊﾝｶｸ",
    "بيانات",
    "İstanbul Σίσυφος",
    "😀 100%_x\\y",
    "e\u0301tude",
    "ab",
)
OWNERS = ("alice", "Bob", "ÄNNE", "İpek", "王芳")
STATES = (  # what was asked, what is found, what is shown, whether it is listed and settled
    ("running", "running", "running", True, False),
    ("running", "failed", "failed", True, True),
    ("stopped", "stopped", "stopped", True, True),
    ("running", "nothing", "creating", True, False),
    ("deleted", "running", "deleting", False, False),
    ("deleted", "gone", "deleted", False, True),
)
FOLDED = (
    *(("owner_name", term) for term in ("LIC", "änn", "İ", "芳", "x")),
    *(("image_path", term) for term in ("REGISTRY", "/Änne/", "lab:2")),
)
TERMS = (
    "diffusion",
    "训练",
    "训",
    "STRASSE",
    "модел",
    "ハンカク",
    "نات",
    "σίσ",
    "%_",
    "étude",
    "1",
    "ab 4",
    "nothing such",
)


def owner_of(number: int) -> int:
    return 21 if number % 7 else 22


def rows(number: int) -> dict[str, Any]:
    """The notebook of that number, as the first schema has it."""
    wanted, found, status, listed, settled = STATES[number % len(STATES)]
    name = f"{NAMES[number % len(NAMES)]} {number}"
    of = {
        "project_id": PROJECTS[number * 7 // 5 % 3],
        "owner_id": owner_of(number),
        "pool_id": 31,
        "image_id": 41 + number % 2,
    }
    shown = {"name": name, "name_folded": fold(name), "status": status, "listed": listed, "mounts": "[]"}
    owner = OWNERS[number % len(OWNERS)]
    shown |= {"owner_name": owner, "image_path": f"Registry.test/cpu/{owner}/base/lab:{number % 3}"}
    return {"id": 1000 + number, **of, **shown, "node_id": None, "wanted": wanted, "found": found, "settled": settled}


def version(number: int) -> dict[str, Any]:
    """An image: public, a project's own, or removed."""
    name = f"jupyterlab-{('diffusion', 'torch')[number % 2]}:{number}"
    of = {"project_id": PROJECTS[number % 3], "owner_id": 21, "path": f"path-{number}", "status": "active"}
    shown = {"version": name, "version_folded": fold(name), "visibility": ("public", "project")[number % 2]}
    gone = {"deleted_at": number if number % 5 == 0 else None, "layers": "[]", "command": "[]", "environment": "/e"}
    return {"id": 41 + number, **of, **shown, **gone, "reason": None, "notebook_id": None}


def machine(number: int) -> dict[str, Any]:
    """A node, with the id of a millisecond of its own."""
    told = {"id": number + 1 << 22, "pool_id": 31 + number % 2, "host": f"host-{number}", "ready": number % 3 > 0}
    return told | {"millicores": 8000, "memory": 64, "held_millicores": 1000, "held_memory": 8}


@pytest.fixture
def store(empty_database_url: str) -> Iterator[Store]:
    """A store whose database was made by the first schema, and opened by this program."""
    schema.declare_all()
    engine = engine_for(empty_database_url)
    with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
        upgraded(connection, "0001")
        add(connection, "domains", [{"id": 1}])
        add(connection, "projects", [{"id": id, "domain_id": 1} for id in PROJECTS])
        own = {"domain_id": 1, "default_project_id": 11, "deleted_at": None}
        add(connection, "users", [{"id": id, **own} for id in (21, 22, 23)])
        add(connection, "pools", [{"id": 31, "project_id": None}, {"id": 32, "project_id": 12, "created_at": 5}])
        add(connection, "nodes", [machine(number) for number in range(NODES)])
        add(connection, "images", [version(number) for number in range(20)])
        add(connection, "notebooks", [rows(number) for number in range(MOST)])
    engine.dispose()
    opened = Store.open(empty_database_url, SystemClock(), "cli")
    yield opened
    opened.close()


def add(connection: Connection, name: str, told: Sequence[dict[str, Any]]) -> None:
    """Rows with something in each column that none of them tells."""
    there = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
    for row in told:
        for column in there.columns:
            if column.name not in row:
                row[column.name] = None if column.nullable else _something(column.type.python_type, row["id"])
    connection.execute(there.insert(), list(told))


def _something(kind: type, number: int) -> object:
    return {str: f"x{number}", bool: False, bytes: number.to_bytes(16)}.get(kind, number)


def test_counters_are_those_of_a_recount(store: Store) -> None:
    def look(tx: Write) -> None:
        for counted in counters.all_counted():
            tables = [counted.changes, *(total.table for total in counted.totals)]
            tables += [counted.blocks.table] if counted.blocks else []
            upgraded = [sorted(map(tuple, tx.all(select(one)))) for one in tables]
            assert any(upgraded) or counted.table is samples  # of which the first tables knew none
            counters.recount(tx, counted)
            assert upgraded == [sorted(map(tuple, tx.all(select(one)))) for one in tables]

    store.write_now(look)


def test_indexes_of_grams_are_those_of_the_rows(store: Store) -> None:
    def look(tx: Write) -> None:
        for grams in declared():
            upgraded = content(tx, grams)
            assert upgraded
            clear = f"INSERT INTO {grams.index}({grams.index}) VALUES ('delete-all')"
            tx.run(text(clear if tx.flavour is Flavour.SQLITE else f"DELETE FROM {grams.index}"))
            assert content(tx, grams) == []
            for statement in backfill(grams, tx.flavour):
                tx.connection.exec_driver_sql(statement.replace("%", "%%"))
            assert content(tx, grams) == upgraded

    store.write_now(look)


def content(tx: Read, grams: Grams) -> list[tuple[Any, ...]]:
    """All that the index holds."""
    if tx.flavour is Flavour.POSTGRESQL:
        return sorted(map(tuple, tx.all(text(f"SELECT id, part, folded FROM {grams.index}"))))
    words = f"{grams.index}_words"
    tx.connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{words} USING fts5vocab(main, {grams.index}, instance)"
    )
    return sorted(map(tuple, tx.all(text(f'SELECT doc, "offset", term FROM temp.{words}'))))


def test_revisions_begin_and_move(store: Store) -> None:
    def look(tx: Write) -> None:
        assert tx.value(select(func.sum(table.c.revision))) == MOST
        tx.run(update(table).where(table.c.id == 1000).values(kind="other"))
        assert tx.value(select(func.sum(table.c.revision))) == MOST + 1

    store.write_now(look)


def test_lists_and_counts_are_what_was_there(store: Store) -> None:
    for project in PROJECTS:
        caller = Caller(user=21, user_name="x21", project=project, role=Role.MEMBER)
        see_notebooks(store, caller)
        see_images(store, caller)
    every = [rows(number)["status"] for number in range(MOST)]
    there = {status: every.count(status) for status in set(every) - {"deleted"}}
    assert store.read_now(notebooks.by_status) == there


def test_what_users_hold_is_what_was_there_and_is_not_gone(store: Store) -> None:
    few = sum(row["found"] != "gone" for row in map(rows, range(MOST)) if row["owner_id"] == 22)
    holds = notebooks.NotebookHoldings()
    told = [store.read_now(holds.held_by, user) for user in (21, 22, 23)]
    assert told == ["more than 1000 notebooks", f"{few} notebooks", None]


def test_images_are_grouped_by_name_and_say_what_they_are(store: Store) -> None:
    there = [row for row in map(version, range(20)) if row["deleted_at"] is None]

    def look(tx: Read) -> None:
        found = {row.id: row for row in tx.all(select(image_table))}
        for row in there:
            image = found[row["id"]]
            assert (image.refers_to, image.suits, image.chip) == (None, "[]", "")
            assert (image.purpose, image.origin) == ("development", "saved")
            caller = Caller(user=21, user_name="x21", project=row["project_id"], role=Role.MEMBER)
            (group,) = images.list_groups(tx, caller, images.GroupQuery(name=image.name)).rows
            assert (group.id, group.versions, group.namespace) == (image.group_id, 1, image.namespace)
        assert [found[41 + number].group_id for number in range(0, 20, 5)] == [None] * 4

    store.search_now(look)


def test_nodes_are_machines_and_are_listed_as_such(store: Store) -> None:
    def look(tx: Read) -> None:
        mine = [number for number in range(NODES) if number % 2]
        found = nodes.list_nodes(tx, 32, Query(order=(Order("id"),), page=Offset(limit=20)))
        assert (found.total, found.remaining) == (len(mine), len(mine) - 20)
        first = found.rows[0]
        assert (first.parent, first.node_pool, first.cordoned, first.locked, first.cards) == (None, None, False, (), 0)
        assert (first.millicores, first.held_millicores, first.sliced_millicores) == (8000, 1000, 0)
        assert [node.created_at for node in found.rows] == [
            EPOCH + timedelta(milliseconds=SNOWFLAKE_EPOCH + number + 1) for number in mine[:20]
        ]
        ready = [nodes.count(tx, 32, ready=which) for which in (True, False)]
        assert ready == [sum(number % 3 > 0 for number in mine), sum(number % 3 == 0 for number in mine)]

    store.search_now(look)


def test_pools_keep_what_they_were_called_and_whose_they_are(store: Store) -> None:
    caller = Caller(user=21, user_name="x21", project=12, role=Role.MEMBER)
    first, second = store.read_now(pools.visible, caller)
    assert (first.name, first.title, first.project, first.phase) == ("x31", "default", None, "running")
    assert (second.name, second.title, second.project, second.changed_at) == ("x32", "x32", 12, second.created_at)
    assert second.details == pools.PoolDetails()
    assert store.read_now(notebooks.NotebookOccupants().in_pool, 31) == "more than 1000 notebooks"
    assert store.read_now(notebooks.NotebookOccupants().in_pool, 32) is None


def see_notebooks(store: Store, caller: Caller) -> None:
    """Page by page, by status and by words."""
    mine = [row for row in map(rows, reversed(range(MOST))) if row["project_id"] == caller.project and row["listed"]]

    def told(where: tuple[Condition, ...] = (), offset: int = 0) -> tuple[list[int], int | None]:
        page = Query(where=where, page=Offset(limit=7, offset=offset))
        found = store.search_now(notebooks.list_notebooks, caller, page)
        return [row.id for row in found.rows], found.total

    for offset in range(0, len(mine) + 7, 7):
        assert told(offset=offset) == ([row["id"] for row in mine[offset : offset + 7]], len(mine))
    for status in ("running", "failed", "deleted"):
        of_it = [row["id"] for row in mine if row["status"] == status]
        assert told((Condition(field="status", op=Op.EQ, value=status),)) == (of_it[:7], len(of_it))
    for field, term in FOLDED:
        holding = [row["id"] for row in mine if fold(term) in fold(row[field])]
        assert told((Condition(field=field, op=Op.CONTAINS, value=term),)) == (holding[:7], len(holding))
    everything = [row["id"] for row in mine]
    for field, value in (("feature", "ordinary"), ("workspace", 0)):
        assert told((Condition(field=field, op=Op.EQ, value=value),)) == (everything[:7], len(everything))
    assert told((Condition(field="feature", op=Op.EQ, value="free"),)) == ([], 0)
    for term in TERMS:
        holding = [row["id"] for row in mine if fold(term) in row["name_folded"]]
        assert told((Condition(field="name", op=Op.CONTAINS, value=term),)) == (holding[:7], len(holding))


def see_images(store: Store, caller: Caller) -> None:
    """The public ones and the project's own, by a word."""
    holding = [
        row["id"]
        for row in map(version, reversed(range(20)))
        if row["deleted_at"] is None
        and (row["visibility"] == "public" or row["project_id"] == caller.project)
        and "diffusion" in row["version"]
    ]
    asked = Query(where=(Condition(field="version", op=Op.CONTAINS, value="Diffusion"),), page=Offset(limit=50))
    found = store.search_now(images.list_images, caller, asked)
    assert ([row.id for row in found.rows], found.total) == (holding, len(holding))
    assert {(row.namespace, row.workspace) for row in found.rows} == {(row.owner_name, 0) for row in found.rows}
