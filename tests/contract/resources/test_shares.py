"""Pools as shares of the site: their nodes are slices of machines, and nothing is ever given out twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.builders import HOST, Place, cards, node_found
from tests.builders import free_of as free_of_default
from tests.shares import OCCUPANTS, allow, balanced, free_of, machine, make, nodes_of, part, placed
from trivium.base.caller import Caller
from trivium.base.errors import Forbidden, Invalid
from trivium.base.units import GIB
from trivium.resources import networks, nodes, notebooks, pools, quotas, shares
from trivium.resources.networks import NetworkFull, NetworkInUse, NewNetwork, NoSuchNetwork
from trivium.resources.nodes import Availability, NoCapacity, NodeInUse, NodeLocked, NoSuchFlavor, NoSuchNode
from trivium.resources.notebooks import outcomes
from trivium.resources.pools import NoSuchPool, Pool, PoolDetails, PoolExists
from trivium.resources.quotas import QuotaExceeded
from trivium.resources.shares import NodePoolCount, NodePoolExists, NoSuchNodePool, OfMachines, PoolInUse
from trivium.server.host.inventory import take_stock
from trivium.store import Write


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """What came of each, or the error that it raised; all are done at once."""

    def one(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except (NoCapacity, NodeInUse, PoolInUse, NoSuchPool, QuotaExceeded, PoolExists) as error:
            return error

    with ThreadPoolExecutor(len(work)) as executor:
        return [done.result() for done in [executor.submit(one, act) for act in work]]


def end(here: Place, notebook: int) -> None:
    """What a notebook holds is free again, as when it was stopped."""

    def use(tx: Write) -> None:
        nodes.free(tx, notebook)

    here.store.write_now(use)


@pytest.fixture
def user(here: Place) -> Caller:
    """Somebody whose project may have pools, on a site with a machine of 16 cores, 64 GiB and four DCUs."""
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))
    return allow(here, here.user("alice"))


# ---- creating -------------------------------------------------------------------------------------------------------


def test_a_pool_takes_its_nodes_from_what_is_free(here: Place, user: Caller) -> None:
    details = PoolDetails(description="ours", labels={"a": "b"}, annotations={"billing": "0"})
    pool = make(here, user, part("cpu.4u", 2), part("dcu.1", 1, "cards"), title="lab", details=details)
    assert (pool.title, pool.phase, pool.details) == ("lab", "running", details)
    assert pool.name.startswith("lab-")
    assert len(pool.name) == len("lab-") + 32
    assert [(one.node.flavor, one.millicores, one.memory) for one in nodes_of(here, user, pool)] == [
        ("cpu.4u", 4000, 16 * GIB),
        ("cpu.4u", 4000, 16 * GIB),
        ("dcu.1", 4000, 16 * GIB),
    ]
    (card,) = nodes_of(here, user, pool, "cards")[0].cards
    assert (card.kind, card.total, card.free) == ("dcu", 1, 1)
    assert free_of_default(here, "cpu") == Availability(most=4, free=4)
    assert free_of_default(here, "dcu") == Availability(most=1, free=1)
    assert (free_of(here, pool), free_of(here, pool, "dcu")) == (Availability(4, 4), Availability(1, 1))
    balanced(here)


def test_names_of_nodes_begin_as_was_asked_and_are_all_different(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 8), node_prefix="os-node-created")
    names = [one.node.name for one in nodes_of(here, user, pool)]
    assert len(set(names)) == 8
    assert all(name.startswith("os-node-created-") and len(name) == len("os-node-created-") + 5 for name in names)
    assert here.store.read_now(shares.node, user, pool.name, node=names[3]) == nodes_of(here, user, pool)[3]
    with pytest.raises(NoSuchNode):
        here.store.read_now(shares.node, user, pool.name, node=machine(here).name)


def test_more_than_is_free_is_refused_and_nothing_is_left_of_it(here: Place, user: Caller) -> None:
    net = here.store.write_now(networks.create, user, NewNetwork(title="net", cidr="10.0.0.0/24"))
    before = machine(here)
    with pytest.raises(NoCapacity):
        make(here, user, part("cpu.4u", 3), part("cpu.8u", 1), network=net.name)
    assert machine(here) == before
    assert here.store.read_now(quotas.get, user.project, quotas.POOLS).used == 0
    assert here.store.read_now(networks.get, net.id).pools == 0
    assert [pool.project for pool in here.store.read_now(pools.visible, user)] == [None]
    balanced(here)


def test_what_notebooks_hold_is_not_cut_off(here: Place, user: Caller) -> None:
    here.notebook(user, here.image(), count=9)
    with pytest.raises(NoCapacity):
        make(here, user, part("cpu.8u", 1))
    make(here, user, part("cpu.4u", 1))
    balanced(here)


def test_a_project_makes_pools_within_its_quota_and_administrators_anywhere(here: Place, user: Caller) -> None:
    stranger = here.user("bob")
    with pytest.raises(QuotaExceeded):
        make(here, stranger, part("cpu.1u", 1))
    new = shares.NewPool(title="given", details=PoolDetails(), node_pools=(part("cpu.1u", 1),))
    with pytest.raises(Forbidden):
        here.store.write_now(shares.create, user, new, project=stranger.project)
    given = here.store.write_now(shares.create, here.admin, new, project=stranger.project)
    assert given.project == stranger.project
    with pytest.raises(Forbidden):  # they may use it, and have no say
        here.store.write_now(shares.resize, stranger, given.name, node_pool_name="cpu.1u-default", count=2)
    here.store.write_now(shares.resize, here.admin, given.name, node_pool_name="cpu.1u-default", count=2)
    with pytest.raises(NoSuchPool):
        here.store.write_now(shares.delete, user, given.name, occupants=OCCUPANTS)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([], Invalid),
        ([part("cpu.4u", -1)], Invalid),
        ([part("cpu.4u", 10**9)], Invalid),
        ([part("cpu.3u", 1)], NoSuchFlavor),
        ([part("gpu.1", 1)], NoSuchFlavor),
        ([part("cpu.1u", 1), part("cpu.1u", 1)], NodePoolExists),
        ([part("cpu.1u", 1, "no spaces")], Invalid),
    ],
)
def test_what_makes_no_sense_is_refused(here: Place, user: Caller, parts: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        make(here, user, *parts)
    balanced(here)


def test_a_name_is_given_once_in_a_project_and_again_after_it_is_gone(here: Place, user: Caller) -> None:
    first = make(here, user, part("cpu.1u", 1))
    with pytest.raises(PoolExists):
        make(here, user, part("cpu.1u", 1))
    make(here, allow(here, here.user("bob")), part("cpu.1u", 1))
    here.store.write_now(shares.delete, user, first.name, occupants=OCCUPANTS)
    again = make(here, user, part("cpu.1u", 1))
    assert (again.name, again.id != first.id) == (first.name, True)


def test_of_many_who_take_the_last_one_gets_it(here: Place, user: Caller) -> None:
    image = here.image()
    takers = [lambda number=number: make(here, user, part("cpu.4u", 1), title=f"p{number}") for number in range(6)]
    comers = [lambda: here.notebook(user, image, count=4)] * 4
    came = at_once(*takers, *comers)
    assert sum(not isinstance(one, Exception) for one in came) == 4
    assert machine(here).held_millicores == 16_000
    balanced(here)


# ---- notebooks ------------------------------------------------------------------------------------------------------


def test_a_notebook_in_a_pool_lives_within_it(here: Place, user: Caller) -> None:
    image = here.image("dcu:1", "dcu")
    pool = make(here, user, part("dcu.1", 2))
    before = machine(here)
    first, second = (placed(here, user, image, pool, "dcu") for _ in range(2))
    mine = {one.node.id for one in nodes_of(here, user, pool)}
    assert {first.node, second.node} == mine
    with pytest.raises(NoCapacity):
        placed(here, user, image, pool, "dcu")
    assert machine(here).held_millicores == before.held_millicores
    assert free_of_default(here, "dcu").free == 2
    held = here.store.read_now(nodes.held_by, first.id)
    assert held is not None
    other = here.store.read_now(nodes.held_by, second.id)
    assert other is not None
    assert sorted((*held.indexes, *other.indexes)) == [0, 1]  # as the machine numbers them
    balanced(here)
    end(here, first.id)
    assert free_of(here, pool, "dcu") == Availability(most=1, free=1)
    balanced(here)


def test_anothers_pool_takes_no_notebooks_of_mine(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.4u", 1))
    with pytest.raises(NoSuchPool):
        placed(here, here.user("bob"), here.image(), pool)


def test_a_pool_is_offered_to_its_project_with_what_its_nodes_give(here: Place, user: Caller) -> None:
    pool = make(here, user, part("dcu.2", 1), part("cpu.2u", 1))
    offered = here.store.read_now(pools.offered, user)
    mine = {flavor.kind: (flavor.millicores, flavor.memory) for of, flavor in offered if of.id == pool.id}
    assert mine == {"cpu": (1000, 4 * GIB), "dcu": (4000, 16 * GIB)}
    room = here.store.read_now(nodes.availability, [flavor for _, flavor in offered])
    assert (room[pool.id, "dcu"], room[pool.id, "cpu"]) == (Availability(2, 2), Availability(8, 8))
    assert pool.id not in {of.id for of, _ in here.store.read_now(pools.offered, here.user("bob"))}
    here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    assert pool.id not in {of.id for of, _ in here.store.read_now(pools.offered, user)}


# ---- smaller and gone -----------------------------------------------------------------------------------------------


def test_what_a_pool_had_is_free_again_once_it_is_deleted(here: Place, user: Caller) -> None:
    before = machine(here)
    pool = make(here, user, part("dcu.2", 1), part("cpu.1u", 3))
    gone = here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    assert (gone.phase, gone.deleted_at) == ("deleting", here.clock.now())
    after = machine(here)
    assert (after.held_millicores, after.held_memory, after.sliced_memory) == (0, 0, 0)
    assert (before.held_millicores, before.held_memory) == (0, 0)
    assert free_of_default(here, "dcu") == Availability(most=4, free=4)
    assert here.store.read_now(quotas.get, user.project, quotas.POOLS).used == 0
    for look in (shares.node_pools, pools.find_any, pools.find_by_name):
        with pytest.raises(NoSuchPool):
            here.store.read_now(look, user, pool.name)
    balanced(here)


def test_a_pool_with_notebooks_stays(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 2))
    notebook = placed(here, user, here.image(), pool)
    with pytest.raises(NodeInUse):
        here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    end(here, notebook.id)  # stopped, it would start here again
    with pytest.raises(PoolInUse) as refused:
        here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    assert refused.value.details["holds"] == "1 notebook"
    assert len(nodes_of(here, user, pool)) == 2
    here.store.write_now(outcomes.note_gone, here.store.read_now(notebooks.get, user, notebook.id))
    here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    balanced(here)


def test_a_node_pool_is_resized_down_to_what_is_used(here: Place, user: Caller) -> None:
    image = here.image()
    pool = make(here, user, part("cpu.2u", 3))

    def resized(count: int) -> shares.NodePool:
        return here.store.write_now(shares.resize, user, pool.name, node_pool_name="cpu.2u-default", count=count)

    assert resized(5).count == 5
    with pytest.raises(NoCapacity):
        resized(9)
    assert len(nodes_of(here, user, pool)) == 5
    notebook = placed(here, user, image, pool)
    assert resized(1).count == 1
    assert [one.node.id for one in nodes_of(here, user, pool)] == [notebook.node]
    with pytest.raises(NodeInUse):
        resized(0)
    balanced(here)
    end(here, notebook.id)
    assert resized(0).count == 0
    with pytest.raises(NoCapacity):
        placed(here, user, image, pool)
    assert machine(here).held_millicores == 0
    balanced(here)


def test_several_node_pools_change_together_or_not_at_all(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 4, "a"), part("cpu.2u", 2, "b"))
    with pytest.raises(NoCapacity):
        here.store.write_now(shares.change, user, pool.name, counts={"a": 1, "b": 20})
    assert [found.count for found, _ in here.store.read_now(shares.node_pools, user, pool.name)] == [4, 2]
    changed = here.store.write_now(
        shares.change, user, pool.name, details=PoolDetails(description="new"), counts={"a": 1, "b": 7}
    )
    assert changed.details.description == "new"
    told = here.store.read_now(shares.node_pools, user, pool.name)
    assert [(found.name, found.count, count) for found, count in told] == [
        ("a", 1, NodePoolCount(1, 0)),
        ("b", 7, NodePoolCount(7, 0)),
    ]
    with pytest.raises(NoSuchNodePool):
        here.store.write_now(shares.change, user, pool.name, counts={"c": 1})
    balanced(here)


def test_node_pools_come_and_go(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 1))
    made = here.store.write_now(shares.add_node_pool, user, pool.name, new=part("dcu.1", 2, "cards", max_count=4))
    assert (made.name, made.size.kind, made.max_count) == ("cards", "dcu", 4)
    assert free_of(here, pool, "dcu") == Availability(1, 1)
    here.store.write_now(shares.remove_node_pool, user, pool.name, node_pool_name="cards")
    assert free_of(here, pool, "dcu") == Availability(0, 0)
    with pytest.raises(NoSuchNodePool):
        here.store.write_now(shares.remove_node_pool, user, pool.name, node_pool_name="cards")
    balanced(here)


def test_just_the_named_nodes_are_given_back_and_one_stays(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 3))
    names = [one.node.name for one in nodes_of(here, user, pool)]
    for some, error in ((names, Invalid), ((), Invalid), (("nobody",), NoSuchNode)):
        with pytest.raises(error):
            here.store.write_now(shares.release, user, pool.name, names=some)
    here.store.write_now(shares.release, user, pool.name, names=names[:2])
    assert [one.node.name for one in nodes_of(here, user, pool)] == names[2:]
    assert here.store.read_now(shares.node_pool, user, pool.name, node_pool="cpu.1u-default").count == 1
    balanced(here)


def test_who_comes_while_a_pool_is_deleted_is_in_it_or_finds_none(here: Place, user: Caller) -> None:
    image = here.image()
    for number in range(6):
        pool = make(here, user, part("cpu.1u", 2), title=f"p{number}")
        gone, *came = at_once(
            lambda pool=pool: here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS),
            *[lambda pool=pool: placed(here, user, image, pool)] * 2,
        )
        assert isinstance(gone, Pool) is all(isinstance(one, (NoSuchPool, NoCapacity)) for one in came)
        balanced(here)


def test_the_default_pool_is_of_machines(here: Place, user: Caller) -> None:
    default = here.store.read_now(pools.default_pool)
    assert default is not None
    changes: list[tuple[Any, dict[str, Any]]] = [
        (shares.delete, {"occupants": OCCUPANTS}),
        (shares.release, {"names": ["x"]}),
        (shares.add_node_pool, {"new": part("cpu.1u", 1)}),
    ]
    for act, told in changes:
        with pytest.raises(OfMachines):
            here.store.write_now(act, here.admin, default.name, **told)
        with pytest.raises(Forbidden):
            here.store.write_now(act, user, default.name, **told)
    changed = here.store.write_now(shares.change, here.admin, default.name, details=PoolDetails(description="all"))
    assert changed.details.description == "all"
    assert [one.node.name for one in nodes_of(here, user, default)] == ["node-1"]


# ---- networks -------------------------------------------------------------------------------------------------------


def test_nodes_have_addresses_of_the_pools_network(here: Place, user: Caller) -> None:
    net = here.store.write_now(networks.create, user, NewNetwork(title="net", cidr="10.0.0.0/29"))
    pool = make(here, user, part("cpu.1u", 2), network=net.name)
    assert pool.network == net.id
    assert [one.node.private_address for one in nodes_of(here, user, pool)] == ["10.0.0.2", "10.0.0.3"]
    assert here.store.read_now(networks.availability, net) == networks.Addresses(total=5, used=2)
    with pytest.raises(NetworkInUse):
        here.store.write_now(networks.delete, user, net.name)
    with pytest.raises(NetworkFull):
        here.store.write_now(shares.resize, user, pool.name, node_pool_name="cpu.1u-default", count=6)
    balanced(here)
    here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    assert here.store.read_now(networks.availability, net).used == 0
    here.store.write_now(networks.delete, user, net.name)


def test_anothers_network_joins_no_nodes(here: Place, user: Caller) -> None:
    net = here.store.write_now(networks.create, here.user("bob"), NewNetwork(title="net", cidr="10.0.0.0/29"))
    for caller in (user, allow(here, here.admin)):
        with pytest.raises(NoSuchNetwork):
            make(here, caller, part("cpu.1u", 2), network=net.name)


# ---- machines that change -------------------------------------------------------------------------------------------


def test_slices_follow_their_machine(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.4u", 2))
    here.store.write_now(take_stock, (), host=HOST)
    assert [one.node.ready for one in nodes_of(here, user, pool)] == [False, False]
    assert here.store.read_now(pools.get, pool.id).phase == "abnormal"
    assert here.store.read_now(shares.node_pools, user, pool.name)[0][1] == NodePoolCount(ready=0, unready=2)
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))
    assert [one.node.reason for one in nodes_of(here, user, pool)] == ["", ""]
    assert here.store.read_now(pools.get, pool.id).phase == "running"
    here.store.write_now(nodes.note_away, (HOST,))
    assert here.store.read_now(pools.get, pool.id).phase == "abnormal"
    with pytest.raises(NoCapacity):
        placed(here, user, here.image(), pool)


def test_where_a_machine_shrinks_the_newest_slices_give_out_nothing_more(here: Place, user: Caller) -> None:
    image = here.image()
    pool = make(here, user, part("cpu.4u", 3))
    held = here.notebook(user, image, count=2)
    here.node(cores=10, memory=64 * GIB, cards=cards("dcu", 4))
    assert [one.node.ready for one in nodes_of(here, user, pool)] == [True, True, False]
    assert "less than was given" in nodes_of(here, user, pool)[2].node.reason
    assert here.store.read_now(nodes.held_by, held.id) is not None
    assert free_of_default(here, "cpu").free == 0
    with pytest.raises(NoCapacity):
        make(here, user, part("cpu.1u", 1), title="more")
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))
    assert all(one.node.ready for one in nodes_of(here, user, pool))
    balanced(here)


def test_a_slice_whose_card_is_gone_says_so_and_nobody_gets_the_card(here: Place, user: Caller) -> None:
    image = here.image("dcu:1", "dcu")
    pool = make(here, user, part("dcu.1", 2))
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 1))
    first, second = nodes_of(here, user, pool)
    assert (first.node.ready, second.node.ready) == (True, False)
    assert second.node.reason == "1 of its 1 accelerators are not there any more"
    assert placed(here, user, image, pool, "dcu").node == first.node.id
    with pytest.raises(NoCapacity):
        placed(here, user, image, pool, "dcu")
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))
    assert placed(here, user, image, pool, "dcu").node == second.node.id
    assert free_of_default(here, "dcu").free == 2
    balanced(here)


def test_taking_stock_goes_well_with_pools_and_notebooks_that_change(here: Place, user: Caller) -> None:
    image = here.image()
    found = (node_found(16, 64 * GIB, cards("dcu", 4)),)
    pool = make(here, user, part("cpu.1u", 4))

    def resized(count: int) -> shares.NodePool:
        return here.store.write_now(shares.resize, user, pool.name, node_pool_name="cpu.1u-default", count=count)

    for number in range(4):
        at_once(
            lambda: here.store.write_now(take_stock, found, host=HOST),
            partial(make, here, user, part("dcu.1", 1), part("cpu.1u", 1), title=f"p{number}"),
            lambda: placed(here, user, image, pool),
            partial(resized, 4 + number % 2),
        )
        balanced(here)


# ---- locks and drains -----------------------------------------------------------------------------------------------


def test_a_drained_node_takes_nothing_new_and_what_runs_goes_on(here: Place, user: Caller) -> None:
    image = here.image()
    pool = make(here, user, part("cpu.2u", 2))
    first, second = (one.node for one in nodes_of(here, user, pool))
    running = placed(here, user, image, pool)
    assert running.node == first.id
    drained = here.store.write_now(shares.drain, user, pool.name, node=first.name)
    assert (drained.cordoned, drained.ready) == (True, True)
    assert placed(here, user, image, pool, count=2).node == second.id
    assert free_of(here, pool) == Availability(most=2, free=0)
    with pytest.raises(NoCapacity):
        placed(here, user, image, pool)
    assert here.store.read_now(nodes.held_by, running.id) is not None
    here.store.write_now(shares.resume, user, pool.name, node=first.name)
    assert placed(here, user, image, pool).node == first.id


def test_a_drained_machine_gives_nothing_out_to_notebooks_slices_or_pools(here: Place, user: Caller) -> None:
    image = here.image()
    pool = make(here, user, part("cpu.2u", 1))
    default = here.store.read_now(pools.default_pool)
    assert default is not None
    with pytest.raises(Forbidden):
        here.store.write_now(shares.drain, user, default.name, node="node-1")
    here.store.write_now(shares.drain, here.admin, default.name, node="node-1")
    for act in (
        lambda: here.notebook(user, image),
        lambda: placed(here, user, image, pool),
        lambda: make(here, user, part("cpu.1u", 1), title="more"),
    ):
        with pytest.raises(NoCapacity):
            act()
    assert all(one.is_sold_out for one in here.store.read_now(nodes.site_flavors))
    here.store.write_now(shares.resume, here.admin, default.name, node="node-1")
    placed(here, user, image, pool)


def test_a_node_that_is_locked_against_it_is_not_given_back(here: Place, user: Caller) -> None:
    pool = make(here, user, part("cpu.1u", 2))
    first, second = (one.node for one in nodes_of(here, user, pool))
    locked = here.store.write_now(shares.lock_nodes, user, pool.name, node=second.name, actions=("delete", "drain"))
    assert locked.locked == ("delete", "drain")
    changes: list[tuple[Any, dict[str, Any]]] = [
        (shares.delete, {"occupants": OCCUPANTS}),
        (shares.drain, {"node": second.name}),
        (shares.release, {"names": [second.name]}),
        (shares.remove_node_pool, {"node_pool_name": "cpu.1u-default"}),
        (shares.resize, {"node_pool_name": "cpu.1u-default", "count": 0}),
    ]
    for act, told in changes:
        with pytest.raises(NodeLocked):
            here.store.write_now(act, user, pool.name, **told)
    here.store.write_now(shares.resize, user, pool.name, node_pool_name="cpu.1u-default", count=1)
    assert [one.node.id for one in nodes_of(here, user, pool)] == [second.id]
    assert first.id != second.id
    unlocked = here.store.write_now(shares.unlock_nodes, user, pool.name, node=second.name, actions=("delete", "x"))
    assert unlocked.locked == ("drain",)
    here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    other = make(here, user, part("cpu.1u", 1))
    name = nodes_of(here, user, other)[0].node.name
    with pytest.raises(Invalid):
        here.store.write_now(shares.lock_nodes, user, other.name, node=name, actions=("",))


# ---- flavors --------------------------------------------------------------------------------------------------------


def test_flavors_are_made_of_what_the_machines_have(here: Place) -> None:
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))
    found = {one.name: one for one in here.store.read_now(nodes.site_flavors)}
    assert list(found) == ["cpu.1u", "cpu.2u", "cpu.4u", "cpu.8u", "cpu.16u", "dcu.1", "dcu.2", "dcu.4"]
    assert (found["cpu.8u"].size.millicores, found["cpu.8u"].size.memory) == (8000, 32 * GIB)
    assert (found["dcu.2"].size.cards, found["dcu.2"].size.millicores) == (2, 8000)
    assert (found["dcu.2"].size.memory, found["dcu.2"].card_memory) == (32 * GIB, 16 * GIB)
    assert [(one.most, one.free) for one in found.values()] == [
        (16, 16), (8, 8), (4, 4), (2, 2), (1, 1), (4, 4), (2, 2), (1, 1)
    ]  # fmt: skip


def test_flavors_are_sold_out_by_what_is_free_now_and_stay_the_same(here: Place, user: Caller) -> None:
    before = here.store.read_now(nodes.site_flavors)
    pool = make(here, user, part("dcu.2", 1))
    after = here.store.read_now(nodes.site_flavors)
    assert [(one.name, one.size, one.most) for one in after] == [(one.name, one.size, one.most) for one in before]
    assert {one.name for one in after if one.is_sold_out} == {"cpu.16u", "dcu.4"}
    here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    assert here.store.read_now(nodes.site_flavors) == before


def test_a_site_without_machines_has_no_flavors(here: Place) -> None:
    assert here.store.read_now(nodes.site_flavors) == []
