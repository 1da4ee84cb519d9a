"""How the databases find what is asked of many pools, nodes and cards: by what is indexed, not going through all."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from tests.builders import Place, cards
from tests.shares import machine
from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.dialects.zstack import estate as dialect
from trivium.dialects.zstack import queries
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.inventories import Catalogue
from trivium.resources import estate, sites
from trivium.resources.nodes import cards as card_table
from trivium.resources.nodes import nodes as node_table
from trivium.resources.pools import pools as pool_table
from trivium.store import Flavour, Read, Write

ROWS = 3000
POOLS = 750
CATALOGUE = Catalogue(dialect.INVENTORIES)
GRAMMAR = Grammar(catalogue=CATALOGUE, utc_offset=timedelta(hours=8))
SCAN = re.compile(r"SCAN (pools|nodes|cards)(_\d+)?$|Seq Scan on (pools|nodes|cards)\b")
FIRST = 1000
"""The id of the first row that was added: there are few before."""

LISTS: dict[str, Callable[[Read, Caller, Query], Listed[Any]]] = {
    "Cluster": estate.list_pools,
    "Host": estate.list_nodes,
    "GpuDevice": estate.list_cards,
}


def uuid(number: int) -> UUID:
    return UUID(int=(number * 0x9E3779B97F4A7C15 % (1 << 64)) << 64 | number)


@pytest.fixture
def member(here: Place) -> Caller:
    """A member whose project has every tenth of many pools, with their nodes and cards."""
    here.node(cards=cards("dcu", 1))
    caller = here.user("member")
    here.store.write_now(fill, caller.project, machine(here).id)
    return caller


def fill(tx: Write, project: int, node: int) -> None:
    site = sites.get(tx).uuid
    audience = {number: project if number % 10 == 0 else 5 for number in range(POOLS)}
    tx.connection.execute(
        insert(pool_table),
        [
            {
                "id": FIRST + number,
                "uuid": uuid(number),
                "name": f"pool-{number}",
                "title": f"Pool {number}",
                "title_folded": f"pool {number}",
                "short": FIRST + number,
                "created_at": tx.now,
                "audience": audience[number],
                "site_uuid": site,
            }
            for number in range(POOLS)
        ],
    )
    tx.connection.execute(
        insert(node_table),
        [
            {
                "id": FIRST + number,
                "uuid": uuid(number),
                "pool_id": FIRST + number % POOLS,
                "pool_uuid": uuid(number % POOLS),
                "site_uuid": site,
                "host": "elsewhere",
                "name": f"Node-{number}",
                "name_folded": f"node-{number}",
                "address": "192.0.2.9",
                "ready": True,
                "reason": "",
                "millicores": 1000 * number,
                "memory": number,
                "disk": 1,
                "held_millicores": 0,
                "held_memory": 0,
                "seen_at": tx.now,
                "audience": audience[number % POOLS],
            }
            for number in range(ROWS)
        ],
    )
    tx.connection.execute(
        insert(card_table),
        [
            {
                "id": FIRST + number,
                "uuid": uuid(number),
                "machine_id": node,
                "node_id": FIRST + number,
                "node_uuid": uuid(number),
                "audience": audience[number % POOLS],
                "kind": "gpu",
                "number": number,
                "model": f"Card {number}",
                "model_folded": f"card {number}",
                "serial": f"S{number}",
                "serial_folded": f"s{number}",
                "pci_address": f"{number:04x}:00:00.0",
                "declared": False,
                "present": True,
                "created_at": tx.now,
                "changed_at": tx.now,
            }
            for number in range(ROWS)
        ],
    )
    if tx.flavour is Flavour.POSTGRESQL:
        tx.connection.execute(text("ANALYZE"))


def asked(name: str, **parameters: str) -> Query:
    given = {key: [value] for key, value in parameters.items()}
    return queries.of_parameters(GRAMMAR, CATALOGUE.of(name), given).query


def plan(tx: Write, caller: Caller, name: str, query: Query) -> list[str]:
    """The lines of the plans of what the list sends."""
    sent: list[tuple[str, Any]] = []
    fetch = tx.fetch

    def noting(sql: str, parameters: Any) -> list[Any]:
        sent.append((sql, parameters))
        return fetch(sql, parameters)

    tx.fetch = noting  # what was sent is what is explained
    LISTS[name](tx, caller, query)
    how = "EXPLAIN QUERY PLAN" if tx.flavour is Flavour.SQLITE else "EXPLAIN"
    return [str(row[-1]) for sql, parameters in sent for row in fetch(f"{how} {sql}", parameters)]


INDEXED = (
    ("Cluster", f"uuid={uuid(50).hex}"),
    ("Cluster", "name=POOL 50"),
    ("Cluster", "name~=pool 50%"),
    ("Cluster", "host.name=node-50"),
    ("Cluster", "gpuDevice.serialNumber=S50"),
    ("Host", f"uuid={uuid(50).hex}"),
    ("Host", "name=NODE-50"),
    ("Host", f"clusterUuid={uuid(50).hex}"),
    ("Host", f"cluster.uuid={uuid(50).hex}"),
    ("Host", "cluster.name=pool 50"),
    ("Host", "gpuDevice.serialNumber=s50"),
    ("GpuDevice", f"uuid={uuid(50).hex}"),
    ("GpuDevice", "name=CARD 50"),
    ("GpuDevice", "serialNumber?=s50,S60"),
    ("GpuDevice", "pciDeviceAddress=0032:00:00.0"),
    ("GpuDevice", f"hostUuid={uuid(50).hex}"),
    ("GpuDevice", "host.name=node-50"),
    ("GpuDevice", "cluster.name=pool 50"),
)


def test_what_is_indexed_is_found_without_going_through_a_table(here: Place, member: Caller) -> None:
    for who in (member, here.admin):
        for name, condition in INDEXED:
            query = asked(name, q=condition, replyWithCount="true")
            assert here.store.read_now(LISTS[name], who, query).rows, condition
            found = here.store.write_now(plan, who, name, query)
            assert [line for line in found if SCAN.search(line)] == [], (condition, found)
    for name in LISTS:  # a page of what a member sees is merged from their own and what is everybody's
        found = here.store.write_now(plan, member, name, asked(name, limit="20"))
        assert here.store.flavour is Flavour.POSTGRESQL or "MERGE (UNION ALL)" in found, (name, found)
    # What is not indexed is seen to go through the table: the above can fail.
    found = here.store.write_now(plan, here.admin, "Host", asked("Host", q="cpuNum=50000000", count="true"))
    assert [line for line in found if SCAN.search(line)]
