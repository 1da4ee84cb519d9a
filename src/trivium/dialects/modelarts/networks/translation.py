"""Between what ModelArts' clients say of networks and what the networks room says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any, Final, cast

from trivium.base.errors import Invalid
from trivium.dialects.modelarts import objects
from trivium.dialects.modelarts.errors import NotHere
from trivium.dialects.modelarts.networks.shapes import (
    CreateBody,
    NetworkAddresses,
    NetworkShape,
    NetworkSpec,
    NetworkStatus,
    SubnetAddresses,
    SubnetShape,
)
from trivium.dialects.modelarts.objects import FullMetadata
from trivium.dialects.modelarts.spelling import dashed, rfc3339
from trivium.dialects.modelarts.workspaces import workspace_id
from trivium.dialects.operation import Read
from trivium.resources import workspaces
from trivium.resources.networks import Addresses, BadCidr, Network, NetworkPhase, NewNetwork

TITLE: Final = re.compile(r"[a-z]([-a-z0-9]{2,30}[a-z0-9])")
RANGES: Final = (IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
LONGEST_PREFIX: Final = 24
PHASES: Final = {NetworkPhase.ACTIVE: "Active", NetworkPhase.DELETING: "Deleting"}


def network_shapes(tx: Read, found: Iterable[Network]) -> list[NetworkShape]:
    """Networks as ModelArts shows them."""
    every = [*found]
    uuids = workspaces.uuids_of(tx, (network.workspace for network in every))
    return [network_shape(network, workspace_id(uuids.get(network.workspace))) for network in every]


def network_shape(network: Network, workspace: str) -> NetworkShape:
    """The network as ModelArts shows it, in the workspace of that id."""
    own = {objects.NAME: network.title, objects.WORKSPACE: workspace}
    return NetworkShape(
        kind="Network",
        api_version="v1",
        metadata=FullMetadata(
            name=network.name,
            creation_timestamp=rfc3339(network.created_at),
            deletion_timestamp=objects.shown_at(network.deleted_at),
            labels={**own, **network.labels},
            annotations=objects.said(network.annotations, network.description),
        ),
        spec=NetworkSpec(cidr=network.cidr, connection=dict(network.connection)),
        status=NetworkStatus(
            phase=PHASES[network.phase],
            connection_status={},
            subnets=(SubnetShape(network_id=dashed(network.uuid), cidr=network.cidr),),
        ),
    )


def addresses_shape(network: Network, there: Addresses) -> NetworkAddresses:
    """How many addresses the network has left, which is one subnet."""
    subnet = SubnetAddresses(cidr=network.cidr, ip_version=4, used_ips=there.used, total_ips=there.total)
    return NetworkAddresses(name=network.name, network_id=dashed(network.uuid), subnet_ip_availability=(subnet,))


def new_network(body: CreateBody, workspace: int) -> NewNetwork:
    """What is asked for. `Invalid`, `NotHere`."""
    labels = objects.given_labels(body.metadata.labels)
    annotations, description = objects.split_description(body.metadata.annotations)
    return NewNetwork(
        title=_title(labels.get(objects.NAME, "")),
        cidr=_cidr(body.spec.cidr),
        description=description,
        labels=labels,
        annotations=annotations,
        connection=read_connection(body.spec.connection),
        workspace=workspace,
    )


def read_connection(given: object) -> dict[str, Any]:
    """The lists of what it is joined to, which are empty. `NotHere` for others, `Invalid` for what is no object."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        message = "must be of type object"
        raise Invalid("spec.connection", message)
    found = cast("dict[str, Any]", given)
    if any(found.values()):
        raise NotHere(what="joining a network to others")
    return found


def _title(title: str) -> str:
    if not TITLE.fullmatch(title):
        message = "must have 4 to 32 small letters, digits and -, begin with a letter and not end with -"
        raise Invalid(f"metadata.labels.{objects.NAME}", message)
    return title


def _cidr(cidr: str) -> str:
    try:
        found = IPv4Network(cidr)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise BadCidr("spec.cidr", "is no range of addresses", cidr=cidr[:64]) from error
    if found.prefixlen > LONGEST_PREFIX or not any(found.subnet_of(whole) for whole in RANGES):
        raise BadCidr("spec.cidr", "is not within the ranges", cidr=cidr[:64])
    return cidr
