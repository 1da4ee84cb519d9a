"""What ModelArts shows of a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trivium.base.values import Value
from trivium.dialects.modelarts import objects, quantities
from trivium.dialects.modelarts.nodes.shapes import DriverShape, NodeShape, NodeSpec, NodeStatus, TaintShape
from trivium.dialects.modelarts.objects import HostNetwork, Metadata
from trivium.dialects.modelarts.pools.translation import network_of
from trivium.dialects.modelarts.spelling import dashed, rfc3339
from trivium.dialects.operation import Read
from trivium.resources import shares
from trivium.resources.nodes import Cards, Node, NodeDetail
from trivium.resources.pools import CPU, Pool

CLUSTER: Final = "os.modelarts.node/cluster"
NODE_POOL: Final = "os.modelarts.node/nodepool"
LOCK: Final = "os.modelarts.node/lock.action"
DRAIN: Final = "os.modelarts.node/drain"
MACHINE: Final = "modelarts.bm."
UNSCHEDULABLE: Final = (TaintShape(key="node.kubernetes.io/unschedulable", effect="NoSchedule"),)


class Around(Value, frozen=True):
    """What is shown with a node from outside of its row."""

    pool: str  # names
    node_pool: str
    network: HostNetwork | None


class Surroundings(dict[int, Around]):
    """The same for all nodes of a pool, by the ids of their node pools; a machine is in none, which is 0."""

    def __init__(self, tx: Read, pool: Pool) -> None:
        self._pool = pool.name
        self._network = objects.host_network(network_of(tx, pool))
        super().__init__((id, self._of(name)) for id, name in shares.names(tx, pool.id).items())

    def __missing__(self, _node_pool: int) -> Around:
        return self._of("")

    def of(self, node: Node) -> Around:
        """What is shown with one of them."""
        return self[node.node_pool or 0]

    def _of(self, node_pool: str) -> Around:
        return Around(pool=self._pool, node_pool=node_pool, network=self._network)


def node_shape(detail: NodeDetail, around: Around, zone: str) -> NodeShape:
    """The node as ModelArts shows it."""
    node = detail.node
    labels = {CLUSTER: around.pool, objects.RESOURCE: dashed(node.uuid)}
    labels |= {NODE_POOL: around.node_pool} if around.node_pool else {}
    return NodeShape(
        kind="Node",
        api_version="v2",
        metadata=Metadata(
            name=node.name,
            creation_timestamp=rfc3339(node.created_at),
            labels=labels,
            annotations=_annotations(node),
        ),
        spec=NodeSpec(flavor=flavor_of(detail), host_network=around.network),
        status=NodeStatus(
            phase="Available" if node.ready else "Abnormal",
            az=zone,
            private_ip=node.private_address or node.address,
            resources=_quantities(detail.millicores, detail.memory, [(card, card.total) for card in detail.cards]),
            available_resources=_quantities(
                detail.free_millicores, detail.free_memory, [(card, card.free) for card in detail.cards]
            ),
            driver=DriverShape(phase="Running" if node.ready else "Abnormal"),
            taints=UNSCHEDULABLE if node.cordoned else (),
        ),
    )


def flavor_of(detail: NodeDetail) -> str:
    """A slice's flavor; a machine's is what it has, `modelarts.bm.<kind>.<number>`, of cores with a `u`."""
    if detail.node.flavor:
        return objects.flavor_name(detail.node.flavor)
    if not detail.cards:
        return f"{MACHINE}{CPU}.{detail.node.millicores // 1000}u"
    return f"{MACHINE}{detail.cards[0].kind}.{sum(card.total for card in detail.cards)}"


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
