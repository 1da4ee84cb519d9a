"""Nodes: the machines of a site, slices of them, what they have, and who holds which part of them."""

from trivium.resources.nodes.availability_cache import Availabilities, AvailabilityCache
from trivium.resources.nodes.errors import NoCapacity, NodeInUse, NodeLocked, NoRoom, NoSuchFlavor, NoSuchNode
from trivium.resources.nodes.guarding import DELETE, locked, must_be_unlocked, set_cordoned, set_locked
from trivium.resources.nodes.listing import (
    at_addresses,
    by_ids,
    by_name,
    count,
    details,
    list_nodes,
    list_stamps,
    named,
)
from trivium.resources.nodes.service import (
    availability,
    could_hold,
    free,
    get,
    held_by,
    in_pool,
    note_away,
    reserve,
    take_stock,
)
from trivium.resources.nodes.site_flavors import site_flavor, site_flavors
from trivium.resources.nodes.slices import Cut, carve, give_back, note_phase
from trivium.resources.nodes.types import (
    Availability,
    Cards,
    Device,
    Need,
    Node,
    NodeDetail,
    Placement,
    SiteFlavor,
    SliceSize,
)
from trivium.resources.nodes.units import set_units

__all__ = [
    "DELETE",
    "Availabilities",
    "Availability",
    "AvailabilityCache",
    "Cards",
    "Cut",
    "Device",
    "Need",
    "NoCapacity",
    "NoRoom",
    "NoSuchFlavor",
    "NoSuchNode",
    "Node",
    "NodeDetail",
    "NodeInUse",
    "NodeLocked",
    "Placement",
    "SiteFlavor",
    "SliceSize",
    "at_addresses",
    "availability",
    "by_ids",
    "by_name",
    "carve",
    "could_hold",
    "count",
    "details",
    "free",
    "get",
    "give_back",
    "held_by",
    "in_pool",
    "list_nodes",
    "list_stamps",
    "locked",
    "must_be_unlocked",
    "named",
    "note_away",
    "note_phase",
    "reserve",
    "set_cordoned",
    "set_locked",
    "set_units",
    "site_flavor",
    "site_flavors",
    "take_stock",
]
