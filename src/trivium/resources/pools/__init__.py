"""Pools: what notebooks are placed in, and the flavors that say what one unit of a pool is."""

from trivium.resources.pools.errors import NoSuchPool
from trivium.resources.pools.service import (
    create,
    default_pool,
    find_by_name,
    flavor_of,
    flavors_of,
    get,
    offered,
    set_flavor,
    visible,
)
from trivium.resources.pools.table import flavors
from trivium.resources.pools.types import CPU, Flavor, Pool

__all__ = [
    "CPU",
    "Flavor",
    "NoSuchPool",
    "Pool",
    "create",
    "default_pool",
    "find_by_name",
    "flavor_of",
    "flavors",
    "flavors_of",
    "get",
    "offered",
    "set_flavor",
    "visible",
]
