"""What can be asked of node pools."""

from __future__ import annotations

from typing import Any, Final

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.dialects.modelarts import objects
from trivium.dialects.modelarts.merging import Patch, patched
from trivium.dialects.modelarts.pools.operations import ONE as IN_POOL
from trivium.dialects.modelarts.pools.operations import POOL
from trivium.dialects.modelarts.pools.shapes import (
    ChangedNodePool,
    CreateNodePoolBody,
    NodePoolList,
    NodePoolShape,
)
from trivium.dialects.modelarts.pools.translation import (
    document_of_part,
    network_of,
    new_node_pool,
    node_pool_shape,
)
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, Request, View, Write
from trivium.resources import pools, shares
from trivium.resources.networks import Network
from trivium.resources.shares import NewNodePool, NodePool, NodePoolCount

ALL: Final = f"{IN_POOL}/nodepools"
ONE: Final = f"{ALL}/{{nodepool_name}}"
NODE_POOL: Final = "nodepool_name"

Found = tuple[NodePool, NodePoolCount, Network | None]


def list_node_pools(tx: Read, call: Call[Nothing, Nothing]) -> NodePoolList:
    """The node pools of a pool, oldest first."""
    name, zone = call.request.parameters[POOL], call.core.site.name
    network = network_of(tx, pools.find_any(tx, call.caller, name))
    found = shares.node_pools(tx, call.caller, name)
    items = [node_pool_shape(part, there, network, zone=zone) for part, there in found]
    return NodePoolList(kind="NodePoolList", api_version="v2", items=items)


def show_node_pool(tx: Read, call: Call[Nothing, Nothing]) -> NodePoolShape:
    """One node pool."""
    names = call.request.parameters
    return _shape(call, _found(tx, call.caller, names[POOL], part=names[NODE_POOL]))


async def create_node_pool(call: Call[CreateNodePoolBody, Nothing]) -> NodePoolShape:
    """A new node pool, with its nodes."""
    return _shape(call, await call.write(_create, call.request.parameters[POOL], new=new_node_pool(call.body)))


async def patch_node_pool(call: Call[Patch, Nothing]) -> NodePoolShape:
    """Give a node pool another number of nodes, or say something else of it."""
    names = call.request.parameters
    made = await call.write(_change, names[POOL], part=names[NODE_POOL], patch=call.body, request=call.request)
    return _shape(call, made)


async def delete_node_pool(call: Call[Nothing, Nothing]) -> NodePoolShape:
    """Take a node pool out of its pool."""
    names = call.request.parameters
    return _shape(call, await call.write(_delete, names[POOL], part=names[NODE_POOL]))


OPERATIONS: Final = (
    Operation(
        name="ListNodePools",
        method="GET",
        path=ALL,
        handler=View(look=list_node_pools),
        mark=Mark.SEED,
        summary="The node pools of a pool",
    ),
    Operation(
        name="CreateNodePool",
        method="POST",
        path=ALL,
        handler=create_node_pool,
        mark=Mark.COMPANION,
        summary="A new node pool, with its nodes",
        body=CreateNodePoolBody,
    ),
    Operation(
        name="ShowNodePool",
        method="GET",
        path=ONE,
        handler=View(look=show_node_pool),
        mark=Mark.COMPANION,
        summary="One node pool",
    ),
    Operation(
        name="PatchNodePool",
        method="PATCH",
        path=ONE,
        handler=patch_node_pool,
        mark=Mark.COMPANION,
        summary="Give a node pool another number of nodes",
        body=Patch,
    ),
    Operation(
        name="DeleteNodePool",
        method="DELETE",
        path=ONE,
        handler=delete_node_pool,
        mark=Mark.COMPANION,
        summary="Take a node pool out of its pool",
    ),
)


def _shape(call: Call[Any, Any], found: Found) -> NodePoolShape:
    part, there, network = found
    return node_pool_shape(part, there, network, zone=call.core.site.name)


def _found(tx: Read, caller: Caller, name: str, *, part: str) -> Found:
    pool = pools.find_any(tx, caller, name)
    found = shares.node_pool(tx, caller, name, node_pool=part)
    return found, shares.count_of(tx, found), network_of(tx, pool)


def _create(tx: Write, caller: Caller, name: str, *, new: NewNodePool) -> Found:
    made = shares.add_node_pool(tx, caller, name, new=new)
    return _found(tx, caller, name, part=made.name)


def _change(tx: Write, caller: Caller, name: str, *, part: str, patch: Patch, request: Request) -> Found:
    pools.alone(tx)
    before = shares.node_pool(tx, caller, name, node_pool=part)
    after: ChangedNodePool = patched(document_of_part(before), patch, request, shape=ChangedNodePool)
    asked = after.spec.resources
    if objects.core_flavor(asked.flavor) != before.flavor:
        message = "the nodes of a node pool stay of one flavor"
        raise Invalid("spec.resources.flavor", message)
    annotations, _ = objects.split_description(after.metadata.annotations)
    most = None if asked.maxCount == before.max_count else asked.maxCount
    shares.resize(tx, caller, name, node_pool_name=part, count=asked.count, max_count=most, annotations=annotations)
    return _found(tx, caller, name, part=part)


def _delete(tx: Write, caller: Caller, name: str, *, part: str) -> Found:
    found, there, network = _found(tx, caller, name, part=part)
    return shares.remove_node_pool(tx, caller, name, node_pool_name=found.name), there, network
