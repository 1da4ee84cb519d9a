"""Pools and their node pools."""

from typing import Final

from trivium.dialects.modelarts.pools.node_pools import OPERATIONS as NODE_POOLS
from trivium.dialects.modelarts.pools.operations import OPERATIONS as POOLS

__all__ = ["OPERATIONS"]

OPERATIONS: Final = (*POOLS, *NODE_POOLS)
