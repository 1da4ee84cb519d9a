"""Nodes: parts of them are given out, never one twice, and come back whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.builders import HOST, Place, cards, free_of, node_found
from trivium.base.units import GIB
from trivium.resources import nodes, pools
from trivium.resources.nodes import Need, NoCapacity, Placement
from trivium.server.host.inventory import take_stock
from trivium.store import Read, Write


def _pool(tx: Read) -> int:
    pool = pools.default_pool(tx)
    assert pool is not None
    return pool.id


def _reserve(here: Place, holder: int, kind: str = "dcu", count: int = 1) -> Placement:
    def use(tx: Write) -> Placement:
        need = Need(kind=kind, count=count, millicores=1000 * count, memory=GIB * count)
        return nodes.reserve(tx, holder, pool=_pool(tx), need=need, hosts=(HOST,))

    return here.store.write_now(use)


def test_what_is_reserved_is_taken_off_what_is_free_and_comes_back(here: Place) -> None:
    here.node(cores=8, memory=64 * GIB, cards=cards("dcu", 4))
    assert free_of(here, "dcu") == nodes.Availability(most=4, free=4)
    placement = _reserve(here, 1, count=3)
    assert placement.indexes == (0, 1, 2)
    assert free_of(here, "dcu") == nodes.Availability(most=4, free=1)
    assert here.store.write_now(nodes.free, 1)
    assert free_of(here, "dcu") == nodes.Availability(most=4, free=4)
    assert not here.store.write_now(nodes.free, 1)


def test_more_than_there_is_is_refused_and_leaves_no_trace(here: Place) -> None:
    here.node(cores=8, memory=64 * GIB, cards=cards("dcu", 2))
    with pytest.raises(NoCapacity):
        _reserve(here, 1, count=3)
    with pytest.raises(NoCapacity):
        _reserve(here, 1, kind="cpu", count=9)
    assert free_of(here, "dcu").free == 2
    assert here.store.read_now(nodes.held_by, 1) is None


def test_who_asks_twice_holds_once(here: Place) -> None:
    here.node(cards=cards("gpu", 2))
    assert _reserve(here, 1, kind="gpu") == _reserve(here, 1, kind="gpu")
    assert free_of(here, "gpu").free == 1


def test_fifty_at_once_get_each_card_once(here: Place) -> None:
    here.node(cores=64, memory=512 * GIB, cards=cards("dcu", 16))

    def one(holder: int) -> Placement | None:
        try:
            return _reserve(here, holder)
        except NoCapacity:
            return None

    with ThreadPoolExecutor(16) as pool:
        placements = list(pool.map(one, range(1, 51)))
    given = sorted(index for placement in placements if placement is not None for index in placement.indexes)
    assert given == list(range(16))
    with ThreadPoolExecutor(16) as pool:
        freed = list(pool.map(lambda holder: here.store.write_now(nodes.free, holder), range(1, 51)))
    assert sum(freed) == 16
    assert free_of(here, "dcu") == nodes.Availability(most=16, free=16)


def test_a_card_that_vanished_is_not_given_out(here: Place) -> None:
    here.node(cards=cards("dcu", 2))
    here.node(cards=cards("dcu", 1))
    assert free_of(here, "dcu") == nodes.Availability(most=1, free=1)


def test_a_node_that_is_not_ready_gives_nothing(here: Place) -> None:
    here.node(cards=cards("dcu", 2))
    here.store.write_now(take_stock, (), host="test-host")
    assert free_of(here, "dcu") == nodes.Availability(most=0, free=0)
    with pytest.raises(NoCapacity):
        _reserve(here, 1)


def test_taking_stock_again_keeps_what_is_held(here: Place) -> None:
    here.node(cards=cards("dcu", 2))
    _reserve(here, 7)
    here.store.write_now(take_stock, (node_found(8, 64 * GIB, cards("dcu", 2)),), host="test-host")
    held = here.store.read_now(nodes.held_by, 7)
    assert held is not None
    assert held.indexes == (0,)
    assert free_of(here, "dcu").free == 1
