"""Lists of nodes, orders and events of pools: every page in its place, with the exact number of those that follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, update

from tests.builders import Place, cards
from tests.shares import OCCUPANTS, allow, make, nodes_of, part
from trivium.base.caller import Caller
from trivium.base.clock import ManualClock
from trivium.base.errors import Invalid
from trivium.base.query import After, Condition, Listed, Offset, Op, Order, Query
from trivium.base.units import GIB
from trivium.resources import nodes, operations, pools, quotas, shares
from trivium.resources.labels import Requirement, Selecting
from trivium.resources.nodes.table import nodes as table
from trivium.resources.operations import OperationNotFound
from trivium.resources.pools import NoSuchPool, PoolDetails
from trivium.resources.shares import NoSuchNodePool
from trivium.store import Write

UP, DOWN = (Order("id"),), (Order("id", descending=True),)
MANY = 1200  # so that there are several blocks
MINE, OTHER = 7, 8  # node pools


@pytest.fixture
def user(here: Place) -> Caller:
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))
    return allow(here, here.user("alice"))


def fill(tx: Write, pool: int) -> None:
    """Add so many nodes of two node pools; every tenth was given back, and every third is not ready."""
    row = {
        "pool_id": pool,
        "host": "many",
        "address": "192.0.2.9",
        "reason": "",
        "millicores": 1000,
        "memory": GIB,
        "disk": 1,
        "held_millicores": 0,
        "held_memory": 0,
        "seen_at": tx.now,
        "parent_id": 1,
    }
    told = [
        {
            **row,
            "id": tx.ids.next(),
            "uuid": uuid4(),
            "name": f"node-{number}",
            "node_pool_id": MINE if number % 4 else OTHER,
            "listed": number % 10 > 0,
            "ready": number % 3 > 0,
        }
        for number in range(MANY)
    ]
    tx.run(insert(table), told)


def there(node_pool: int | None = None) -> list[str]:
    """The names that `fill` has listed, oldest first."""
    mine = {None: (True, False), MINE: (True,), OTHER: (False,)}[node_pool]
    return [f"node-{number}" for number in range(MANY) if number % 10 and bool(number % 4) in mine]


@pytest.mark.parametrize("order", [UP, DOWN], ids=["oldest", "newest"])
@pytest.mark.parametrize("node_pool", [None, MINE, OTHER])
@pytest.mark.parametrize("folded", [True, False], ids=["folded", "waiting"])
def test_a_walk_meets_each_node_once_and_knows_how_many_follow(
    here: Place, user: Caller, *, order: tuple[Order, ...], node_pool: int | None, folded: bool
) -> None:
    pool = make(here, user, part("cpu.1u", 0)).id
    here.store.write_now(fill, pool)
    if folded:
        here.store.fold()
    names = there(node_pool) if order is UP else there(node_pool)[::-1]
    page: Offset | After = Offset(limit=97)
    seen: list[str] = []
    while True:
        found = here.store.read_now(nodes.list_nodes, pool, Query(order=order, page=page), node_pool=node_pool)
        seen += [node.name for node in found.rows]
        assert found.remaining == len(names) - len(seen)
        assert found.total == len(names)
        if found.next is None:
            break
        page = After(limit=97, key=found.next)
    assert seen == names


def test_a_key_that_is_no_nodes_any_more_is_as_good_as_one(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 0)).id
    here.store.write_now(fill, pool)
    first = here.store.read_now(nodes.list_nodes, pool, Query(order=UP, page=Offset(limit=500)))
    assert first.next is not None
    last = first.rows[-1].id
    here.store.write_now(lambda tx: tx.run(update(table).where(table.c.id == last).values(listed=False)))
    second = here.store.read_now(nodes.list_nodes, pool, Query(order=UP, page=After(limit=100, key=first.next)))
    assert [node.name for node in second.rows] == there()[500:600]
    assert second.remaining == len(there()) - 600
    assert second.total == len(there()) - 1


def test_pages_by_offset_say_how_many_follow_too(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 0)).id
    here.store.write_now(fill, pool)

    def left(limit: int, offset: int) -> int | None:
        page = Offset(limit=limit, offset=offset)
        return here.store.read_now(nodes.list_nodes, pool, Query(order=UP, page=page, total=False)).remaining

    number = len(there())
    assert [left(10, 0), left(10, number - 10), left(10, number + 5), left(0, 0)] == [number - 10, 0, 0, number]


def test_what_follows_a_key_is_not_told_in_another_order(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 0)).id
    here.store.write_now(fill, pool)
    by_name = (Order("name"),)
    first = here.store.read_now(nodes.list_nodes, pool, Query(order=by_name, page=Offset(limit=5)))
    assert first.next is not None
    with pytest.raises(ValueError, match="order of ids"):
        here.store.read_now(nodes.list_nodes, pool, Query(order=by_name, page=After(limit=5, key=first.next)))


def test_nodes_are_counted_by_what_they_are(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 0)).id
    here.store.write_now(fill, pool)
    for node_pool in (None, MINE, OTHER):
        ready = sum(int(name.removeprefix("node-")) % 3 > 0 for name in there(node_pool))
        told = [here.store.read_now(nodes.count, pool, node_pool=node_pool, ready=which) for which in (True, False)]
        assert told == [ready, len(there(node_pool)) - ready]


def test_a_stamp_moves_with_a_nodes_accelerators_and_what_is_held(here: Place, user: Caller) -> None:
    pool = make(here, user, part("dcu.1", 2))
    query = Query(order=UP)

    def stamps() -> list[tuple[int, int]]:
        _, found = here.store.read_now(shares.list_stamps, user, pool.name, asked=query)
        return [(one.id, one.revision) for one in found.rows]

    before = stamps()
    assert [id for id, _ in before] == [one.node.id for one in nodes_of(here, user, pool)]
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 1))
    after = stamps()
    assert all(new > old for (_, new), (_, old) in zip(after, before, strict=True))
    known = here.store.read_now(nodes.by_ids, pool.id, [id for id, _ in after])
    assert [known[id].node.revision for id, _ in after] == [revision for _, revision in after]
    assert [known[id].cards != () for id, _ in after] == [True, False]


def test_nodes_are_listed_to_those_who_may_see_the_pool(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 1))
    with pytest.raises(NoSuchPool):
        here.store.read_now(shares.list_nodes, here.user("bob"), pool.name, asked=Query())
    with pytest.raises(NoSuchNodePool):
        here.store.read_now(shares.list_nodes, user, pool.name, asked=Query(), node_pool="other")
    assert len(here.store.read_now(shares.list_nodes, here.admin, pool.name, asked=Query()).rows) == 1


def test_pools_are_listed_by_labels_and_phase(here: Place, user: Caller) -> None:
    make(here, user, part("cpu.1u", 1), title="a", details=PoolDetails(labels={"team": "vision"}))
    make(here, user, part("cpu.1u", 1), title="b", details=PoolDetails(labels={"team": "nlp"}))

    def titles(*selector: Requirement, where: tuple[Condition, ...] = ()) -> list[str]:
        asked = Query(where=where, order=UP)
        return [pool.title for pool in here.store.search_now(pools.list_pools, user, asked, selector=selector).rows]

    assert titles() == ["default", "a", "b"]
    assert titles(Requirement("team", Selecting.NOT_IN, ("nlp",))) == ["default", "a"]
    here.store.write_now(nodes.note_away, ("test-host",))
    assert titles(where=(Condition("phase", Op.EQ, "running"),)) == []
    first = here.store.read_now(pools.list_pools, user, Query(order=UP, page=Offset(limit=2)))
    assert (first.remaining, first.total) == (1, 3)
    with pytest.raises(Invalid):
        here.store.write_now(shares.change, user, first.rows[1].name, details=PoolDetails(scope=()))


def told(found: Listed[Any]) -> list[str]:
    return [one.kind for one in found.rows]


def test_each_change_of_a_pool_is_an_order(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 1))
    here.store.write_now(shares.resize, user, pool.name, node_pool_name="cpu.1u-default", count=3)
    here.store.write_now(shares.change, user, pool.name, details=PoolDetails(description="x"))
    found = here.store.read_now(shares.orders_of, user, pool.name, asked=Query(order=UP))
    assert told(found) == ["pool.create", "pool.resize", "pool.change"]
    assert [(one.status, one.project, one.is_finished) for one in found.rows] == [("succeeded", user.project, True)] * 3
    assert found.rows[1].result == f'{{"pool":"{pool.name}","node_pools":{{"cpu.1u-default":3}}}}'
    assert here.store.read_now(operations.get_by_uuid, user, found.rows[0].uuid) == found.rows[0]
    here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    after = here.store.read_now(shares.orders_of, user, pool.name, asked=Query(order=UP, page=Offset(limit=3)))
    assert (told(after)[-1], after.remaining) == ("pool.change", 1)
    make(here, user, part("cpu.1u", 1), title="other")
    every = here.store.read_now(shares.orders, user, asked=Query(order=DOWN))
    assert told(every) == ["pool.create", "pool.delete", "pool.change", "pool.resize", "pool.create"]
    stranger = here.user("bob")
    assert told(here.store.read_now(shares.orders, stranger, asked=Query())) == []
    with pytest.raises(NoSuchPool):
        here.store.read_now(shares.orders_of, stranger, pool.name, asked=Query())
    with pytest.raises(OperationNotFound):
        here.store.read_now(operations.get, stranger, found.rows[0].id)


def test_an_order_of_an_administrator_is_the_projects(here: Place, user: Caller) -> None:
    new = shares.NewPool(title="given", details=PoolDetails(), node_pools=(part("cpu.1u", 1),))
    given = here.store.write_now(shares.create, here.admin, new, project=user.project)
    (order,) = here.store.read_now(shares.orders_of, user, given.name, asked=Query()).rows
    assert here.store.read_now(operations.get, user, order.id).user == here.admin.user


def test_events_of_a_pool_are_told_from_and_until(here: Place, user: Caller) -> None:
    clock = here.clock
    assert isinstance(clock, ManualClock)
    pool = make(here, user, part("cpu.1u", 1))
    clock.move(timedelta(hours=1))
    noon = clock.now()
    here.store.write_now(nodes.note_away, ("test-host",))
    clock.move(timedelta(hours=1))
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))

    def actions(*where: Condition) -> list[str]:
        asked = Query(where=where, order=UP)
        return [one.action for one in here.store.search_now(shares.events_of, user, pool.name, asked=asked).rows]

    assert actions() == ["pool.create", "pool.abnormal", "pool.running"]
    assert actions(Condition("at", Op.GE, noon)) == ["pool.abnormal", "pool.running"]
    assert actions(Condition("at", Op.GE, noon), Condition("at", Op.LE, noon)) == ["pool.abnormal"]
    first = here.store.read_now(shares.events_of, user, pool.name, asked=Query(order=UP, page=Offset(limit=1)))
    assert (first.remaining, first.rows[0].user) == (2, user.user)
    assert first.next is not None
    rest = Query(order=UP, page=After(limit=5, key=first.next))
    assert [one.user for one in here.store.read_now(shares.events_of, user, pool.name, asked=rest).rows] == [0, 0]
    with pytest.raises(NoSuchPool):
        here.store.read_now(shares.events_of, here.user("bob"), pool.name, asked=Query())


def test_locks_and_drains_are_operations_and_events_of_the_project(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 1))
    (one,) = nodes_of(here, user, pool)
    here.store.write_now(shares.lock_nodes, here.admin, pool.name, node=one.node.name, actions=("reboot",))
    here.store.write_now(shares.drain, user, pool.name, node=one.node.name)
    found = here.store.read_now(operations.of_targets, (one.node.id,), asked=Query(order=UP))
    assert [(order.kind, order.project) for order in found.rows] == [
        ("node.lock", user.project),
        ("node.drain", user.project),
    ]
    assert here.store.read_now(quotas.get, user.project, quotas.POOLS).used == 1
