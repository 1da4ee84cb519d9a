"""Networks: ranges of private addresses that the nodes of a project's pools get theirs from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any, Final, Literal, cast

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.keyring import Keyring
from trivium.base.query import Query
from trivium.dialects.modelarts import objects
from trivium.dialects.modelarts.continuing import Continuations, ListMetadata
from trivium.dialects.modelarts.errors import NotHere
from trivium.dialects.modelarts.merging import Patch, patched
from trivium.dialects.modelarts.objects import AnnotationsBody, ContinuedQuery, FullMetadata
from trivium.dialects.modelarts.spelling import Shape, Text, dashed, rfc3339
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, Request, View, Wire, Write, always
from trivium.resources import networks
from trivium.resources.networks import BadCidr, Network, NetworkPhase, NewNetwork, NoSuchNetwork

ALL: Final = "/v1/{project_id}/networks"
ONE: Final = "/v1/{project_id}/networks/{network_name}"
TITLE: Final = re.compile(r"[a-z]([-a-z0-9]{2,30}[a-z0-9])")
RANGES: Final = (IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
LONGEST_PREFIX: Final = 24
PHASES: Final = {NetworkPhase.ACTIVE: "Active", NetworkPhase.DELETING: "Deleting"}


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


def network_shape(network: Network) -> NetworkShape:
    """The network as ModelArts shows it."""
    own = {objects.NAME: network.title, objects.WORKSPACE: objects.workspace()}
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


def new_network(body: CreateBody) -> NewNetwork:
    """What is asked for. `Invalid`, `NotHere`."""
    labels = objects.given_labels(body.metadata.labels)
    annotations, description = objects.split_description(body.metadata.annotations)
    return NewNetwork(
        title=_title(labels.get(objects.NAME, "")),
        cidr=_cidr(body.spec.cidr),
        description=description,
        labels=labels,
        annotations=annotations,
        connection=_connection(body.spec.connection),
    )


def show_network(tx: Read, call: Call[Nothing, Nothing]) -> NetworkShape:
    """One network."""
    return network_shape(networks.by_name(tx, call.caller, call.request.parameters["network_name"]))


def show_addresses(tx: Read, call: Call[Nothing, AddressesQuery]) -> NetworkAddresses:
    """How many addresses a network has left."""
    found = networks.by_name(tx, call.caller, call.request.parameters["network_name"])
    if not objects.is_uuid(call.query.network_id, found):
        raise NoSuchNetwork(name=call.query.network_id[:64])
    there = networks.availability(tx, found)
    subnet = SubnetAddresses(cidr=found.cidr, ip_version=4, used_ips=there.used, total_ips=there.total)
    return NetworkAddresses(name=found.name, network_id=dashed(found.uuid), subnet_ip_availability=(subnet,))


async def create_network(call: Call[CreateBody, Nothing]) -> NetworkShape:
    """A new network."""
    return network_shape(await call.write(networks.create, new_network(call.body)))


async def patch_network(call: Call[Patch, Nothing]) -> NetworkShape:
    """Say something else of a network."""
    name = call.request.parameters["network_name"]
    return network_shape(await call.write(_change, name, patch=call.body, request=call.request))


async def delete_network(call: Call[Nothing, Nothing]) -> NetworkShape:
    """Delete a network that no pool uses."""
    return network_shape(await call.write(networks.delete, call.request.parameters["network_name"]))


class Lists:
    """The list, with the places to continue it at."""

    def __init__(self, keyring: Keyring) -> None:
        self._places = Continuations(keyring)

    def list_networks(self, tx: Read, call: Call[Nothing, NetworksQuery]) -> NetworkList:
        """A page of the project's networks, oldest first."""
        asked, caller = call.query, call.caller
        chosen = objects.selector(asked.labelSelector)
        of = f"networks {caller.project} {asked.labelSelector or ''}"
        page = self._places.page(asked.place, asked.limit, of=of, now=tx.now)
        wanted = Query(order=objects.OLDEST_FIRST, page=page, total=False)
        found = networks.list_networks(tx, caller, wanted, selector=chosen)
        return NetworkList(
            kind="NetworkList",
            api_version="v1",
            metadata=self._places.metadata(found.next, remaining=found.remaining or 0, of=of, now=tx.now),
            items=[network_shape(network) for network in found.rows],
        )


def operations(keyring: Keyring) -> tuple[Operation, ...]:
    """All that can be asked of networks."""
    return (
        Operation(
            name="ListNetworks",
            method="GET",
            path=ALL,
            handler=View(look=Lists(keyring).list_networks, may_grow=always),
            mark=Mark.SEED,
            summary="The project's networks, a page at a time",
            query=NetworksQuery,
        ),
        *ACTING,
    )


ACTING: Final = (
    Operation(
        name="CreateNetwork",
        method="POST",
        path=ALL,
        handler=create_network,
        mark=Mark.COMPANION,
        summary="A new network",
        body=CreateBody,
    ),
    Operation(
        name="ShowNetwork",
        method="GET",
        path=ONE,
        handler=View(look=show_network),
        mark=Mark.COMPANION,
        summary="One network",
    ),
    Operation(
        name="PatchNetwork",
        method="PATCH",
        path=ONE,
        handler=patch_network,
        mark=Mark.COMPANION,
        summary="Say something else of a network",
        body=Patch,
    ),
    Operation(
        name="DeleteNetwork",
        method="DELETE",
        path=ONE,
        handler=delete_network,
        mark=Mark.COMPANION,
        summary="Delete a network that no pool uses",
    ),
    Operation(
        name="ShowNetworkAvailableIp",
        method="GET",
        path=f"{ONE}/network-ip-availabilities",
        handler=View(look=show_addresses),
        mark=Mark.COMPANION,
        summary="How many addresses a network has, and how many nodes have one",
        query=AddressesQuery,
    ),
)


def _change(tx: Write, caller: Caller, name: str, *, patch: Patch, request: Request) -> Network:
    before = networks.locked(tx, caller, name)  # what one change keeps, another may not change meanwhile
    present = {
        "metadata": {"annotations": objects.said(before.annotations, before.description)},
        "spec": {"connection": dict(before.connection)},
    }
    after: Changed = patched(present, patch, request, shape=Changed)
    annotations, description = objects.split_description(after.metadata.annotations)
    connection = _connection(after.spec.connection)
    return networks.change(tx, caller, name, description=description, annotations=annotations, connection=connection)


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


def _connection(given: object) -> dict[str, Any]:
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
