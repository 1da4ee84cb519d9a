"""Networks: ranges of private addresses that the nodes of a project's pools get theirs from."""

from trivium.dialects.modelarts.networks.operations import operations
from trivium.dialects.modelarts.networks.translation import RANGES

__all__ = ["RANGES", "operations"]
