"""What can be asked of nodes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from trivium.base.caller import Caller
from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.dialects.modelarts.nodes.listing import Lists
from trivium.dialects.modelarts.nodes.shapes import (
    DeleteBody,
    DrainBody,
    LockBody,
    NodeResult,
    NodeResults,
    NodeShape,
)
from trivium.dialects.modelarts.nodes.translation import Surroundings, node_shape
from trivium.dialects.modelarts.objects import ContinuedQuery
from trivium.dialects.operation import Action, Call, Mark, Nothing, Operation, Read, View, Wire, Write
from trivium.resources import nodes, pools, shares

IN_POOL: Final = "/v2/{project_id}/pools/{pool_name}/nodes"
IN_NODE_POOL: Final = "/v2/{project_id}/pools/{pool_name}/nodepools/{nodepool_name}/nodes"
POOL: Final = "pool_name"


def show_node(tx: Read, call: Call[Nothing, Nothing]) -> NodeShape:
    """One node."""
    names = call.request.parameters
    pool = pools.find_any(tx, call.caller, names[POOL])
    found = shares.node(tx, call.caller, pool.name, node=names["node_name"])
    return node_shape(found, Surroundings(tx, pool).of(found.node), call.core.site.name)


async def delete_nodes(call: Call[DeleteBody, Nothing]) -> None:
    """Give nodes of a pool back."""
    await call.write(shares.release, call.request.parameters[POOL], names=call.body.deleteNodeNames)


async def lock_nodes(call: Call[LockBody, Nothing]) -> NodeResults:
    """Lock nodes against actions."""
    names, actions = call.body.nodeNames, call.body.actions
    return await call.write(_lock, call.request.parameters[POOL], names=names, actions=actions)


async def unlock_nodes(call: Call[LockBody, Nothing]) -> NodeResults:
    """Lock nodes against these actions no more."""
    names, actions = call.body.nodeNames, call.body.actions
    return await call.write(_unlock, call.request.parameters[POOL], names=names, actions=actions)


async def drain_nodes(call: Call[DrainBody, Nothing]) -> None:
    """Place nothing new on nodes."""
    await call.write(_drain, call.request.parameters[POOL], names=call.body.nodeNames)


def operations(keyring: Keyring, site: Site) -> tuple[Operation, ...]:
    """All of it."""
    lists = Lists(keyring, site)
    return (
        Operation(
            name="ListPoolNodes",
            method="GET",
            path=IN_POOL,
            handler=View(look=lists.of_pool),
            mark=Mark.SEED,
            summary="The nodes of a pool, a page at a time",
            query=ContinuedQuery,
        ),
        Operation(
            name="ListNodePoolNodes",
            method="GET",
            path=IN_NODE_POOL,
            handler=View(look=lists.of_node_pool),
            mark=Mark.SEED,
            summary="The nodes of a node pool, a page at a time",
            query=ContinuedQuery,
        ),
        Operation(
            name="ShowPoolNode",
            method="GET",
            path=f"{IN_POOL}/{{node_name}}",
            handler=View(look=show_node),
            mark=Mark.COMPANION,
            summary="One node",
        ),
        _batch("Delete", delete_nodes, DeleteBody, summary="Give nodes of a pool back"),
        _batch("Lock", lock_nodes, LockBody, summary="Lock nodes against actions"),
        _batch("Unlock", unlock_nodes, LockBody, summary="Lock nodes against these actions no more"),
        _batch("Drain", drain_nodes, DrainBody, summary="Place nothing new on nodes"),
    )


def _batch(verb: str, handler: Action, body: type[Wire], *, summary: str) -> Operation:
    """What is done to several nodes of a pool."""
    return Operation(
        name=f"Batch{verb}PoolNodes",
        method="POST",
        path=f"{IN_POOL}/batch-{verb.lower()}",
        handler=handler,
        mark=Mark.COMPANION,
        summary=summary,
        body=body,
    )


def _lock(tx: Write, caller: Caller, pool: str, *, names: Collection[str], actions: Collection[str]) -> NodeResults:
    """Lock those that are there; of the others it is told that they are not."""
    there = _there(tx, caller, pool, names=names)
    for name in sorted(there):
        shares.lock_nodes(tx, caller, pool, node=name, actions=actions)
    return _results(names, there)


def _unlock(tx: Write, caller: Caller, pool: str, *, names: Collection[str], actions: Collection[str]) -> NodeResults:
    """The same the other way; one that was drained and is unlocked for that is used again."""
    there = _there(tx, caller, pool, names=names)
    for name in sorted(there):
        shares.unlock_nodes(tx, caller, pool, node=name, actions=actions)
        if "drain" in actions:
            shares.resume(tx, caller, pool, node=name)
    return _results(names, there)


def _drain(tx: Write, caller: Caller, pool: str, *, names: Collection[str]) -> None:
    for name in sorted(set(names)):
        shares.drain(tx, caller, pool, node=name)


def _there(tx: Read, caller: Caller, pool: str, *, names: Collection[str]) -> frozenset[str]:
    """Those of the names that nodes of a pool have that the caller may change. `NoSuchPool`, `Forbidden`."""
    return nodes.named(tx, shares.managed(tx, caller, pool).id, names)


def _results(names: Collection[str], there: Collection[str]) -> NodeResults:
    unique = dict.fromkeys(names)
    return NodeResults(
        nodes=[NodeResult(name=name, status="success" if name in there else "failed") for name in unique]
    )
