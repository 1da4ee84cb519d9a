"""What can be asked of networks."""

from __future__ import annotations

from typing import Final

from trivium.base.caller import Caller
from trivium.base.keyring import Keyring
from trivium.base.query import Query
from trivium.dialects.modelarts import objects, workspaces
from trivium.dialects.modelarts.continuing import Continuations
from trivium.dialects.modelarts.merging import Patch, patched
from trivium.dialects.modelarts.networks.shapes import (
    AddressesQuery,
    Changed,
    CreateBody,
    NetworkAddresses,
    NetworkList,
    NetworkShape,
    NetworksQuery,
)
from trivium.dialects.modelarts.networks.translation import (
    addresses_shape,
    network_shapes,
    new_network,
    read_connection,
)
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, Request, View, Write, always
from trivium.resources import networks
from trivium.resources.networks import NewNetwork, NoSuchNetwork

ALL: Final = "/v1/{project_id}/networks"
ONE: Final = f"{ALL}/{{network_name}}"
NAME: Final = "network_name"


def show_network(tx: Read, call: Call[Nothing, Nothing]) -> NetworkShape:
    """One network."""
    return network_shapes(tx, [networks.by_name(tx, call.caller, call.request.parameters[NAME])])[0]


def show_addresses(tx: Read, call: Call[Nothing, AddressesQuery]) -> NetworkAddresses:
    """How many addresses a network has left."""
    found = networks.by_name(tx, call.caller, call.request.parameters[NAME])
    if not objects.is_uuid(call.query.network_id, found):
        raise NoSuchNetwork(name=call.query.network_id[:64])
    return addresses_shape(found, networks.availability(tx, found))


async def create_network(call: Call[CreateBody, Nothing]) -> NetworkShape:
    """A new network."""
    workspace = await call.read(workspaces.chosen, call.body.metadata.labels.get(objects.WORKSPACE))
    return await call.write(_create, new_network(call.body, workspace or 0))


async def patch_network(call: Call[Patch, Nothing]) -> NetworkShape:
    """Say something else of a network."""
    return await call.write(_change, call.request.parameters[NAME], patch=call.body, request=call.request)


async def delete_network(call: Call[Nothing, Nothing]) -> NetworkShape:
    """Delete a network that no pool uses."""
    return await call.write(_delete, call.request.parameters[NAME])


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
            items=network_shapes(tx, found.rows),
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


def _create(tx: Write, caller: Caller, new: NewNetwork) -> NetworkShape:
    return network_shapes(tx, [networks.create(tx, caller, new)])[0]


def _change(tx: Write, caller: Caller, name: str, *, patch: Patch, request: Request) -> NetworkShape:
    before = networks.locked(tx, caller, name)  # what one change keeps, another may not change meanwhile
    present = {
        "metadata": {"annotations": objects.said(before.annotations, before.description)},
        "spec": {"connection": dict(before.connection)},
    }
    after: Changed = patched(present, patch, request, shape=Changed)
    annotations, description = objects.split_description(after.metadata.annotations)
    connection = read_connection(after.spec.connection)
    found = networks.change(tx, caller, name, description=description, annotations=annotations, connection=connection)
    return network_shapes(tx, [found])[0]


def _delete(tx: Write, caller: Caller, name: str) -> NetworkShape:
    return network_shapes(tx, [networks.delete(tx, caller, name)])[0]
