"""Pools, their node pools, their tags, what is in them, and how many there are."""

from typing import Final

from trivium.dialects.modelarts.pools.node_pools import OPERATIONS as NODE_POOLS
from trivium.dialects.modelarts.pools.operations import OPERATIONS as POOLS
from trivium.dialects.modelarts.pools.statistics import OPERATIONS as STATISTICS
from trivium.dialects.modelarts.pools.tagging import OPERATIONS as TAGS
from trivium.dialects.modelarts.pools.workloads import OPERATIONS as WORKLOADS

__all__ = ["OPERATIONS"]

OPERATIONS: Final = (*POOLS, *NODE_POOLS, *TAGS, *WORKLOADS, *STATISTICS)
