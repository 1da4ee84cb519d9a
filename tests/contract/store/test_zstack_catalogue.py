"""Whatever is asked of the catalogue's real models: the databases answer what plain Python makes of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import BigInteger, Boolean, Integer, Table, insert

from tests.builders import START
from tests.contract.store.test_zstack_queries import LITERALS, PATTERNS, TEXTS, compares
from tests.rollback import rolled_back
from trivium.base.caller import SYSTEM, Caller, Role
from trivium.base.clock import SystemClock
from trivium.base.query import Op, Query
from trivium.dialects.zstack import INVENTORIES, queries
from trivium.dialects.zstack.conditions import WORDS, Comparison, Grammar
from trivium.dialects.zstack.inventories import Catalogue, Inventory, Kind, Member
from trivium.resources import models, owning, projects, services, stores
from trivium.resources.marks.table import marks
from trivium.resources.projects.table import projects as projects_table
from trivium.store import Store, Write
from trivium.store.columns import Instant, Uuid16

Row = dict[str, Any]
World = dict[str, list[Row]]

CATALOGUE = Catalogue(INVENTORIES)
GRAMMAR = Grammar(catalogue=CATALOGUE, utc_offset=timedelta(hours=8))
MODEL = CATALOGUE.of("Model")
PROJECT = 7
ADMIN = Caller(user=1, user_name="admin", project=PROJECT, role=Role.ADMIN)
UUIDS = [UUID(int=(number << 124) | (4 << 76) | (8 << 60) | number) for number in (0, 1, 9, 10, 15)]
UUID_TEXTS = some.sampled_from([uuid.hex for uuid in UUIDS] + [UUIDS[1].hex.upper(), "1", "g", ""])
TIMES = [datetime(2025, 11, 4, 10, 20, 7, tzinfo=UTC), datetime(2025, 11, 4, 10, 20, 8, 5, UTC), START]
VALUES: dict[Kind, some.SearchStrategy[Any]] = {
    Kind.STRING: TEXTS,
    Kind.UUID: some.sampled_from(UUIDS),
    Kind.LONG: some.sampled_from([0, 1, 12, (1 << 63) - 1]),
    Kind.INTEGER: some.sampled_from([0, 1000, 12]),
    Kind.BOOLEAN: some.booleans(),
    Kind.TIMESTAMP: some.sampled_from(TIMES),
    Kind.LIST: some.sampled_from(["1", "1,2", "12,4", "2,1"]),
}
TABLES: dict[str, tuple[Inventory, Table]] = {
    "models": (MODEL, models.models),
    "stores": (CATALOGUE.of("ModelCenter"), stores.stores),
    "services": (CATALOGUE.of("ModelService"), services.services),
    "refs": (CATALOGUE.of("ModelServiceRef"), services.refs),
    "groups": (CATALOGUE.of("ModelServiceInstanceGroup"), services.groups),
}
RELATED = {
    ("models", "store"): ("stores", "store_uuid", "uuid"),
    ("models", "refs"): ("refs", "uuid", "model_uuid"),
    ("models", "groups"): ("groups", "uuid", "model_uuid"),
    ("refs", "service"): ("services", "service_uuid", "uuid"),
    ("services", "store"): ("stores", "store_uuid", "uuid"),
    ("services", "groups"): ("groups", "uuid", "service_uuid"),
    ("stores", "models"): ("models", "uuid", "store_uuid"),
}
PATHS = [
    *(name for name, member in MODEL.members.items() if member.kind is not Kind.OBJECTS),
    *(f"modelCenter.{name}" for name in ("name", "status", "managementPort", "description", "createDate")),
    *(f"modelServiceRefs.{name}" for name in ("isDefault", "modelServiceUuid")),
    *(f"modelService.{name}" for name in ("type", "source", "framework", "system", "size")),
    *(f"modelServiceInstanceGroup.{name}" for name in ("name", "status", "modelServiceType")),
    *("modelService.modelCenter.name", "modelCenter.model.name", "modelService.modelServiceInstanceGroup.status"),
    *("__userTag__", "modelCenter.__userTag__"),
]
same = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store."""
    opened = Store.open(database_url, SystemClock(), "cli")
    opened.write_now(_make_project)
    yield opened
    opened.close()


