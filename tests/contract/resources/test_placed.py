"""What is in a pool: whose notebooks are seen by whom, until when, and on which nodes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.builders import Place, cards
from tests.shares import allow, make, nodes_of, part, placed
from trivium.base.caller import Caller, Role
from trivium.base.query import Condition, Op, Order, Query
from trivium.base.units import GIB
from trivium.resources import networks, nodes, notebooks, pools
from trivium.resources.networks import NewNetwork
from trivium.resources.notebooks import Notebook, Status
from trivium.resources.notebooks.outcomes import note_alive, note_gone, note_stopped
from trivium.resources.notebooks.ports import Address, LaunchKey, Observation, Phase
from trivium.resources.pools import Pool

ASKED = Query(order=(Order("id"),))


@pytest.fixture
def alice(here: Place) -> Caller:
    """A user who may have pools, on a machine with room."""
    here.node(cores=64, memory=256 * GIB, cards=cards("dcu", 4))
    return allow(here, here.user("alice"))


def there(here: Place, caller: Caller, pool: Pool, asked: Query = ASKED) -> list[int]:
    return [one.id for one in here.store.search_now(notebooks.list_in_pool, caller, pool.id, asked=asked).rows]


def runs(here: Place, caller: Caller, notebook: Notebook) -> Notebook:
    """The notebook, which runs by now."""
    key = LaunchKey(launch=notebook.id, generation=notebook.generation)
    seen = Observation(key=key, phase=Phase.RUNNING, address=Address(port=1), workload=f"{notebook.id:064x}")
    here.store.write_now(note_alive, notebook, seen)
    return here.store.read_now(notebooks.get, caller, notebook.id)


def test_a_pool_has_its_notebooks_stopped_ones_too_until_they_are_gone(here: Place, alice: Caller) -> None:
    pool, image = make(here, alice, part("cpu.1u", 3)), here.image()
    one, two, three = (placed(here, alice, image, pool) for _ in range(3))
    stopping = here.store.write_now(notebooks.stop, alice, runs(here, alice, one).id)
    here.store.write_now(note_stopped, stopping)
    deleting = here.store.write_now(notebooks.release, alice, runs(here, alice, two).id)
    assert there(here, alice, pool) == [one.id, two.id, three.id]
    counted = here.store.search_now(notebooks.count_in_pool, alice, pool.id)
    assert counted == {Status.STOPPED: 1, Status.DELETING: 1, Status.CREATING: 1}
    here.store.write_now(note_gone, deleting)
    assert there(here, alice, pool) == [one.id, three.id]


def test_in_the_sites_pool_everybody_sees_their_projects_and_administrators_all(here: Place, alice: Caller) -> None:
    pool = here.store.read_now(pools.default_pool)
    assert pool is not None
    bob, image = here.user("bob"), here.image()
    hers, his = placed(here, alice, image, pool), placed(here, bob, image, pool)
    assert there(here, alice, pool) == [hers.id]
    assert there(here, bob, pool) == [his.id]
    assert there(here, here.admin, pool) == [hers.id, his.id]
    assert here.store.search_now(notebooks.count_in_pool, bob, pool.id) == {Status.CREATING: 1}
    assert here.store.search_now(notebooks.count_in_pool, here.admin, pool.id) == {Status.CREATING: 2}
    member = replace(here.admin, role=Role.MEMBER)
    assert there(here, member, pool) == []


def test_nodes_are_found_by_the_addresses_that_they_are_shown_with(here: Place, alice: Caller) -> None:
    net = here.store.write_now(networks.create, alice, NewNetwork(title="net", cidr="192.168.0.0/24"))
    joined = make(here, alice, part("cpu.1u", 2), network=net.name)
    alone = make(here, alice, part("cpu.1u", 1), title="alone")
    first, second = nodes_of(here, alice, joined)
    (single,) = nodes_of(here, alice, alone)
    shown = [first.node.private_address or "", single.node.address]
    assert here.store.search_now(nodes.at_addresses, joined.id, shown) == [first.node.id]
    assert here.store.search_now(nodes.at_addresses, alone.id, shown) == [single.node.id]
    image = here.image()
    made = placed(here, alice, image, joined)
    for node in (first.node, second.node):
        asked = replace(ASKED, where=(Condition(field="node", op=Op.IN, value=(node.id,)),))
        assert there(here, alice, joined, asked) == ([made.id] if made.node == node.id else [])
