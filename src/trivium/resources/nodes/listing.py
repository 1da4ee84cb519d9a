"""Lists of a pool's nodes: as values with their accelerators, or as ids and revisions, for whoever has the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import structs
from sqlalchemy import and_, bindparam, func, or_, select

from trivium.base.query import Condition, Listed, Op, Query, Stamp
from trivium.resources.nodes.errors import NoSuchNode
from trivium.resources.nodes.table import NODES, OF_POOL, devices, node_of, nodes
from trivium.resources.nodes.types import Cards, Node, NodeDetail
from trivium.store import Read, query

STAMP: Final = ("id", "revision")
QUERIES: Final = 256
CARDS: Final = (
    select(
        devices.c.node_id,
        devices.c.kind,
        devices.c.model,
        func.min(devices.c.memory).label("memory"),
        func.count().label("total"),
        func.count(devices.c.holder).label("held"),
    )
    .where(devices.c.node_id.in_(bindparam("nodes", expanding=True)), devices.c.present)
    .group_by(devices.c.node_id, devices.c.kind, devices.c.model)
    .order_by(devices.c.kind, devices.c.model)
)


def list_nodes(tx: Read, pool: int, asked: Query, *, node_pool: int | None = None) -> Listed[Node]:
    """The nodes of a pool, or of one of its node pools, as asked, with how many follow the page.

    It asks for no right: callers do. Raises what `query.page` and `query.remaining` raise.
    """
    asked = _within(asked, node_pool)
    found = query.page(tx, NODES, asked, scope=(OF_POOL.of(pool=pool),))
    left = query.remaining(tx, NODES, asked, found=found, scope=(OF_POOL.of(pool=pool),))
    return Listed(rows=tuple(map(node_of, found.rows)), total=found.total, next=found.next, remaining=left)


def list_stamps(tx: Read, pool: int, asked: Query, *, node_pool: int | None = None) -> Listed[Stamp]:
    """The same, as ids and revisions alone: a revision moves with a node's accelerators, too."""
    asked = _stamps(_within(asked, node_pool))
    found = query.page(tx, NODES, asked, scope=(OF_POOL.of(pool=pool),))
    left = query.remaining(tx, NODES, asked, found=found, scope=(OF_POOL.of(pool=pool),))
    return Listed(rows=tuple(found.rows), total=found.total, next=found.next, remaining=left)


def count(tx: Read, pool: int, *, node_pool: int | None = None, ready: bool | None = None) -> int:
    """How many nodes the pool has, or one of its node pools, or such of them as are ready or not; from counters."""
    asked = _within(Query(), node_pool)
    if ready is not None:
        asked = structs.replace(asked, where=(*asked.where, Condition(field="ready", op=Op.EQ, value=ready)))
    return query.count(tx, NODES, asked, scope=(OF_POOL.of(pool=pool),))


def details(tx: Read, found: Collection[Node]) -> Sequence[NodeDetail]:
    """The nodes with their accelerators, in their order."""
    cards: dict[int, list[Cards]] = {}
    for row in tx.all(CARDS, {"nodes": [node.id for node in found]}):
        free = int(row.total - row.held)
        one = Cards(kind=row.kind, model=row.model, memory=row.memory, total=int(row.total), free=free)
        cards.setdefault(row.node_id, []).append(one)
    return [NodeDetail(node=node, cards=tuple(cards.get(node.id, ()))) for node in found]


def by_ids(tx: Read, pool: int, ids: Sequence[int]) -> Mapping[int, NodeDetail]:
    """Those of these nodes that are the pool's, with their accelerators, by id."""
    mine = (nodes.c.id.in_(sorted(ids)), nodes.c.pool_id == pool, nodes.c.listed)
    found = [node_of(row) for row in tx.all(select(nodes).where(*mine))]
    return {one.node.id: one for one in details(tx, found)}


def by_name(tx: Read, pool: int, name: str) -> Node:
    """The node of that name in the pool. `NoSuchNode`."""
    row = tx.first(select(nodes).where(nodes.c.pool_id == pool, nodes.c.name == name, nodes.c.listed))
    if row is None:
        raise NoSuchNode(name=name)
    return node_of(row)


def at_addresses(tx: Read, pool: int, addresses: Collection[str]) -> Sequence[int]:
    """The ids of the pool's nodes that have one of these addresses: of their network where they are in one."""
    private, own = nodes.c.private_address, nodes.c.address
    wanted = sorted(set(addresses))
    there = or_(private.in_(wanted), and_(private.is_(None), own.in_(wanted)))
    mine = (nodes.c.pool_id == pool, nodes.c.listed)
    return [id for (id,) in tx.all(select(nodes.c.id).where(*mine, there).order_by(nodes.c.id))]


def named(tx: Read, pool: int, names: Collection[str]) -> frozenset[str]:
    """Those of the names that nodes of the pool have."""
    mine = (nodes.c.pool_id == pool, nodes.c.name.in_(sorted(set(names))), nodes.c.listed)
    return frozenset(name for (name,) in tx.all(select(nodes.c.name).where(*mine)))


def card_sizes(tx: Read) -> Collection[int]:
    """The memory of the site's accelerators in bytes, each size once. It goes through all of them."""
    sizes = select(devices.c.memory).where(devices.c.present, devices.c.memory > 0)
    return sorted(row.memory for row in tx.all(sizes.distinct()))


@lru_cache(QUERIES)
def _within(asked: Query, node_pool: int | None) -> Query:
    if node_pool is None:
        return asked
    return structs.replace(asked, where=(Condition(field="node_pool", op=Op.EQ, value=node_pool), *asked.where))


@lru_cache(QUERIES)
def _stamps(asked: Query) -> Query:
    return structs.replace(asked, fields=STAMP)
