"""Models: the files that lie in centres, as entries of the catalogue."""

from trivium.dialects.zstack.models.inventory import MODEL
from trivium.dialects.zstack.models.operations import apis

__all__ = ["INVENTORIES", "apis"]

INVENTORIES = (MODEL,)
"""What can be queried, or asked for across a relation."""
