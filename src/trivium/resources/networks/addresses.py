"""Addresses of a network: which nodes have which, and how many there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import Final

from sqlalchemy import delete, func, insert, select

from trivium.base.values import Value
from trivium.resources.networks.errors import NetworkFull, NoSuchNetwork
from trivium.resources.networks.table import addresses, networks
from trivium.resources.networks.types import Network
from trivium.store import Read, Write

RESERVED: Final = 3
"""Addresses that no node gets: the network's own, the gateway's, which is the first, and the one of broadcasts."""


class Addresses(Value, frozen=True):
    """How many addresses nodes may have in a network, and have."""

    total: int
    used: int


def availability(tx: Read, network: Network) -> Addresses:
    """How many addresses of the network there are for nodes, and how many these have."""
    used = tx.value(select(func.count()).select_from(addresses).where(addresses.c.network_id == network.id))
    return Addresses(total=IPv4Network(network.cidr).num_addresses - RESERVED, used=int(used))


def give(tx: Write, network: int, *, holders: Sequence[int]) -> Sequence[str]:
    """The lowest addresses that are free, one for each node, in their order. `NetworkFull`, `NoSuchNetwork`.

    Nobody else is given any until the transaction ends.
    """
    row = tx.lock(select(networks).where(networks.c.id == network))
    if row is None:
        raise NoSuchNetwork
    taken = {number for (number,) in tx.all(select(addresses.c.number).where(addresses.c.network_id == network))}
    room = range(row.first + RESERVED - 1, row.last)
    free = list(islice((number for number in room if number not in taken), len(holders)))
    if len(free) < len(holders):
        raise NetworkFull(count=len(holders), free=len(room) - len(taken))
    told = [
        {"network_id": network, "number": number, "holder": holder}
        for number, holder in zip(free, holders, strict=True)
    ]
    if told:
        tx.run(insert(addresses), told)
    return [str(IPv4Address(number)) for number in free]


def take_back(tx: Write, holders: Collection[int]) -> None:
    """What these nodes had is free again."""
    tx.run(delete(addresses).where(addresses.c.holder.in_(sorted(holders))))
