"""The networks room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, Invalid, NotFound, OverQuota


class NoSuchNetwork(NotFound):
    """There is no such network in the caller's project."""

    code = "network.not_found"


class BadCidr(Invalid):
    """A network's addresses are a range of private IPv4 addresses that begins where it says."""

    code = "network.bad_cidr"


class NetworkOverlaps(Conflict):
    """Another network of the project has some of these addresses."""

    code = "network.overlaps"


class NetworkInUse(Conflict):
    """Pools use the network."""

    code = "network.in_use"


class NetworkFull(OverQuota):
    """The network has not as many addresses left."""

    code = "network.full"
