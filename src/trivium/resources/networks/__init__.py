"""Networks: ranges of private addresses of a project, which the nodes of its pools get theirs from."""

from trivium.resources.networks.addresses import Addresses, availability, give, take_back
from trivium.resources.networks.errors import BadCidr, NetworkFull, NetworkInUse, NetworkOverlaps, NoSuchNetwork
from trivium.resources.networks.holdings import NetworkHoldings
from trivium.resources.networks.service import (
    by_name,
    change,
    create,
    delete,
    get,
    join,
    leave,
    list_networks,
    locked,
    of_ids,
)
from trivium.resources.networks.types import Network, NetworkPhase, NewNetwork

__all__ = [
    "Addresses",
    "BadCidr",
    "Network",
    "NetworkFull",
    "NetworkHoldings",
    "NetworkInUse",
    "NetworkOverlaps",
    "NetworkPhase",
    "NewNetwork",
    "NoSuchNetwork",
    "availability",
    "by_name",
    "change",
    "create",
    "delete",
    "get",
    "give",
    "join",
    "leave",
    "list_networks",
    "locked",
    "of_ids",
    "take_back",
]
