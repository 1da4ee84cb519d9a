"""Nodes of pools: machines, or slices of them."""

from trivium.dialects.modelarts.nodes.operations import operations

__all__ = ["operations"]
