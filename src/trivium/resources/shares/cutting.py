"""Node pools made, resized and removed, with the slices that they come to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, select, update

from trivium.base.errors import Invalid
from trivium.base.query import Offset, Order, Query
from trivium.resources import labels, nodes
from trivium.resources.nodes import DELETE, Cut, Node, NodeInUse
from trivium.resources.pools import Pool
from trivium.resources.shares.errors import NodePoolExists, NoSuchNodePool
from trivium.resources.shares.table import node_pool_of, node_pools
from trivium.resources.shares.types import NewNodePool, NodePool
from trivium.store import Read, Write

NAME: Final = re.compile(r"[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?")
MOST_NODES: Final = 100_000


def add(tx: Write, pool: Pool, new: NewNodePool) -> NodePool:
    """A new node pool with its slices. `Invalid`, `NoSuchFlavor`, `NodePoolExists`, `NoCapacity`, `NetworkFull`."""
    name = f"{new.flavor}-default" if new.name is None else new.name
    if not NAME.fullmatch(name):
        raise Invalid("node_pool", "a node pool's name has 1 to 63 letters, digits, -, . and _")
    count = checked_count(new.count)
    most = count if new.max_count is None else checked_count(new.max_count)
    size = nodes.site_flavor(tx, new.flavor).size
    if tx.first(select(node_pools.c.id).where(node_pools.c.pool_id == pool.id, node_pools.c.name == name)) is not None:
        raise NodePoolExists(name=name)
    id = tx.ids.next()
    row = {"id": id, "uuid": uuid4(), "pool_id": pool.id, "name": name, "flavor": new.flavor, "nodes": count}
    sized = {
        "kind": size.kind,
        "model": size.model,
        "cards": size.cards,
        "millicores": size.millicores,
        "memory": size.memory,
    }
    told = {"max_count": most, "annotations": labels.checked_document(new.annotations, "annotations")}
    tx.run(insert(node_pools).values(**row, **sized, **told, created_at=tx.now, changed_at=tx.now))
    nodes.carve(tx, Cut(pool=pool, node_pool=id, flavor=new.flavor, size=size), count, new_uuid=uuid4)
    return get(tx, id)


def get(tx: Read, node_pool: int) -> NodePool:
    """The node pool with that id. `NoSuchNodePool`."""
    row = tx.first(select(node_pools).where(node_pools.c.id == node_pool))
    if row is None:
        raise NoSuchNodePool("node_pool", name=str(node_pool))
    return node_pool_of(row)


def resize(
    tx: Write,
    pool: Pool,
    found: NodePool,
    *,
    count: int | None = None,
    max_count: int | None = None,
    annotations: Mapping[str, Any] | None = None,
) -> NodePool:
    """Bring the node pool to another number of slices. `NoCapacity`, `NetworkFull`, `NodeInUse`, `NodeLocked`."""
    wanted = found.count if count is None else checked_count(count)
    most = found.max_count if max_count is None else checked_count(max_count)
    if wanted > found.count:
        cut = Cut(pool=pool, node_pool=found.id, flavor=found.flavor, size=found.size)
        nodes.carve(tx, cut, wanted - found.count, new_uuid=uuid4)
    elif wanted < found.count:
        nodes.give_back(tx, _least_missed(tx, found, found.count - wanted))
    values: dict[str, Any] = {"nodes": wanted, "max_count": max(most, wanted), "changed_at": tx.now}
    if annotations is not None:
        values["annotations"] = labels.checked_document(annotations, "annotations")
    tx.run(update(node_pools).where(node_pools.c.id == found.id).values(values))
    return get(tx, found.id)


def remove(tx: Write, found: NodePool) -> None:
    """Give all slices of the node pool back, and forget it. `NodeInUse`, `NodeLocked`."""
    mine = _slices(tx, found)
    for node in mine:
        nodes.must_be_unlocked(node, DELETE)
    nodes.give_back(tx, mine)
    tx.run(delete_rows(node_pools).where(node_pools.c.id == found.id))


def release(tx: Write, slices: Sequence[Node]) -> None:
    """Give just these slices back; their node pools have so many less. `NodeInUse`, `NodeLocked`."""
    for node in slices:
        nodes.must_be_unlocked(node, DELETE)
    nodes.give_back(tx, slices)
    for id in {node.node_pool for node in slices}:
        less = sum(node.node_pool == id for node in slices)
        values = {"nodes": node_pools.c.nodes - less, "changed_at": tx.now}
        tx.run(update(node_pools).where(node_pools.c.id == id).values(values))


def checked_count(count: int) -> int:
    """The number of nodes. `Invalid` when it makes no sense."""
    if not 0 <= count <= MOST_NODES:
        message = f"a node pool has at most {MOST_NODES} nodes"
        raise Invalid("count", message)
    return count


def _least_missed(tx: Write, found: NodePool, number: int) -> Sequence[Node]:
    """So many of the slices: those that give out nothing first, then the newest; none that anything is placed on."""
    free = [node for node in _slices(tx, found) if not node.held_millicores and not node.held_memory]
    if len(free) < number:
        raise NodeInUse(name=found.name)
    open_ones = [node for node in free if DELETE not in node.locked]
    if len(open_ones) < number:
        nodes.must_be_unlocked(next(node for node in free if DELETE in node.locked), DELETE)
    open_ones.sort(key=lambda node: (node.ready and not node.cordoned, -node.id))
    return open_ones[:number]


def _slices(tx: Read, found: NodePool) -> Sequence[Node]:
    asked = Query(order=(Order(field="id"),), page=Offset(limit=MOST_NODES), total=False)
    return nodes.list_nodes(tx, found.pool, asked, node_pool=found.id).rows
