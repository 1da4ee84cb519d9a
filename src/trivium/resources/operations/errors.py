"""What can go wrong with operations."""

from __future__ import annotations

from trivium.base.errors import NotFound


class OperationNotFound(NotFound):
    """No operation of that id in the caller's project."""

    code = "operation.not_found"
