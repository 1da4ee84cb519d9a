"""Hosts: which server acts on the workloads of which machine, and what the others ask of it."""

from trivium.resources.hosts import errands
from trivium.resources.hosts.errors import HostAway, HostElsewhere, NotHolding
from trivium.resources.hosts.service import (
    CHANGED,
    LEASES,
    away,
    everywhere,
    get,
    give_up,
    held,
    held_now,
    is_held,
    must_be_there,
    note_capabilities,
    proxy_of,
    renew,
    standing,
    take,
)
from trivium.resources.hosts.types import Errand, Host, Identity, Standing, Tenure, Told

__all__ = [
    "CHANGED",
    "LEASES",
    "Errand",
    "Host",
    "HostAway",
    "HostElsewhere",
    "Identity",
    "NotHolding",
    "Standing",
    "Tenure",
    "Told",
    "away",
    "errands",
    "everywhere",
    "get",
    "give_up",
    "held",
    "held_now",
    "is_held",
    "must_be_there",
    "note_capabilities",
    "proxy_of",
    "renew",
    "standing",
    "take",
]