def _make_project(tx: Write) -> None:
    domain = projects.ensure_domain(tx, SYSTEM)
    whose = {"id": PROJECT, "uuid": UUID(int=PROJECT), "domain_id": domain.id, "owner_id": 1}
    tx.run(insert(projects_table).values(name="models", enabled=True, created_at=START, **whose))


def rows_of(place: str, most: int) -> some.SearchStrategy[list[Row]]:
    inventory, table = TABLES[place]
    fields = {
        member.field: value_of(member) if not table.c[member.field].nullable else some.none() | value_of(member)
        for member in inventory.members.values()
        if member.field in table.c
    }
    rows = some.lists(some.fixed_dictionaries(fields), max_size=most, unique_by=lambda row: row["uuid"])
    return rows.map(lambda found: [{**row, "id": number} for number, row in enumerate(found, 1)])


def value_of(member: Member) -> some.SearchStrategy[Any]:
    return some.sampled_from([*member.words.values()]) if member.words else VALUES[member.kind]


def bound_once(rows: list[Row]) -> list[Row]:
    """Bindings as they can be: a pair once, and no model with two defaults."""
    pairs = {(row["model_uuid"], row["service_uuid"]): row for row in rows}
    seen: set[UUID] = set()
    kept = []
    for row in pairs.values():
        kept.append({**row, "is_default": row["is_default"] and row["model_uuid"] not in seen})
        seen |= {row["model_uuid"]} if row["is_default"] else set()
    return kept


LABELS = some.fixed_dictionaries({"thing_uuid": some.sampled_from(UUIDS), "tag": some.sampled_from(["a", "B", "aB"])})
WORLDS = some.fixed_dictionaries(
    {
        "models": rows_of("models", 5),
        "stores": rows_of("stores", 2),
        "services": rows_of("services", 3),
        "refs": rows_of("refs", 4).map(bound_once),
        "groups": rows_of("groups", 2),
        "labels": some.lists(LABELS, max_size=3, unique_by=lambda row: (row["thing_uuid"], row["tag"])),
    }
)


@some.composite
def comparisons(draw: some.DrawFn) -> Comparison:
    name = draw(some.sampled_from(PATHS))
    member = member_of(name)
    ops = [op for op in WORDS.values() if member.kind is not Kind.BOOLEAN or op not in (Op.LIKE, Op.NOT_LIKE)]
    op = draw(some.sampled_from(ops))
    if op in (Op.NULL, Op.NOT_NULL):
        return Comparison(name=name, op=op)
    words: list[str] = [*(member.words or {}), "x", "C%", "running"]
    own = {Kind.WORD: some.sampled_from(words), Kind.UUID: UUID_TEXTS}
    literals = own.get(member.kind, LITERALS[member.kind])
    if op in (Op.IN, Op.NOT_IN):
        return Comparison(name=name, op=op, value=tuple(draw(some.lists(literals, min_size=1, max_size=3))))
    patterns = PATTERNS if op in (Op.LIKE, Op.NOT_LIKE) and member.kind in PATTERNS else {member.kind: literals}
    return Comparison(name=name, op=op, value=draw(patterns[member.kind]))


def member_of(name: str) -> Member:
    if name.endswith("__"):
        return Member(name=name, kind=Kind.STRING, field="tag")
    found = CATALOGUE.place(MODEL, name)
    return found.inventory.member(found.last)


