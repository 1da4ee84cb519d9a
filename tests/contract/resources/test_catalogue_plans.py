"""How the databases carry out lists of the catalogue: nothing that is indexed is gone through whole, for anybody."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from tests.builders import START, Place
from trivium.base.caller import Caller
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.resources import datasets, marks, models, owning, services, stores
from trivium.resources.owning import EVERYBODY, Listing
from trivium.store import Flavour, Write

ROWS = 4000
MODELS = 12_000  # of which a member sees more than SQLite sorts for a page
PLACES = 1000
SEEN_BY_ALICE = [number for number in range(MODELS, 0, -1) if number % 2 == 0 or number % 10 == 1]
SCAN = re.compile(r"SCAN (?!led|picked)\w*|Seq Scan on \w+")


def uuid_of(number: int) -> UUID:
    return UUID(int=(number * 0x9E3779B97F4A7C15 % (1 << 64)) << 64 | number)


@pytest.fixture(scope="module")
def world(there: Place) -> tuple[Place, Caller]:
    """A site with so many rows that no plan goes through them without need, half of them a member's own."""
    alice, bob = there.user("alice"), there.user("bob")

    def fill(tx: Write) -> None:
        for table, rows in tables(alice, bob).items():
            for row in rows:
                row |= {
                    "created_at": START + timedelta(minutes=row["id"]),
                    "changed_at": START,
                    "uuid": uuid_of(row["id"]),
                }
            tx.connection.execute(insert(table), [owning.folded_values(table, row) for row in rows])
        if tx.flavour is Flavour.POSTGRESQL:
            tx.connection.execute(text("ANALYZE"))

    there.store.write_now(fill)
    return there, alice


def tables(alice: Caller, bob: Caller) -> dict[Any, list[dict[str, Any]]]:
    def own(number: int) -> dict[str, Any]:
        owner = (alice, bob)[number % 2].project
        return {"id": number, "project_id": owner, "audience": EVERYBODY if number % 10 == 1 else owner}

    plain = {
        "status": "ready",
        "type": "custom",
        "extra_gpu_memory": 0,
        "said": "[]",
        "version_key": "",
        "is_latest": True,
    }
    service = {
        "yaml": "x",
        "request_cpu": 1,
        "request_memory": 1,
        "type": "endpoint",
        "source": "other",
        "system": False,
    }
    numbers = range(1, ROWS + 1)
    return {
        stores.stores: [
            {**own(n), "name": f"Centre {n}", "url": f"/x{n}", "path": f"/x{n}", "state": "connected"}
            for n in range(1, PLACES + 1)
        ],
        models.models: [
            {
                **own(n),
                **plain,
                "store_uuid": uuid_of((n - 1) % PLACES + 1),
                "name": f"Qwen-{n}",
                "install_path": f"q{n}",
                "path": f"/x/q{n}",
                "model_id": f"M{n}",
                "size": n,
                "vendor": f"Vendor {n % 100}",
                "architecture": f"A{n % 100}",
                "pipeline_tag": f"T{n % 100}",
                "version_semver": f"{n}.0.0",
                "description": "x",
            }
            for n in range(1, MODELS + 1)
        ],
        services.services: [
            {
                **own(n),
                **service,
                "name": f"Service {n}",
                "store_uuid": uuid_of((n - 1) % PLACES + 1),
                "install_path": "x",
                "start_command": "x",
                "distributed": False,
                "framework": f"F{n % 1000}",
            }
            for n in numbers
        ],
        services.refs: [
            {**own(n), "model_uuid": uuid_of(n), "service_uuid": uuid_of(n), "is_default": True} for n in numbers
        ],
        services.groups: [
            {**own(n), "name": f"g{n}", "status": "running", "model_uuid": uuid_of(n), "service_uuid": uuid_of(n)}
            for n in numbers
        ],
        services.instances: [
            {**own(n), "group_uuid": uuid_of(n), "name": f"i{n}", "status": "running"} for n in numbers
        ],
        datasets.datasets: [
            {**own(n), "name": f"d{n}", "url": "/d", "store_uuid": uuid_of((n - 1) % PLACES + 1), "system": False}
            for n in numbers
        ],
        services.dataset_refs: [{**own(n), "group_uuid": uuid_of(n), "dataset_uuid": uuid_of(n)} for n in numbers],
        marks.MARKS.table: [
            {
                **own(n),
                "type": "user",
                "kind": "model",
                "thing_uuid": uuid_of(n),
                "tag": f"Tag-{n}",
                "pattern_uuid": uuid_of(n),
            }
            for n in numbers
        ],
    }


