"""Pools, their node pools, and their tags."""

from typing import Final

from trivium.dialects.modelarts.pools.node_pools import OPERATIONS as NODE_POOLS
from trivium.dialects.modelarts.pools.operations import OPERATIONS as POOLS
from trivium.dialects.modelarts.pools.tagging import OPERATIONS as TAGS

__all__ = ["OPERATIONS"]

OPERATIONS: Final = (*POOLS, *NODE_POOLS, *TAGS)
