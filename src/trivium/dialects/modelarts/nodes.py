"""Nodes of pools: machines, or slices of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from trivium.base.caller import Caller
from trivium.base.keyring import Keyring
from trivium.base.query import Query
from trivium.dialects.modelarts import objects, quantities
from trivium.dialects.modelarts.continuing import Continuations, ListMetadata
from trivium.dialects.modelarts.objects import ContinuedQuery, HostNetwork, Metadata
from trivium.dialects.modelarts.pools.translation import network_of
from trivium.dialects.modelarts.spelling import Shape, dashed, rfc3339
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, Write
from trivium.resources import nodes, pools, shares
from trivium.resources.networks import Network
from trivium.resources.nodes import Cards, Node, NodeDetail
from trivium.resources.pools import CPU, Pool

IN_POOL: Final = "/v2/{project_id}/pools/{pool_name}/nodes"
IN_NODE_POOL: Final = "/v2/{project_id}/pools/{pool_name}/nodepools/{nodepool_name}/nodes"
POOL: Final = "pool_name"
CLUSTER: Final = "os.modelarts.node/cluster"
NODE_POOL: Final = "os.modelarts.node/nodepool"
LOCK: Final = "os.modelarts.node/lock.action"
DRAIN: Final = "os.modelarts.node/drain"
MACHINE: Final = "modelarts.bm."
MOST_AT_ONCE: Final = 500
MOST_DRAINED: Final = 10


class NodeSpec(Shape, frozen=True, kw_only=True, rename="camel"):
    """What a node is."""

    flavor: str
    host_network: HostNetwork | None = None


class DriverShape(Shape, frozen=True, kw_only=True):
    """Whether a node's accelerators can be used."""

    phase: str


class TaintShape(Shape, frozen=True, kw_only=True):
    """What keeps things from a node."""

    key: str
    effect: str


class NodeStatus(Shape, frozen=True, kw_only=True, rename="camel"):
    """How it is with a node, with what it has in all and what of it is free."""

    phase: str
    az: str
    private_ip: str
    resources: Mapping[str, str]
    available_resources: Mapping[str, str]
    driver: DriverShape
    taints: tuple[TaintShape, ...] = ()


class NodeShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """A node."""

    kind: str
    api_version: str
    metadata: Metadata
    spec: NodeSpec
    status: NodeStatus


class NodeList(Shape, frozen=True, kw_only=True, rename="camel"):
    """A page of nodes."""

    kind: str
    api_version: str
    metadata: ListMetadata
    items: list[NodeShape]


class NodeResult(Shape, frozen=True, kw_only=True):
    """What came of one node of several."""

    name: str
    status: str


class NodeResults(Shape, frozen=True, kw_only=True):
    """What came of each."""

    nodes: list[NodeResult]


class DeleteBody(Wire, frozen=True, kw_only=True):
    """Which nodes are given back."""

    deleteNodeNames: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]  # noqa: N815


class LockBody(Wire, frozen=True, kw_only=True):
    """Which nodes are locked against what."""

    nodeNames: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]  # noqa: N815
    actions: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class DrainBody(Wire, frozen=True, kw_only=True):
    """Which nodes get nothing new."""

    nodeNames: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_DRAINED)]  # noqa: N815


def node_shape(
    detail: NodeDetail, pool: Pool, *, node_pools: Mapping[int, str], network: Network | None, zone: str
) -> NodeShape:
    """The node as ModelArts shows it."""
    node = detail.node
    labels = {CLUSTER: pool.name, objects.RESOURCE: dashed(node.uuid)}
    part = None if node.node_pool is None else node_pools.get(node.node_pool)
    labels |= {NODE_POOL: part} if part else {}
    return NodeShape(
        kind="Node",
        api_version="v2",
        metadata=Metadata(
            name=node.name,
            creation_timestamp=rfc3339(node.created_at),
            labels=labels,
            annotations=_annotations(node),
        ),
        spec=NodeSpec(flavor=flavor_of(detail), host_network=objects.host_network(network)),
        status=NodeStatus(
            phase="Available" if node.ready else "Abnormal",
            az=zone,
            private_ip=node.private_address or node.address,
            resources=_quantities(detail.millicores, detail.memory, [(card, card.total) for card in detail.cards]),
            available_resources=_quantities(
                detail.free_millicores, detail.free_memory, [(card, card.free) for card in detail.cards]
            ),
            driver=DriverShape(phase="Running" if node.ready else "Abnormal"),
            taints=(TaintShape(key="node.kubernetes.io/unschedulable", effect="NoSchedule"),) if node.cordoned else (),
        ),
    )


