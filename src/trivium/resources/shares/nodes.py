"""Use cases of a pool's nodes: listing, locking and draining."""

from __future__ import annotations

from collections.abc import Collection

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query, Stamp
from trivium.resources import events, nodes, operations, pools
from trivium.resources.nodes import Node, NodeDetail
from trivium.resources.pools import Pool
from trivium.resources.shares import service
from trivium.resources.shares.rights import managed
from trivium.store import Read, Write


def list_nodes(
    tx: Read, caller: Caller, name: str, *, asked: Query, node_pool: str | None = None
) -> Listed[NodeDetail]:
    """The nodes of a pool, or of one of its node pools, as asked, with how many follow the page.

    Raises `NoSuchPool`, `NoSuchNodePool`, and what `query.page` and `query.remaining` raise.
    """
    pool, only = _place(tx, caller, name, node_pool=node_pool)
    found = nodes.list_nodes(tx, pool.id, asked, node_pool=only)
    rows = tuple(nodes.details(tx, found.rows))
    return Listed(rows=rows, total=found.total, next=found.next, remaining=found.remaining)


def list_stamps(
    tx: Read, caller: Caller, name: str, *, asked: Query, node_pool: str | None = None
) -> tuple[Pool, Listed[Stamp]]:
    """The pool, and the same as ids and revisions: `nodes.by_ids` has the rest. Raises the same."""
    pool, only = _place(tx, caller, name, node_pool=node_pool)
    return pool, nodes.list_stamps(tx, pool.id, asked, node_pool=only)


def node(tx: Read, caller: Caller, name: str, *, node: str) -> NodeDetail:
    """The node of that name in the pool. `NoSuchPool`, `NoSuchNode`."""
    pool = pools.find_any(tx, caller, name)
    return nodes.details(tx, [nodes.by_name(tx, pool.id, node)])[0]


def lock_nodes(tx: Write, caller: Caller, name: str, *, node: str, actions: Collection[str]) -> Node:
    """Lock a node against actions, besides those that it is locked against already.

    A node that is locked against `delete` is not given back. Raises `NoSuchPool`, `Forbidden`, `NoSuchNode`, `Invalid`.
    """
    before = _own(tx, caller, name, node=node)
    return _locked(tx, caller, before, actions={*before.locked, *actions}, verb="lock")


def unlock_nodes(tx: Write, caller: Caller, name: str, *, node: str, actions: Collection[str]) -> Node:
    """Lock a node against these actions no more. Raises what `lock_nodes` raises."""
    before = _own(tx, caller, name, node=node)
    return _locked(tx, caller, before, actions={*before.locked} - {*actions}, verb="unlock")


def drain(tx: Write, caller: Caller, name: str, *, node: str) -> Node:
    """Place nothing new on a node; what runs there goes on. A machine's slices are drained with it.

    Raises `NoSuchPool`, `Forbidden`, `NoSuchNode`, and `NodeLocked` where it is locked against `drain`.
    """
    before = _own(tx, caller, name, node=node)
    nodes.must_be_unlocked(before, "drain")
    return _cordoned(tx, caller, before, cordoned=True, verb="drain")


def resume(tx: Write, caller: Caller, name: str, *, node: str) -> Node:
    """Place things on a drained node again. Raises `NoSuchPool`, `Forbidden`, `NoSuchNode`."""
    return _cordoned(tx, caller, _own(tx, caller, name, node=node), cordoned=False, verb="resume")


def _place(tx: Read, caller: Caller, name: str, *, node_pool: str | None) -> tuple[Pool, int | None]:
    pool = pools.find_any(tx, caller, name)
    return pool, None if node_pool is None else service.node_pool(tx, caller, name, node_pool=node_pool).id


def _own(tx: Write, caller: Caller, name: str, *, node: str) -> Node:
    """The node, locked, of a pool that the caller may change."""
    pool = managed(tx, caller, name)
    found = nodes.locked(tx, nodes.by_name(tx, pool.id, node).id)
    if found is None:
        raise nodes.NoSuchNode(name=node)
    return found


def _locked(tx: Write, caller: Caller, before: Node, *, actions: Collection[str], verb: str) -> Node:
    nodes.set_locked(tx, before, actions)
    return _noted(tx, caller, before, verb=verb, field="locked")


def _cordoned(tx: Write, caller: Caller, before: Node, *, cordoned: bool, verb: str) -> Node:
    nodes.set_cordoned(tx, before, cordoned=cordoned)
    return _noted(tx, caller, before, verb=verb, field="cordoned")


def _noted(tx: Write, caller: Caller, before: Node, *, verb: str, field: str) -> Node:
    """The node after a change, which is an operation and an event."""
    after = nodes.get(tx, before.id)
    project = pools.get(tx, before.pool).project
    operation = operations.start(tx, caller, f"node.{verb}", target=before.id, project=project)
    operations.finish(tx, operation.id, result={"node": before.name})
    events.record(
        tx,
        caller,
        f"node.{verb}",
        target=before.id,
        project=project,
        before={field: getattr(before, field)},
        after={field: getattr(after, field)},
    )
    return after
