"""Pools of projects for tests, and the account that must always balance: nothing is given out twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from tests.builders import CAPABLE, HOST, Place
from trivium.base.caller import Caller
from trivium.base.query import Offset, Order, Query
from trivium.resources import nodes, notebooks, quotas, shares
from trivium.resources.images import Image
from trivium.resources.nodes import Node, NodeDetail
from trivium.resources.nodes.table import devices, node_of, reservations
from trivium.resources.nodes.table import nodes as nodes_table
from trivium.resources.notebooks import Notebook, NotebookSpec
from trivium.resources.pools import Pool, PoolDetails
from trivium.resources.shares import NewNodePool, NewPool
from trivium.resources.shares.table import node_pools
from trivium.store import Read

EVERY = Query(order=(Order("id"),), page=Offset(limit=1000))
OCCUPANTS = (notebooks.NotebookOccupants(),)


def allow(here: Place, caller: Caller, most: int = 10) -> Caller:
    """The caller, whose project may have so many pools from now on."""
    here.store.write_now(quotas.set_most, here.admin, caller.project, name=quotas.POOLS, most=most)
    return caller


def part(flavor: str, count: int, name: str | None = None, **more: Any) -> NewNodePool:
    return NewNodePool(flavor=flavor, count=count, name=name, **more)


def make(here: Place, caller: Caller, *parts: NewNodePool, title: str = "pool", **more: Any) -> Pool:
    """A new pool of the caller's project."""
    new = NewPool(title=title, details=more.pop("details", PoolDetails()), node_pools=parts, **more)
    return here.store.write_now(shares.create, caller, new)


def nodes_of(here: Place, caller: Caller, pool: Pool, node_pool: str | None = None) -> tuple[NodeDetail, ...]:
    """The pool's nodes, oldest first."""
    return here.store.read_now(shares.list_nodes, caller, pool.name, asked=EVERY, node_pool=node_pool).rows


def machine(here: Place) -> Node:
    """The only machine."""

    def look(tx: Read) -> Node:
        (row,) = tx.all(select(nodes_table).where(nodes_table.c.parent_id.is_(None)))
        return node_of(row)

    return here.store.read_now(look)


def placed(here: Place, caller: Caller, image: Image, pool: Pool, kind: str = "cpu", count: int = 1) -> Notebook:
    """A notebook that was just asked for in the pool."""
    spec = NotebookSpec(image_path=image.path, kind=kind, count=count, pool=pool.name)
    return here.store.write_now(notebooks.create, caller, here.site, spec=spec, hosts={HOST: CAPABLE})


def free_of(here: Place, pool: Pool, kind: str = "cpu") -> nodes.Availability:
    """What the pool has of a kind."""
    return here.store.read_now(lambda tx: nodes.AvailabilityCache().of(tx, pool.id)[kind])


def balanced(here: Place, *, cores: int = 0, memory: int = 0) -> None:
    """Raise unless all that is held, of machines and of slices, adds up, and no card is anybody's twice.

    `cores` and `memory` are what the machine had once, where it has shrunk since.
    """
    here.store.read_now(_balanced, cores * 1000, memory)


def _balanced(tx: Read, once: int, once_memory: int) -> None:
    every = [node_of(row) for row in tx.all(select(nodes_table).where(nodes_table.c.listed))]
    cards = tx.all(select(devices))
    booked = tx.all(select(reservations))
    at = {one.holder: one.node_id for one in booked}
    for node in every:
        slices = [one for one in every if one.parent == node.id]
        mine = [one for one in booked if one.node_id == node.id]
        cores, memory = sum(one.millicores for one in slices), sum(one.memory for one in slices)
        assert (node.sliced_millicores, node.sliced_memory) == (cores, memory)
        assert node.held_millicores == cores + sum(one.millicores for one in mine)
        assert node.held_memory == memory + sum(one.memory for one in mine)
        whole = node.parent is None
        assert node.held_millicores <= max(node.millicores, once if whole else 0)
        assert node.held_memory <= max(node.memory, once_memory if whole else 0)
        own = [card for card in cards if card.node_id == node.id]
        assert len(own) == node.cards or node.parent is None
        assert all(card.holder is None or at[card.holder] == node.id for card in own)
    assert {card.node_id for card in cards} <= {node.id for node in every}
    assert len({(card.kind, card.number) for card in cards}) == len(cards)
    for one in booked:
        held = [card for card in cards if card.holder == one.holder]
        assert len(held) == (0 if one.kind == "cpu" else one.units)
    for row in tx.all(select(node_pools)):
        assert sum(node.node_pool == row.id for node in every) == row.nodes
        assert nodes.count(tx, row.pool_id, node_pool=row.id) == row.nodes
