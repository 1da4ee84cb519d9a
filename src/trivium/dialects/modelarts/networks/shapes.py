"""The shapes of networks on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from trivium.dialects.modelarts.continuing import ListMetadata
from trivium.dialects.modelarts.objects import AnnotationsBody, ContinuedQuery, FullMetadata
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Wire


class NetworkSpec(Shape, frozen=True, kw_only=True):
    """What a network is."""

    cidr: str
    connection: dict[str, Any]


class SubnetShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """The one subnet of a network, which is all of it."""

    network_id: str
    cidr: str


class NetworkStatus(Shape, frozen=True, kw_only=True, rename="camel"):
    """How it is with a network."""

    phase: str
    connection_status: dict[str, Any]
    subnets: tuple[SubnetShape, ...]


class NetworkShape(Shape, frozen=True, kw_only=True, rename="camel"):
    """A network."""

    kind: str
    api_version: str
    metadata: FullMetadata
    spec: NetworkSpec
    status: NetworkStatus


class NetworkList(Shape, frozen=True, kw_only=True, rename="camel"):
    """A page of networks."""

    kind: str
    api_version: str
    metadata: ListMetadata
    items: list[NetworkShape]


class SubnetAddresses(Shape, frozen=True, kw_only=True, rename="camel"):
    """How many addresses of a subnet nodes have, and may have."""

    cidr: str
    ip_version: int
    used_ips: int
    total_ips: int


class NetworkAddresses(Shape, frozen=True, kw_only=True, rename="camel"):
    """The same of a network."""

    name: str
    network_id: str
    subnet_ip_availability: tuple[SubnetAddresses, ...]


class NetworksQuery(ContinuedQuery, frozen=True, kw_only=True):
    """What is asked of the list."""

    labelSelector: Text = None  # noqa: N815 - as the wire spells it


class AddressesQuery(Wire, frozen=True, kw_only=True):
    """Which subnet is meant."""

    network_id: str


class MetadataBody(Wire, frozen=True, kw_only=True):
    """What a new network is called, and what is said of it."""

    labels: dict[str, str]
    annotations: Mapping[str, str] = {}


class SpecBody(Wire, frozen=True, kw_only=True):
    """What a new network shall be."""

    cidr: str
    connection: Any = None


class CreateBody(Wire, frozen=True, kw_only=True):
    """A new network."""

    apiVersion: Literal["v1"]  # noqa: N815 - as the wire spells it
    kind: Literal["Network"]
    metadata: MetadataBody
    spec: SpecBody


class ConnectionBody(Wire, frozen=True, kw_only=True):
    """What a network shall be joined to."""

    connection: Any = None


class Changed(Wire, frozen=True, kw_only=True):
    """What can be changed of a network, as it shall be."""

    metadata: AnnotationsBody = AnnotationsBody()
    spec: ConnectionBody = ConnectionBody()
