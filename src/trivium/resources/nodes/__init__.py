"""Nodes: the machines of a site, what they have, and who holds which part of them."""

from trivium.resources.nodes.availability_cache import Availabilities, AvailabilityCache
from trivium.resources.nodes.errors import NoCapacity
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
from trivium.resources.nodes.types import Availability, Device, Need, Node, Placement

__all__ = [
    "Availabilities",
    "Availability",
    "AvailabilityCache",
    "Device",
    "Need",
    "NoCapacity",
    "Node",
    "Placement",
    "availability",
    "could_hold",
    "free",
    "get",
    "held_by",
    "in_pool",
    "note_away",
    "reserve",
    "take_stock",
]
