"""Quotas: how many things of a kind a project may have, and how many it has."""

from trivium.resources.quotas.errors import QuotaExceeded
from trivium.resources.quotas.service import claim, get, give_back, of_project, set_most
from trivium.resources.quotas.types import DEFAULTS, NETWORKS, POOLS, Quota

__all__ = [
    "DEFAULTS",
    "NETWORKS",
    "POOLS",
    "Quota",
    "QuotaExceeded",
    "claim",
    "get",
    "give_back",
    "of_project",
    "set_most",
]
