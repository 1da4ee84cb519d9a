"""Use cases of pools as shares of the site. Each is one transaction: what it needs is there, or nothing is changed.

What is asked is done when the call returns; an operation of each change tells what it came to, for those who ask later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import uuid4

from sqlalchemy import BigInteger, bindparam, select

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import events, networks, nodes, operations, pools, projects, quotas, tags, workspaces
from trivium.resources.pools import Pool, PoolDetails
from trivium.resources.shares import cutting
from trivium.resources.shares.errors import NoSuchNodePool, PoolInUse
from trivium.resources.shares.rights import changing, managed
from trivium.resources.shares.table import node_pool_of
from trivium.resources.shares.table import node_pools as table
from trivium.resources.shares.tagging import KIND
from trivium.resources.shares.types import NewNodePool, NewPool, NodePool, NodePoolCount, Occupants
from trivium.store import Prepared, Read, Write
from trivium.store.columns import text

TITLE: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
MOST_NODE_POOLS: Final = 50

# Asked with every page of nodes, so the statements are built once.
_OF_POOL: Final = table.c.pool_id == bindparam("pool", type_=BigInteger)
NAMED: Final = Prepared(select(table).where(_OF_POOL, table.c.name == bindparam("name", type_=text())), "pool", "name")
NAMES: Final = Prepared(select(table.c.id, table.c.name).where(_OF_POOL), "pool")


def create(tx: Write, caller: Caller, new: NewPool, *, project: int | None = None) -> Pool:
    """A new pool of the caller's project, with its nodes; an administrator may name another project.

    Raises `Forbidden`, `Invalid` for what makes no sense, `NoSuchWorkspace`, `QuotaExceeded`, `PoolExists`,
    `NoSuchFlavor`, `NodePoolExists`, `NoSuchNetwork`, `NetworkFull`, and `NoCapacity` when the machines have not as
    much free.
    """
    if project is not None and project != caller.project:
        caller.must_be_admin("make pools for another project")
    of = projects.get(tx, caller.project if project is None else project)
    if not TITLE.fullmatch(new.title) or not TITLE.fullmatch(new.node_prefix):
        raise Invalid("title", "a pool's name has 1 to 63 small letters, digits and -, and begins with a letter")
    if not 0 < len(new.node_pools) <= MOST_NODE_POOLS:
        message = f"a pool has 1 to {MOST_NODE_POOLS} node pools"
        raise Invalid("node_pools", message)
    pools.alone(tx)
    workspaces.lock_for_use(tx, caller, new.workspace, project=of.id)
    quotas.claim(tx, caller, of.id, name=quotas.POOLS)
    network = None if new.network is None else networks.join(tx, caller, new.network, project=of.id)
    pool = pools.create(
        tx,
        uuid4(),
        name=f"{new.title}-{of.uuid.hex}",
        project=of.id,
        title=new.title,
        details=new.details,
        network=None if network is None else network.id,
        node_prefix=new.node_prefix,
        workspace=new.workspace,
    )
    for asked in new.node_pools:
        cutting.add(tx, pool, asked)
    return _changed(tx, caller, pool, verb="create", told={"name": pool.name, **_counts(tx, pool)})


def change(
    tx: Write,
    caller: Caller,
    name: str,
    *,
    details: PoolDetails | None = None,
    counts: Mapping[str, int] | None = None,
) -> Pool:
    """Say something else of a pool, and give its node pools, by their names, other numbers of nodes; all or nothing.

    What is None stays. An administrator may say something else of the default pool, too. Raises `NoSuchPool`,
    `Forbidden`, `Invalid`, `NoSuchNodePool`, `OfMachines`, `NoCapacity`, `NetworkFull`, and when it gets smaller
    `NodeInUse` where too few of the nodes have nothing placed on them, `NodeLocked` where these are locked.
    """
    pool = changing(tx, caller, name) if counts else _alone(tx, caller, name)
    before = _counts(tx, pool)
    if details is not None:
        pool = pools.change(tx, pool.id, details)
    for node_pool_name, count in (counts or {}).items():
        cutting.resize(tx, pool, node_pool(tx, caller, name, node_pool=node_pool_name), count=count)
    if counts:
        return _changed(tx, caller, pool, verb="resize", before=before, told=_counts(tx, pool))
    return _changed(tx, caller, pool, verb="change", told={})


def delete(tx: Write, caller: Caller, name: str, *, occupants: Sequence[Occupants]) -> Pool:
    """Delete a pool, and show what it was; what it had is free again.

    Raises `NoSuchPool`, `Forbidden`, `OfMachines`, `NodeInUse` and `PoolInUse` while notebooks are in it, `NodeLocked`.
    """
    pool = changing(tx, caller, name)
    before = _counts(tx, pool)
    for found in _of(tx, pool):
        cutting.remove(tx, found)
    for occupant in occupants:  # with the nodes locked: whoever comes now finds none
        there = occupant.in_pool(tx, pool.id)
        if there is not None:
            raise PoolInUse(name=name, holds=there)
    if pool.network is not None:
        networks.leave(tx, pool.network)
    if pool.project is not None:
        quotas.give_back(tx, pool.project, name=quotas.POOLS)
    tags.remove_all(tx, KIND, pool.id)
    gone = pools.remove(tx, pool.id)
    _note(tx, caller, gone, verb="delete", before={"name": name, **before}, told={})
    return gone


def node_pools(tx: Read, caller: Caller, name: str) -> Sequence[tuple[NodePool, NodePoolCount]]:
    """The node pools of a pool with how many nodes they have now, oldest first. `NoSuchPool`.

    A pool of machines has none.
    """
    pool = pools.find_any(tx, caller, name)
    return [(found, count_of(tx, found)) for found in _of(tx, pool)]


def node_pool(tx: Read, caller: Caller, name: str, *, node_pool: str) -> NodePool:
    """The node pool of that name in the pool. `NoSuchPool`, `NoSuchNodePool`."""
    pool = pools.find_any(tx, caller, name)
    row = NAMED.first(tx, pool.id, node_pool)
    if row is None:
        raise NoSuchNodePool("node_pool", name=node_pool[:64])
    return node_pool_of(row)


def names(tx: Read, pool: int) -> Mapping[int, str]:
    """What the node pools of a pool are called, by their ids. It asks for no right: callers do."""
    return {row.id: row.name for row in NAMES.rows(tx, pool)}


def count_of(tx: Read, found: NodePool) -> NodePoolCount:
    """How many nodes the node pool has now; from counters."""
    ready, unready = (nodes.count(tx, found.pool, node_pool=found.id, ready=which) for which in (True, False))
    return NodePoolCount(ready=ready, unready=unready)


def add_node_pool(tx: Write, caller: Caller, name: str, *, new: NewNodePool) -> NodePool:
    """A new node pool in a pool, with its nodes. Raises what `create` raises of node pools, and what `change` does."""
    pool = changing(tx, caller, name)
    before = _counts(tx, pool)
    if len(before) >= MOST_NODE_POOLS:
        message = f"a pool has 1 to {MOST_NODE_POOLS} node pools"
        raise Invalid("node_pools", message)
    made = cutting.add(tx, pool, new)
    _changed(tx, caller, pool, verb="resize", before=before, told=_counts(tx, pool))
    return made


def resize(
    tx: Write,
    caller: Caller,
    name: str,
    *,
    node_pool_name: str,
    count: int | None = None,
    max_count: int | None = None,
    annotations: Mapping[str, object] | None = None,
) -> NodePool:
    """Give a node pool other numbers; what is None stays. Raises what `change` raises."""
    pool = changing(tx, caller, name)
    before = _counts(tx, pool)
    found = node_pool(tx, caller, name, node_pool=node_pool_name)
    after = cutting.resize(tx, pool, found, count=count, max_count=max_count, annotations=annotations)
    _changed(tx, caller, pool, verb="resize", before=before, told=_counts(tx, pool))
    return after


def remove_node_pool(tx: Write, caller: Caller, name: str, *, node_pool_name: str) -> NodePool:
    """Take a node pool out of a pool, and show what it was. Raises what `change` raises."""
    pool = changing(tx, caller, name)
    before = _counts(tx, pool)
    found = node_pool(tx, caller, name, node_pool=node_pool_name)
    cutting.remove(tx, found)
    _changed(tx, caller, pool, verb="resize", before=before, told=_counts(tx, pool))
    return found


def release(tx: Write, caller: Caller, name: str, *, names: Collection[str]) -> Pool:
    """Give just these nodes of a pool back; at least one stays.

    Raises `NoSuchPool`, `Forbidden`, `OfMachines`, `NoSuchNode`, `Invalid`, `NodeInUse`, `NodeLocked`.
    """
    pool = changing(tx, caller, name)
    slices = [nodes.by_name(tx, pool.id, one) for one in sorted(set(names))]
    if not slices or nodes.count(tx, pool.id) <= len(slices):
        raise Invalid("nodes", "some nodes are given back, and at least one stays")
    before = _counts(tx, pool)
    cutting.release(tx, slices)
    return _changed(tx, caller, pool, verb="resize", before=before, told=_counts(tx, pool))


def _changed(
    tx: Write,
    caller: Caller,
    pool: Pool,
    *,
    verb: str,
    told: Mapping[str, object],
    before: Mapping[str, object] | None = None,
) -> Pool:
    """The pool after its nodes changed: units and phase follow, and it is written down what was done."""
    if pool.project is not None:
        nodes.set_units(tx, pool.id, nodes.in_pool(tx, pool.id))
        nodes.note_phase(tx, pool.id)
    _note(tx, caller, pool, verb=verb, before=before or {}, told=told)
    return pools.get(tx, pool.id)


def _alone(tx: Write, caller: Caller, name: str) -> Pool:
    pools.alone(tx)
    return managed(tx, caller, name)


def _of(tx: Read, pool: Pool) -> Sequence[NodePool]:
    return [node_pool_of(row) for row in tx.all(select(table).where(table.c.pool_id == pool.id).order_by(table.c.id))]


def _counts(tx: Read, pool: Pool) -> dict[str, object]:
    return {found.name: found.count for found in _of(tx, pool)}


def _note(
    tx: Write, caller: Caller, pool: Pool, *, verb: str, before: Mapping[str, object], told: Mapping[str, object]
) -> None:
    operation = operations.start(tx, caller, f"pool.{verb}", target=pool.id, project=pool.project)
    operations.finish(tx, operation.id, result={"pool": pool.name, "node_pools": told})
    events.record(
        tx, caller, f"pool.{verb}", target=pool.id, project=pool.project, before=before or None, after=told or None
    )
