"""The shapes of nodes on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from trivium.dialects.modelarts.continuing import ListMetadata
from trivium.dialects.modelarts.objects import HostNetwork, Metadata
from trivium.dialects.modelarts.spelling import Shape
from trivium.dialects.operation import Wire

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
    """A page of nodes, each as the text that it goes out as."""

    kind: str
    api_version: str
    metadata: ListMetadata
    items: list[msgspec.Raw]


class NodeResult(Shape, frozen=True, kw_only=True):
    """What came of one node of several."""

    name: str
    status: str


class NodeResults(Shape, frozen=True, kw_only=True):
    """What came of each."""

    nodes: list[NodeResult]


class DeleteBody(Wire, frozen=True, kw_only=True):
    """Which nodes are given back."""

    deleteNodeNames: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]  # noqa: N815 - as the wire spells it


class LockBody(Wire, frozen=True, kw_only=True):
    """Which nodes are locked against what."""

    nodeNames: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]  # noqa: N815
    actions: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class DrainBody(Wire, frozen=True, kw_only=True):
    """Which nodes get nothing new."""

    nodeNames: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_DRAINED)]  # noqa: N815
