"""Model services: how models are to be run, as entries of the catalogue."""

from trivium.dialects.zstack.services.inventory import SERVICE, TEMPLATE
from trivium.dialects.zstack.services.operations import apis

__all__ = ["INVENTORIES", "apis"]

INVENTORIES = (SERVICE, TEMPLATE)
"""What can be queried, or asked for across a relation."""
