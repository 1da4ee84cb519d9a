"""Images: the operator's own, those that users saved, and those that they registered; one by one and by name."""

from typing import Final

from trivium.dialects.modelarts.images import groups, operations

# Groups first: the word `group` is none of the ids that stand in its place.
OPERATIONS: Final = (*groups.OPERATIONS, *operations.OPERATIONS)

__all__ = ["OPERATIONS"]
