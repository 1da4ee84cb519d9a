"""Pools: what notebooks are placed in, and the flavors that say what one unit of a pool is."""

from trivium.resources.pools.errors import NoSuchPool, PoolExists
from trivium.resources.pools.holdings import PoolHoldings
from trivium.resources.pools.service import (
    alone,
    change,
    count,
    create,
    default_pool,
    find_any,
    find_by_name,
    flavor_of,
    flavors_of,
    get,
    in_workspaces,
    last_named,
    list_pools,
    newest_of,
    note_phase,
    offered,
    remove,
    set_flavor,
    visible,
)
from trivium.resources.pools.table import flavors
from trivium.resources.pools.types import CPU, Flavor, Pool, PoolDetails, PoolPhase, Scope

__all__ = [
    "CPU",
    "Flavor",
    "NoSuchPool",
    "Pool",
    "PoolDetails",
    "PoolExists",
    "PoolHoldings",
    "PoolPhase",
    "Scope",
    "alone",
    "change",
    "count",
    "create",
    "default_pool",
    "find_any",
    "find_by_name",
    "flavor_of",
    "flavors",
    "flavors_of",
    "get",
    "in_workspaces",
    "last_named",
    "list_pools",
    "newest_of",
    "note_phase",
    "offered",
    "remove",
    "set_flavor",
    "visible",
]
