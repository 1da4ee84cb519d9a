"""Operations: the asynchronous calls of every dialect, which outlive the process that took them."""

from trivium.resources.operations.errors import OperationNotFound
from trivium.resources.operations.service import advance, finish, get, get_by_uuid, of_targets, start, unfinished
from trivium.resources.operations.table import operations
from trivium.resources.operations.types import Operation, OperationStatus

__all__ = [
    "Operation",
    "OperationNotFound",
    "OperationStatus",
    "advance",
    "finish",
    "get",
    "get_by_uuid",
    "of_targets",
    "operations",
    "start",
    "unfinished",
]
