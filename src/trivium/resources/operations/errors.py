"""What can go wrong with operations."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound


class OperationNotFound(NotFound):
    """No operation of that id in the caller's project."""

    code = "operation.not_found"


class OperationExists(Conflict):
    """The UUID that the caller chose for an operation is that of another one."""

    code = "operation.exists"