CONDITIONS: list[tuple[Listing[Any], str, Op, Any]] = [
    (models.LISTING, "uuid", Op.EQ, uuid_of(18)),
    (models.LISTING, "name", Op.EQ, "QWEN-18"),
    (models.LISTING, "name", Op.LIKE, "qwen-18%"),
    (models.LISTING, "vendor", Op.EQ, "vendor 8"),
    (models.LISTING, "architecture", Op.IN, ("a8", "a9")),
    (models.LISTING, "pipeline_tag", Op.EQ, "t8"),
    (models.LISTING, "version_semver", Op.EQ, "18.0.0"),
    (models.LISTING, "model_id", Op.EQ, "m18"),
    (models.LISTING, "size", Op.GT, MODELS - 20),
    (models.LISTING, "store_uuid", Op.EQ, uuid_of(18)),
    (models.LISTING, "store.name", Op.EQ, "centre 18"),
    (models.LISTING, "services.name", Op.EQ, "service 18"),
    (models.LISTING, "services.framework", Op.EQ, "f18"),
    (models.LISTING, "refs.service_uuid", Op.EQ, uuid_of(18)),
    (models.LISTING, "groups.name", Op.EQ, "g18"),
    (models.LISTING, "user_tags.tag", Op.EQ, "tag-18"),
    (models.LISTING, "user_tags.pattern_uuid", Op.EQ, uuid_of(18)),
    (models.LISTING, "created_at", Op.LT, START + timedelta(minutes=18)),
    (services.SERVICE_LISTING, "models.name", Op.EQ, "qwen-18"),
    (services.SERVICE_LISTING, "store.name", Op.EQ, "centre 18"),
    (services.GROUP_LISTING, "model.name", Op.EQ, "qwen-18"),
    (services.GROUP_LISTING, "datasets.name", Op.EQ, "d18"),
    (services.GROUP_LISTING, "instances.name", Op.EQ, "i18"),
    (services.REF_LISTING, "model.name", Op.EQ, "qwen-18"),
    (stores.LISTING, "models.name", Op.EQ, "qwen-18"),
    (stores.LISTING, "datasets.name", Op.EQ, "d18"),
    (datasets.LISTING, "name", Op.EQ, "D18"),
    (datasets.LISTING, "store.name", Op.EQ, "centre 18"),
    (marks.LISTING, "tag", Op.EQ, "TAG-18"),
    (marks.LISTING, "thing_uuid", Op.EQ, uuid_of(18)),
]


@pytest.mark.parametrize(
    ("listing", "field", "op", "value"),
    CONDITIONS,
    ids=[f"{one[0].resource.name}-{one[1]}-{one[2].value}" for one in CONDITIONS],
)
def test_a_condition_on_what_is_indexed_goes_through_no_table(
    world: tuple[Place, Caller], listing: Listing[Any], field: str, op: Op, value: Any
) -> None:
    here, alice = world
    asked = Query(where=(Condition(field=field, op=op, value=value),))
    for caller in (here.admin, alice):
        assert here.store.read_now(listing.count, caller, asked) > 0
        for lines in (plan(here, listing.count, caller, asked), plan(here, listing.page, caller, asked)):
            assert [line for line in lines if SCAN.search(line)] == [], caller.user_name


def test_a_condition_on_what_is_not_indexed_is_seen_to_go_through_the_table(world: tuple[Place, Caller]) -> None:
    """The other test can fail."""
    here, _ = world
    asked = Query(where=(Condition(field="description", op=Op.EQ, value="y"),))
    assert [line for line in plan(here, models.LISTING.count, here.admin, asked) if SCAN.search(line)]


@pytest.mark.parametrize("field", ["size", "name", "created_at"])
@pytest.mark.parametrize("descending", [False, True])
def test_a_sorted_page_is_read_along_an_index_by_everybody(
    world: tuple[Place, Caller], field: str, *, descending: bool
) -> None:
    here, alice = world
    steps = [field, *(["uuid"] if field == "created_at" else []), "id"]
    order = tuple(Order(field=name, descending=descending) for name in steps)
    asked = Query(order=order, page=Offset(limit=20), total=False)
    for caller in (here.admin, alice):
        lines = plan(here, models.LISTING.page, caller, asked)
        found = lines[: lines.index("SCAN picked")] if "SCAN picked" in lines else lines  # then only the page is sorted
        assert [line for line in found if "TEMP B-TREE" in line or "Seq Scan" in line] == []
        if here.store.flavour is Flavour.SQLITE:  # PostgreSQL takes either, by how much of the table a member sees
            assert any("ix_models_audience" in line for line in lines) is not caller.is_admin
        rows = here.store.read_now(models.LISTING.page, caller, asked).rows
        values = [getattr(one, field) for one in rows]
        assert len(values) == 20
        assert values == sorted(values, reverse=descending)