def flavor_of(detail: NodeDetail) -> str:
    """A slice's flavor; a machine's is what it has, `modelarts.bm.<kind>.<number>`, of cores with a `u`."""
    if detail.node.flavor:
        return objects.flavor_name(detail.node.flavor)
    if not detail.cards:
        return f"{MACHINE}{CPU}.{detail.node.millicores // 1000}u"
    return f"{MACHINE}{detail.cards[0].kind}.{sum(card.total for card in detail.cards)}"


class Lists:
    """The lists, with the places to continue them at."""

    def __init__(self, keyring: Keyring) -> None:
        self._places = Continuations(keyring)

    def of_pool(self, tx: Read, call: Call[Nothing, ContinuedQuery]) -> NodeList:
        """A page of a pool's nodes, oldest first."""
        return self._listed(tx, call, node_pool=None)

    def of_node_pool(self, tx: Read, call: Call[Nothing, ContinuedQuery]) -> NodeList:
        """A page of a node pool's nodes, oldest first."""
        return self._listed(tx, call, node_pool=call.request.parameters["nodepool_name"])

    def _listed(self, tx: Read, call: Call[Nothing, ContinuedQuery], *, node_pool: str | None) -> NodeList:
        pool = pools.find_any(tx, call.caller, call.request.parameters[POOL])
        of = f"nodes {call.caller.project} {pool.id} {node_pool or ''}"
        page = self._places.page(call.query.place, call.query.limit, of=of, now=tx.now)
        wanted = Query(order=objects.OLDEST_FIRST, page=page, total=False)
        found = shares.list_nodes(tx, call.caller, pool.name, asked=wanted, node_pool=node_pool)
        return NodeList(
            kind="NodeList",
            api_version="v2",
            metadata=self._places.metadata(found.next, remaining=found.remaining or 0, of=of, now=tx.now),
            items=_shapes(tx, pool, found.rows, zone=call.core.site.name),
        )


def show_node(tx: Read, call: Call[Nothing, Nothing]) -> NodeShape:
    """One node."""
    names = call.request.parameters
    pool = pools.find_any(tx, call.caller, names[POOL])
    found = shares.node(tx, call.caller, pool.name, node=names["node_name"])
    return _shapes(tx, pool, [found], zone=call.core.site.name)[0]


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


def operations(keyring: Keyring) -> tuple[Operation, ...]:
    """All that can be asked of nodes."""
    lists = Lists(keyring)
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
        *ACTING,
    )


ACTING: Final = (
    Operation(
        name="ShowPoolNode",
        method="GET",
        path=f"{IN_POOL}/{{node_name}}",
        handler=View(look=show_node),
        mark=Mark.COMPANION,
        summary="One node",
    ),
    Operation(
        name="BatchDeletePoolNodes",
        method="POST",
        path=f"{IN_POOL}/batch-delete",
        handler=delete_nodes,
        mark=Mark.COMPANION,
        summary="Give nodes of a pool back",
        body=DeleteBody,
    ),
    Operation(
        name="BatchLockPoolNodes",
        method="POST",
        path=f"{IN_POOL}/batch-lock",
        handler=lock_nodes,
        mark=Mark.COMPANION,
        summary="Lock nodes against actions",
        body=LockBody,
    ),
    Operation(
        name="BatchUnlockPoolNodes",
        method="POST",
        path=f"{IN_POOL}/batch-unlock",
        handler=unlock_nodes,
        mark=Mark.COMPANION,
        summary="Lock nodes against these actions no more",
        body=LockBody,
    ),
    Operation(
        name="BatchDrainPoolNodes",
        method="POST",
        path=f"{IN_POOL}/batch-drain",
        handler=drain_nodes,
        mark=Mark.COMPANION,
        summary="Place nothing new on nodes",
        body=DrainBody,
    ),
)


def _shapes(tx: Read, pool: Pool, found: Sequence[NodeDetail], *, zone: str) -> list[NodeShape]:
    names, network = shares.names(tx, pool.id), network_of(tx, pool)
    return [node_shape(one, pool, node_pools=names, network=network, zone=zone) for one in found]


def _annotations(node: Node) -> dict[str, str]:
    told = {LOCK: ",".join(node.locked), DRAIN: "true" if node.cordoned else ""}
    return {name: text for name, text in told.items() if text}


def _quantities(millicores: int, memory: int, cards: Sequence[tuple[Cards, int]]) -> dict[str, str]:
    """What there is, as Kubernetes writes it; cards of several models may have one name there."""
    counts: dict[str, int] = {}
    for card, count in cards:
        name = objects.resource_name(card.kind, card.model)
        counts[name] = counts.get(name, 0) + count
    found = {"cpu": quantities.cores(millicores), "memory": quantities.memory(memory)}
    return found | {name: str(count) for name, count in counts.items()}


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
