"""Networks: private ranges that never overlap in a project, labels that select, addresses that nodes get once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.builders import Place
from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import After, Offset, Order, Query
from trivium.resources import events, networks, quotas
from trivium.resources.labels import Requirement, Selecting
from trivium.resources.networks import (
    BadCidr,
    Network,
    NetworkFull,
    NetworkInUse,
    NetworkOverlaps,
    NewNetwork,
    NoSuchNetwork,
)
from trivium.resources.quotas import QuotaExceeded

EIGHT = 8  # who come at once


def make(here: Place, caller: Caller, cidr: str, title: str = "net", **more: Any) -> Network:
    return here.store.write_now(networks.create, caller, NewNetwork(title=title, cidr=cidr, **more))


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """What came of the work, or the error that it raised, for each of several who do it at once."""

    def one(number: int) -> Any:
        try:
            return work(number)
        except (NetworkOverlaps, QuotaExceeded, NetworkFull) as error:
            return error

    with ThreadPoolExecutor(EIGHT) as pool:
        return list(pool.map(one, range(EIGHT)))


def test_a_network_is_what_was_asked_for(here: Place) -> None:
    user = here.user("alice")
    connection = {"peerConnectionList": [{"peerVpcId": "vpc"}]}
    made = make(here, user, "192.168.128.0/17", "net-7a03", labels={"team": "vision"}, connection=connection)
    assert made.name == f"net-7a03-{made.uuid.hex}"
    assert (made.cidr, made.phase, made.pools, made.deleted_at) == ("192.168.128.0/17", "active", 0, None)
    assert (made.labels, made.connection) == ({"team": "vision"}, connection)
    assert here.store.read_now(networks.by_name, user, made.name) == made
    told = here.store.read_now(events.latest, "network", target=made.id)
    assert [(event.action, event.user) for event in told] == [("network.create", user.user)]


@pytest.mark.parametrize(
    "cidr",
    [
        "192.168.128.0/16",  # has bits of a host
        "8.8.8.0/24",
        "172.15.0.0/16",
        "127.0.0.0/8",
        "192.168.0.0/30",
        "192.168.0.1",
        "192.168.0.0/255.255.0.0",
        "192.168.00.0/24",
        "fd00::/64",
        "",
        "192.168.0.0/24 ",
    ],
)
def test_what_is_no_range_of_private_addresses_is_refused(here: Place, cidr: str) -> None:
    with pytest.raises(BadCidr):
        make(here, here.admin, cidr)
    assert here.store.read_now(quotas.get, here.admin.project, quotas.NETWORKS).used == 0


@pytest.mark.parametrize("cidr", ["192.168.0.0/16", "192.168.5.0/24", "192.168.4.0/22"])
def test_ranges_of_a_project_do_not_overlap(here: Place, cidr: str) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    first = make(here, alice, "192.168.5.0/24")
    with pytest.raises(NetworkOverlaps) as refused:
        make(here, alice, cidr)
    assert refused.value.details["name"] == first.name
    make(here, bob, cidr)
    make(here, alice, "192.168.6.0/24")
    here.store.write_now(networks.delete, alice, first.name)
    make(here, alice, "192.168.5.0/24")


def test_of_several_who_want_the_same_range_at_once_one_gets_it(here: Place) -> None:
    user = here.user("alice")
    came = at_once(lambda number: make(here, user, f"10.0.{number}.0/16" if number == 0 else "10.0.0.0/16"))
    assert sum(isinstance(one, Network) for one in came) == 1
    assert sum(isinstance(one, NetworkOverlaps) for one in came) == EIGHT - 1
    assert here.store.read_now(quotas.get, user.project, quotas.NETWORKS).used == 1


def test_a_project_has_no_more_networks_than_its_quota_says(here: Place) -> None:
    user = here.user("alice")
    here.store.write_now(quotas.set_most, here.admin, user.project, name=quotas.NETWORKS, most=3)
    came = at_once(lambda number: make(here, user, f"10.{number}.0.0/16"))
    assert sum(isinstance(one, Network) for one in came) == 3
    assert sum(isinstance(one, QuotaExceeded) for one in came) == EIGHT - 3
    here.store.write_now(
        networks.create, here.admin, NewNetwork(title="more", cidr="10.99.0.0/16"), project=user.project
    )
    assert here.store.read_now(quotas.get, user.project, quotas.NETWORKS) == quotas.Quota("networks", 3, 4)


def test_anothers_network_is_not_found(here: Place) -> None:
    alice, bob = here.user("alice"), here.user("bob")
    made = make(here, alice, "10.0.0.0/16")
    for act in (networks.by_name, networks.delete, networks.change):
        with pytest.raises(NoSuchNetwork):
            here.store.write_now(act, bob, made.name)
    assert here.store.read_now(networks.list_networks, bob, Query()).rows == ()
    assert here.store.read_now(networks.by_name, here.admin, made.name) == made


def test_a_change_leaves_what_is_not_named(here: Place) -> None:
    user = here.user("alice")
    made = make(here, user, "10.0.0.0/16", annotations={"a": "1"}, connection={"b": [1]})
    changed = here.store.write_now(networks.change, user, made.name, description="the lab's")
    assert (changed.description, changed.annotations, changed.connection) == ("the lab's", {"a": "1"}, {"b": [1]})
    with pytest.raises(Invalid):
        here.store.write_now(networks.change, user, made.name, connection={"big": "x" * 100_000})
    assert here.store.read_now(networks.get, made.id) == changed


def test_a_network_that_a_pool_uses_stays(here: Place) -> None:
    user = here.user("alice")
    made = make(here, user, "10.0.0.0/16")
    here.store.write_now(networks.join, user, made.name, project=user.project)
    with pytest.raises(NetworkInUse):
        here.store.write_now(networks.delete, user, made.name)
    here.store.write_now(networks.leave, made.id)
    gone = here.store.write_now(networks.delete, user, made.name)
    assert (gone.phase, gone.deleted_at) == ("deleting", here.clock.now())
    with pytest.raises(NoSuchNetwork):
        here.store.write_now(networks.delete, user, made.name)
    assert here.store.read_now(quotas.get, user.project, quotas.NETWORKS).used == 0


def test_addresses_are_given_once_lowest_first_and_come_back(here: Place) -> None:
    made = make(here, here.admin, "192.168.7.0/28")

    def give(*holders: int) -> list[str]:
        return list(here.store.write_now(networks.give, made.id, holders=holders))

    assert here.store.read_now(networks.availability, made) == networks.Addresses(total=13, used=0)
    assert give(1, 2) == ["192.168.7.2", "192.168.7.3"]
    here.store.write_now(networks.take_back, (1,))
    assert give(3, 4) == ["192.168.7.2", "192.168.7.4"]
    with pytest.raises(NetworkFull):
        give(*range(10, 21))
    assert give(*range(10, 20))[-1] == "192.168.7.14"
    assert here.store.read_now(networks.availability, made) == networks.Addresses(total=13, used=13)


def test_nobody_gets_an_address_that_another_has(here: Place) -> None:
    made = make(here, here.admin, "192.168.7.0/28")
    came = at_once(lambda number: here.store.write_now(networks.give, made.id, holders=(number + 1, number + 100)))
    given = [address for one in came if not isinstance(one, NetworkFull) for address in one]
    assert len(given) == len(set(given)) == 12


SELECTORS = [
    (Requirement("env", Selecting.IN, ("dev",)), {"a"}),
    (Requirement("env", Selecting.IN, ("dev", "prod")), {"a", "b"}),
    (Requirement("env", Selecting.NOT_IN, ("dev",)), {"b", "c"}),
    (Requirement("env", Selecting.EXISTS), {"a", "b"}),
    (Requirement("env", Selecting.NOT_EXISTS), {"c"}),
    (Requirement("none", Selecting.EXISTS), set()),
]


@pytest.mark.parametrize(("wanted", "expected"), SELECTORS)
def test_selectors_choose_as_those_of_kubernetes_do(here: Place, wanted: Requirement, expected: set[str]) -> None:
    user = here.user("alice")
    for title, env in (("a", "dev"), ("b", "prod"), ("c", None)):
        make(here, user, f"10.{ord(title)}.0.0/16", title, labels={"all": "yes"} | ({"env": env} if env else {}))
    both = (Requirement("all", Selecting.IN, ("yes",)), wanted)
    found = here.store.search_now(networks.list_networks, user, Query(), selector=both)
    assert {one.title for one in found.rows} == expected
    assert found.total == len(expected)


def test_a_requirement_without_what_it_needs_is_refused(here: Place) -> None:
    for wanted in (Requirement("env", Selecting.IN), Requirement("env", Selecting.EXISTS, ("dev",))):
        with pytest.raises(Invalid):
            here.store.search_now(networks.list_networks, here.admin, Query(), selector=(wanted,))


def test_a_walk_meets_each_network_once_and_says_how_many_are_left(here: Place) -> None:
    user = here.user("alice")
    made = [make(here, user, f"10.{number}.0.0/16") for number in range(7)]
    seen: list[str] = []
    left: list[int | None] = []
    page: Offset | After = Offset(limit=2)
    while True:
        found = here.store.read_now(networks.list_networks, user, Query(order=(Order("id"),), page=page))
        seen += [one.name for one in found.rows]
        left.append(found.remaining)
        if found.next is None:
            break
        if len(seen) == 4:  # what went is not met, and what came is met at the end
            here.store.write_now(networks.delete, user, made[5].name)
            made.append(make(here, user, "10.77.0.0/16"))
        page = After(limit=2, key=found.next)
    assert seen == [one.name for one in made if one is not made[5]]
    assert left == [5, 3, 1, 0]