@pytest.mark.parametrize("field", ["size", "name", "created_at"])
def test_equal_values_that_most_have_are_not_sorted(world: tuple[Place, Caller], field: str) -> None:
    """All models are of one type and more than are sorted: the page is read along the order's index."""
    here, alice = world
    steps = [field, *(["uuid"] if field == "created_at" else []), "id"]
    order = tuple(Order(field=name, descending=True) for name in steps)
    where = (Condition(field="type", op=Op.EQ, value="custom"),)
    asked = Query(where=where, order=order, page=Offset(limit=20), total=False)
    for caller, seen in ((here.admin, range(MODELS, 0, -1)), (alice, SEEN_BY_ALICE)):
        lines = plan(here, models.LISTING.page, caller, asked)
        found = lines[: lines.index("SCAN picked")] if "SCAN picked" in lines else lines  # then only the page is sorted
        if here.store.flavour is Flavour.SQLITE:
            assert [line for line in found if "TEMP B-TREE" in line] == []
        rows = here.store.read_now(models.LISTING.page, caller, asked).rows
        wanted = sorted(seen, key=str, reverse=True) if field == "name" else seen
        assert [one.id for one in rows] == list(wanted)[:20]


@pytest.mark.parametrize(
    ("field", "value", "index", "found"),
    [
        ("vendor", "vendor 8", "ix_models_vendor_folded_id", list(range(8, 2000, 100))),
        ("services.name", "service 18", "ix_services_name_folded_id", [18]),
        ("version_semver", "18.0.0", "ix_models_version_semver_folded_id", [18]),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_the_condition_that_finds_the_least_leads(
    world: tuple[Place, Caller], *, field: str, value: str, index: str, found: list[int], is_first: bool
) -> None:
    """Whichever stands first: the type, which all models have, does not."""
    here, alice = world
    least, most = Condition(field=field, op=Op.EQ, value=value), Condition(field="type", op=Op.EQ, value="custom")
    order = (Order(field="size"), Order(field="id"))
    where = (least, most) if is_first else (most, least)
    asked = Query(where=where, order=order, page=Offset(limit=20), total=False)
    for caller in (here.admin, alice):
        assert [one.id for one in here.store.read_now(models.LISTING.page, caller, asked).rows] == found
        lines = plan(here, models.LISTING.page, caller, asked)
        page = lines[len(lines) - lines[::-1].index("SCAN led") :] if "SCAN led" in lines else lines
        assert here.store.flavour is Flavour.POSTGRESQL or any(index in line for line in page)
        assert here.store.flavour is Flavour.POSTGRESQL or not any("ix_models_type" in line for line in page)


def test_what_a_member_sees_is_not_sorted_where_it_is_much(world: tuple[Place, Caller]) -> None:
    """No index has what they see in this order, so the order's own index is gone along."""
    here, alice = world
    asked = Query(order=(Order(field="vendor"), Order(field="id")), page=Offset(limit=20), total=False)
    lines = plan(here, models.LISTING.page, alice, asked)
    assert here.store.flavour is Flavour.POSTGRESQL or not any("TEMP B-TREE" in line for line in lines)
    rows = here.store.read_now(models.LISTING.page, alice, asked).rows
    assert [one.id for one in rows] == [100 * number for number in range(1, 21)]


def test_pages_of_several_audiences_follow_one_another(world: tuple[Place, Caller]) -> None:
    here, alice = world
    order = (Order(field="size", descending=True), Order(field="id", descending=True))
    pages = [
        here.store.read_now(models.LISTING.page, alice, Query(order=order, page=Offset(limit=7, offset=7 * number)))
        for number in range(4)
    ]
    found = [one.id for page in pages for one in page.rows]
    assert found == SEEN_BY_ALICE[:28]
    assert len({page.total for page in pages}) == 1


def plan(here: Place, use: Any, caller: Caller, asked: Query) -> list[str]:
    """The lines of the plans of all that is sent."""

    def look(tx: Write) -> list[str]:
        sent: list[tuple[str, Any]] = []
        fetch = tx.fetch

        def noting(sql: str, parameters: Any) -> list[Any]:
            sent.append((sql, parameters))
            return fetch(sql, parameters)

        tx.fetch = noting  # what was sent is what is explained
        use(tx, caller, asked)
        how = "EXPLAIN QUERY PLAN" if tx.flavour is Flavour.SQLITE else "EXPLAIN"
        return [str(row[-1]) for sql, parameters in sent for row in fetch(f"{how} {sql}", parameters)]

    return here.store.write_now(look)
