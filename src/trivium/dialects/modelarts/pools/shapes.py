"""The shapes of pools and node pools on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from trivium.dialects.modelarts.objects import HostNetwork, Metadata
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Wire


class ZoneCount(Shape, frozen=True, kw_only=True):
    """How many nodes there are in a zone."""

    az: str
    count: int


class ResourceShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """So many nodes of a flavor, in a node pool."""

    node_pool: str
    flavor: str
    count: int
    max_count: int
    network: HostNetwork | None = None
    azs: tuple[ZoneCount, ...] = ()


class NamedNetwork(Shape, frozen=True, kw_only=True, rename="camel"):
    """The network of a pool."""

    name: str
    vpc_id: str
    subnet_id: str


class PoolSpec(Shape, frozen=True, kw_only=True):
    """What a pool shall be."""

    type: str
    scope: tuple[str, ...]
    resources: tuple[ResourceShape, ...]
    network: NamedNetwork | None = None


class ScopeShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """A use of a pool."""

    scope_type: str
    state: str


class PoolResources(Shape, frozen=True, kw_only=True):
    """The nodes of a pool by how it is with them, in lists."""

    creating: tuple[ResourceShape, ...]
    available: tuple[ResourceShape, ...]
    abnormal: tuple[ResourceShape, ...]
    deleting: tuple[ResourceShape, ...]


class PoolStatus(Shape, frozen=True, kw_only=True):
    """How it is with a pool."""

    phase: str
    scope: tuple[ScopeShape, ...]
    resources: PoolResources
    root: str


class PoolShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """A pool."""

    kind: str
    api_version: str
    metadata: Metadata
    spec: PoolSpec
    status: PoolStatus


class PoolList(Shape, frozen=True, kw_only=True, rename="camel"):
    """All pools."""

    kind: str
    api_version: str
    items: list[PoolShape]


class NodePoolSpec(Shape, frozen=True, kw_only=True):
    """What a node pool shall be."""

    resources: ResourceShape


class NodePoolResources(Shape, frozen=True, kw_only=True):
    """The nodes of a node pool by how it is with them: one object each, where pools have lists."""

    available: ResourceShape
    abnormal: ResourceShape | None = None


class NodePoolStatus(Shape, frozen=True, kw_only=True):
    """How it is with a node pool."""

    resources: NodePoolResources


class NodePoolShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """A node pool."""

    kind: str
    api_version: str
    metadata: Metadata
    spec: NodePoolSpec
    status: NodePoolStatus


class NodePoolList(Shape, frozen=True, kw_only=True, rename="camel"):
    """All node pools of a pool; this list has no pages."""

    kind: str
    api_version: str
    items: list[NodePoolShape]


class PoolsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list of pools."""

    workspaceId: Text = None  # noqa: N815 - as the wire spells it
    workspace_id: Text = None
    labelSelector: Text = None  # noqa: N815
    status: Text = None


class ResourceBody(Wire, frozen=True, kw_only=True):
    """So many nodes of a flavor."""

    flavor: str
    count: int
    maxCount: int | None = None  # noqa: N815 - as the wire spells it
    nodePool: Text = None  # noqa: N815


class NetworkBody(Wire, frozen=True, kw_only=True):
    """The network of a new pool."""

    name: str


class PoolMetadataBody(Wire, frozen=True, kw_only=True):
    """What a new pool is called, and what is said of it."""

    labels: dict[str, str]
    annotations: Mapping[str, str] = {}


class PoolSpecBody(Wire, frozen=True, kw_only=True):
    """What a new pool shall be."""

    type: str
    scope: tuple[str, ...]
    resources: tuple[ResourceBody, ...]
    network: NetworkBody
    driver: Any = None


class CreatePoolBody(Wire, frozen=True, kw_only=True):
    """A new pool."""

    apiVersion: Literal["v2"]  # noqa: N815 - as the wire spells it
    kind: Literal["Pool"]
    metadata: PoolMetadataBody
    spec: PoolSpecBody


class SaidOfPool(Wire, frozen=True, kw_only=True):
    """What is said of a pool, as it shall be."""

    annotations: Mapping[str, str] = {}


class ChangedSpec(Wire, frozen=True, kw_only=True):
    """What a pool is used for and has, as it shall be."""

    scope: tuple[str, ...] = ()
    resources: tuple[ResourceBody, ...] = ()
    driver: Any = None


class ChangedPool(Wire, frozen=True, kw_only=True):
    """What can be changed of a pool, as it shall be."""

    metadata: SaidOfPool = SaidOfPool()
    spec: ChangedSpec = ChangedSpec()


class NodePoolMetadataBody(Wire, frozen=True, kw_only=True):
    """What a new node pool is called."""

    name: str
    annotations: Mapping[str, str] = {}


class NodePoolSpecBody(Wire, frozen=True, kw_only=True):
    """What a node pool shall be."""

    resources: ResourceBody


class CreateNodePoolBody(Wire, frozen=True, kw_only=True):
    """A new node pool."""

    apiVersion: Literal["v2"]  # noqa: N815 - as the wire spells it
    kind: Literal["NodePool"]
    metadata: NodePoolMetadataBody
    spec: NodePoolSpecBody


class ChangedNodePool(Wire, frozen=True, kw_only=True):
    """What can be changed of a node pool, as it shall be."""

    metadata: SaidOfPool = SaidOfPool()
    spec: NodePoolSpecBody
