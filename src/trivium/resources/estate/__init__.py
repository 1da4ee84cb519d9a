"""Estate: what the site has, as queries across it see it: the site itself, its pools, their nodes, and the cards."""

from trivium.resources.estate.service import list_cards, list_nodes, list_pools, list_sites
from trivium.resources.estate.table import CARDS, NODES, POOLS, SITES, CardState, NodeState
from trivium.resources.estate.types import CardRow, NodeRow, PoolRow

__all__ = [
    "CARDS",
    "NODES",
    "POOLS",
    "SITES",
    "CardRow",
    "CardState",
    "NodeRow",
    "NodeState",
    "PoolRow",
    "list_cards",
    "list_nodes",
    "list_pools",
    "list_sites",
]
