"""How the databases carry out conditions of ZStack's query language: nothing that is indexed is gone through whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from tests import depot
from trivium.base.clock import SystemClock
from trivium.base.query import Query
from trivium.base.text import fold
from trivium.dialects.zstack import queries
from trivium.store import Flavour, Store, Write, query

ROWS = 6000
CENTERS = 400
BEGUN = datetime(2025, 11, 4, tzinfo=UTC)
SCAN = re.compile(r"SCAN depot_|Seq Scan on depot_")


@pytest.fixture(scope="module")
def store(module_database_url: str) -> Iterator[Store]:
    """A store with so many rows that no plan goes through them without need."""
    opened = Store.open(module_database_url, SystemClock(), "cli")
    opened.write_now(depot.make)
    opened.write_now(_fill)
    yield opened
    opened.close()


def _fill(tx: Write) -> None:
    rows: dict[Any, list[dict[str, Any]]] = {
        depot.centers: [
            {"id": number, "uuid": _uuid(number), "name": f"Centre {number}", "state": "up"}
            for number in range(CENTERS)
        ],
        depot.models: [
            {
                "id": number,
                "uuid": _uuid(number),
                "name": f"Qwen-{number}",
                "note": "x",
                "size": number,
                "latest": True,
                "gpus": "1,2",
                "center_uuid": _uuid(number % CENTERS),
                "created_at": BEGUN + timedelta(minutes=number),
            }
            for number in range(ROWS)
        ],
        depot.services: [
            {"id": number, "uuid": _uuid(number), "name": f"Service {number}", "center_uuid": _uuid(number % CENTERS)}
            for number in range(ROWS)
        ],
        depot.refs: [
            {
                "id": number,
                "uuid": _uuid(number),
                "model_uuid": _uuid(number),
                "service_uuid": _uuid(number),
                "is_default": True,
            }
            for number in range(ROWS)
        ],
        depot.tags: [{"id": number, "thing_uuid": _uuid(number), "tag": f"tag-{number}"} for number in range(ROWS)],
    }
    for table, given in rows.items():
        for row in given:
            row |= {f"{name}_folded": fold(row[name]) for name in depot.FOLDED.get(table, ())}
        tx.connection.execute(insert(table), given)
    if tx.flavour is Flavour.POSTGRESQL:
        tx.connection.execute(text("ANALYZE"))


def _uuid(number: int) -> UUID:
    return UUID(int=(number * 0x9E3779B97F4A7C15 % (1 << 64)) << 64 | number)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("name=qwen-17", 1),
        ("name?=QWEN-17,qwen-18,x", 2),
        ("name~=qwen-17%", 111),
        ("name~=qwen-17", 1),
        ("name>qwen-9998", 0),
        ("size=17", 1),
        ("size?=17,18", 2),
        ("size>5990", 9),
        ("createDate=2025-11-04 08:17:00", 1),
        ("createDate<2025-11-04 08:17:00", 17),
        (f"uuid={_uuid(17).hex}", 1),
        (f"uuid~={_uuid(17).hex[:9]}%", 1),
        (f"modelCenterUuid={_uuid(17).hex}", 15),
        (f"modelCenter.uuid={_uuid(17).hex}", 15),
        ("modelCenter.name=centre 17", 15),
        ("modelCenter.name~=CENTRE 17", 15),
        ("modelService.name=service 17", 1),
        ("modelService.modelCenter.name=centre 17", 15),
        (f"modelServiceRefs.modelServiceUuid={_uuid(17).hex}", 1),
        ("__userTag__=TAG-17", 1),
        ("__userTag__?=tag-17,tag-18", 2),
    ],
)
def test_a_condition_on_what_is_indexed_goes_through_no_table(store: Store, condition: str, found: int) -> None:
    asked = queries.of_parameters(depot.GRAMMAR, depot.MODEL, {"q": [condition], "count": ["true"]}).query

    def look(tx: Write) -> list[str]:
        assert query.count(tx, depot.MODELS, asked) == found
        return _plan(tx, asked)

    assert [line for line in store.write_now(look) if SCAN.search(line)] == []


def test_a_condition_on_what_is_not_indexed_is_seen_to_go_through_the_table(store: Store) -> None:
    """The other test can fail."""
    asked = queries.of_parameters(depot.GRAMMAR, depot.MODEL, {"q": ["description=x"], "count": ["true"]}).query
    assert [line for line in store.write_now(_plan, asked) if SCAN.search(line)]


def test_what_most_rows_satisfy_is_not_sorted_for_a_page(store: Store) -> None:
    """More rows than are sorted satisfy it: the page is read along the order's index."""
    for condition in ("size>17", "modelCenter.name~=centre%"):
        asked = queries.of_parameters(depot.GRAMMAR, depot.MODEL, {"q": [condition], "limit": ["20"]}).query
        plan = "\n".join(store.write_now(_plan, asked))
        assert store.flavour is Flavour.POSTGRESQL or "TEMP B-TREE FOR ORDER BY" not in plan
        found = store.read_now(lambda tx, asked=asked: query.page(tx, depot.MODELS, asked))
        first = 18 if condition == "size>17" else 0
        assert [row.id for row in found.rows] == list(range(first, first + 20))


@pytest.mark.parametrize("sort", ["+size", "-size", "+createDate", "-name"])
def test_a_sorted_page_is_read_along_the_index(store: Store, sort: str) -> None:
    asked = queries.of_parameters(depot.GRAMMAR, depot.MODEL, {"sort": [sort], "limit": ["20"]}).query
    plan = "\n".join(store.write_now(_plan, asked))
    assert "TEMP B-TREE" not in plan
    if store.flavour is Flavour.SQLITE:
        assert "USING INDEX ix_models_" in plan


def _plan(tx: Write, asked: Query) -> list[str]:
    """The lines of the plans of what the page and its total send."""
    sent: list[tuple[str, Any]] = []
    fetch = tx.fetch

    def noting(sql: str, parameters: Any) -> list[Any]:
        sent.append((sql, parameters))
        return fetch(sql, parameters)

    tx.fetch = noting  # what was sent is what is explained
    query.page(tx, depot.MODELS, asked)
    how = "EXPLAIN QUERY PLAN" if tx.flavour is Flavour.SQLITE else "EXPLAIN"
    return [str(row[-1]) for sql, parameters in sent for row in fetch(f"{how} {sql}", parameters)]