@same
@given(world=WORLDS, asked=some.lists(comparisons(), min_size=1, max_size=3))
def test_conditions_find_what_plain_python_finds(store: Store, world: World, asked: list[Comparison]) -> None:
    wanted = {row["uuid"] for row in world["models"] if all(holds(world, row, each) for each in asked)}
    texts = [{"name": each.name, "op": each.op.value, "value": each.value} for each in asked]
    for text in texts:
        text["value"] = list(text["value"]) if isinstance(text["value"], tuple) else text["value"]
    query = queries.of_message(GRAMMAR, MODEL, {"conditions": texts, "replyWithCount": True}).query

    def look(tx: Write) -> None:
        fill(tx, world)
        found = models.LISTING.page(tx, ADMIN, query)
        assert {model.uuid for model in found.rows} == wanted
        assert found.total == len(wanted)
        times = [(row["created_at"], row["uuid"].bytes) for row in world["models"] if row["uuid"] in wanted]
        assert [(model.created_at, model.uuid.bytes) for model in found.rows] == sorted(times)

    rolled_back(store, look)


@same
@given(world=WORLDS, name=some.sampled_from([*MODEL.members]), descending=some.booleans())
def test_every_order_is_one_by_the_values_with_nulls_at_the_low_end(
    store: Store, world: World, name: str, *, descending: bool
) -> None:
    member = MODEL.member(name)
    if member.kind is Kind.OBJECTS:
        return
    order = queries.order(MODEL, [(name, descending)])

    def look(tx: Write) -> None:
        fill(tx, world)
        found = models.LISTING.page(tx, ADMIN, Query(order=order, utc_offset=GRAMMAR.utc_offset)).rows
        by_uuid = {row["uuid"]: row for row in world["models"]}
        nulls = [by_uuid[model.uuid].get(member.field, 1000) is None for model in found]
        assert nulls == sorted(nulls, reverse=not descending)
        assert len(found) == len(world["models"])

    rolled_back(store, look)


def holds(world: World, row: Row, comparison: Comparison) -> bool:
    """Whether a model satisfies the comparison: whether what is there at the end of the path does."""
    place, here, reached = "models", MODEL, [row]
    *steps, last = comparison.name.split(".")
    for step in steps:
        link = here.links[step]
        here = CATALOGUE.of(link.to)
        for hop in link.path.split("."):
            place, ours, theirs = RELATED[place, hop]
            reached = [other for one in reached for other in world[place] if other[theirs] == one[ours]]
    if last == "__userTag__":
        return any(is_tagged(world, one, comparison) for one in reached)
    member = here.member(last)
    return any(compares(member, one.get(member.field, models.SAMPLE_SIZE), comparison) for one in reached)


def is_tagged(world: World, row: Row, comparison: Comparison) -> bool:
    tag = Member(name="tag", kind=Kind.STRING, field="tag")
    positive = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_LIKE: Op.LIKE, Op.NULL: Op.NOT_NULL}.get(comparison.op)
    asked = Comparison(name=comparison.name, op=positive or comparison.op, value=comparison.value)
    tags = [label["tag"] for label in world["labels"] if label["thing_uuid"] == row["uuid"]]
    return any(compares(tag, text, asked) for text in tags) is (positive is None)


def fill(tx: Write, world: World) -> None:
    """Put the rows into the tables, with something where nothing is told and something must be."""
    for place, (_, table) in TABLES.items():
        for row in world[place]:
            put(tx, table, row)
    for number, label in enumerate(world["labels"], 1):
        put(tx, marks, {"id": number, "uuid": UUID(int=number), "type": "user", "kind": "model", **label})


def put(tx: Write, table: Table, row: Row) -> None:
    whole = {**{c.key: something(c) for c in table.c if not c.nullable and c.server_default is None}, **row}
    tx.run(insert(table).values(owning.folded_values(table, {k: v for k, v in whole.items() if k in table.c})))


def something(column: Any) -> Any:
    known = {"project_id": PROJECT, "status": "ready"}
    if column.key in known:
        return known[column.key]
    if isinstance(column.type, (BigInteger, Integer)):
        return 0
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Uuid16):
        return UUIDS[0]
    return START if isinstance(column.type, Instant) else "[]"
