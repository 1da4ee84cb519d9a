"""What can be asked of pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.dialects.modelarts import objects, selectors, workspaces
from trivium.dialects.modelarts.merging import Patch, patched
from trivium.dialects.modelarts.pools.shapes import (
    ChangedPool,
    CreatePoolBody,
    PoolList,
    PoolShape,
    PoolsQuery,
    ResourceBody,
)
from trivium.dialects.modelarts.pools.translation import (
    Facts,
    document_of,
    facts_of,
    new_part,
    new_pool,
    part_named,
    pool_shape,
    pools_query,
    refuse_driver,
    scopes,
    selector_parts,
)
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, Request, View, Write, always
from trivium.resources import notebooks, pools, shares
from trivium.resources.pools import Pool, PoolDetails
from trivium.resources.shares import NewPool, NodePool

ALL: Final = "/v2/{project_id}/pools"
ONE: Final = "/v2/{project_id}/pools/{pool_name}"
POOL: Final = "pool_name"


def list_pools(tx: Read, call: Call[Nothing, PoolsQuery]) -> PoolList:
    """The pools that the caller may use, oldest first."""
    asked, caller = call.query, call.caller
    kept, shown = selector_parts(asked.labelSelector)
    wanted = pools_query(asked, workspaces.chosen(tx, caller, asked.workspaceId, asked.workspace_id))
    found = pools.list_pools(tx, caller, wanted, selector=kept)
    every = (pool_shape(pool, facts_of(tx, caller, pool), call.core.site.name) for pool in found.rows)
    items = [pool for pool in every if selectors.holds(shown, pool.metadata.labels)]
    return PoolList(kind="PoolList", api_version="v2", items=items)


def show_pool(tx: Read, call: Call[Nothing, Nothing]) -> PoolShape:
    """One pool."""
    pool = pools.find_any(tx, call.caller, call.request.parameters[POOL])
    return pool_shape(pool, facts_of(tx, call.caller, pool), call.core.site.name)


async def create_pool(call: Call[CreatePoolBody, Nothing]) -> PoolShape:
    """A new pool, with its nodes."""
    workspace = await call.read(workspaces.chosen, call.body.metadata.labels.get(objects.WORKSPACE))
    return pool_shape(*await call.write(_create, new_pool(call.body, workspace or 0)), call.core.site.name)


async def patch_pool(call: Call[Patch, Nothing]) -> PoolShape:
    """Say something else of a pool, or give it other numbers of nodes."""
    name = call.request.parameters[POOL]
    return pool_shape(*await call.write(_change, name, patch=call.body, request=call.request), call.core.site.name)


async def delete_pool(call: Call[Nothing, Nothing]) -> PoolShape:
    """Delete a pool that nothing is in."""
    return pool_shape(*await call.write(_delete, call.request.parameters[POOL]), call.core.site.name)


OPERATIONS: Final = (
    Operation(
        name="ListPools",
        method="GET",
        path=ALL,
        handler=View(look=list_pools, may_grow=always),
        mark=Mark.COMPANION,
        summary="The pools that the caller may use",
        query=PoolsQuery,
    ),
    Operation(
        name="CreatePool",
        method="POST",
        path=ALL,
        handler=create_pool,
        mark=Mark.COMPANION,
        summary="A new pool, with its nodes",
        body=CreatePoolBody,
    ),
    Operation(
        name="ShowPool",
        method="GET",
        path=ONE,
        handler=View(look=show_pool),
        mark=Mark.COMPANION,
        summary="One pool",
    ),
    Operation(
        name="PatchPool",
        method="PATCH",
        path=ONE,
        handler=patch_pool,
        mark=Mark.COMPANION,
        summary="Say something else of a pool, or give it other numbers of nodes",
        body=Patch,
    ),
    Operation(
        name="DeletePool",
        method="DELETE",
        path=ONE,
        handler=delete_pool,
        mark=Mark.COMPANION,
        summary="Delete a pool that nothing is in",
    ),
)


def _create(tx: Write, caller: Caller, new: NewPool) -> tuple[Pool, Facts]:
    made = shares.create(tx, caller, new)
    return made, facts_of(tx, caller, made)


def _change(tx: Write, caller: Caller, name: str, *, patch: Patch, request: Request) -> tuple[Pool, Facts]:
    pools.alone(tx)
    before = pools.find_any(tx, caller, name)
    parts = [part for part, _ in shares.node_pools(tx, caller, name)]
    after: ChangedPool = patched(document_of(before, parts), patch, request, shape=ChangedPool)
    refuse_driver(after.spec.driver)
    annotations, description = objects.split_description(after.metadata.annotations)
    details = PoolDetails(
        description=description,
        labels=before.details.labels,
        annotations=annotations,
        scope=scopes(after.spec.scope),
    )
    shares.change(tx, caller, name, details=details, counts=_counts(parts, after.spec.resources))
    for asked in after.spec.resources:
        if part_named(parts, asked) is None:
            shares.add_node_pool(tx, caller, name, new=new_part(asked))
    pool = pools.find_any(tx, caller, name)
    return pool, facts_of(tx, caller, pool)


def _counts(parts: Sequence[NodePool], asked: Sequence[ResourceBody]) -> Mapping[str, int]:
    """The node pools that shall have other numbers of nodes. One that is not named stays as it is. `Invalid`."""
    if parts and not asked:
        message = "a pool has resources"
        raise Invalid("spec.resources", message)
    named = [(part_named(parts, one), one.count) for one in asked]
    return {part.name: count for part, count in named if part is not None and part.count != count}


def _delete(tx: Write, caller: Caller, name: str) -> tuple[Pool, Facts]:
    parts = shares.node_pools(tx, caller, name)
    gone = shares.delete(tx, caller, name, occupants=(notebooks.NotebookOccupants(),))
    return gone, facts_of(tx, caller, gone, parts=parts)
