"""Estate: what the site has, as queries across it see it: itself, its pools, their nodes and cards, and notebooks."""

from trivium.resources.estate.notebooks import list_notebooks
from trivium.resources.estate.service import list_cards, list_nodes, list_pools, list_sites
from trivium.resources.estate.table import (
    CARDS,
    DECLARED,
    NODES,
    POOLS,
    SITES,
    Allocation,
    CardSort,
    CardState,
    NodeState,
    Readiness,
    sort_of,
)
from trivium.resources.estate.types import CardRow, NodeRow, PoolRow

__all__ = [
    "CARDS",
    "DECLARED",
    "NODES",
    "POOLS",
    "SITES",
    "Allocation",
    "CardRow",
    "CardSort",
    "CardState",
    "NodeRow",
    "NodeState",
    "PoolRow",
    "Readiness",
    "list_cards",
    "list_nodes",
    "list_notebooks",
    "list_pools",
    "list_sites",
    "sort_of",
]
