"""Operations: the asynchronous calls of every dialect, which outlive the process that took them."""

from trivium.resources.operations.errors import OperationExists, OperationNotFound
from trivium.resources.operations.hooks import Hook, any_due, note_told, take_due
from trivium.resources.operations.service import (
    advance,
    find,
    finish,
    get,
    get_by_uuid,
    of_targets,
    purge,
    start,
    unfinished,
)
from trivium.resources.operations.table import operations
from trivium.resources.operations.types import Operation, OperationStatus

__all__ = [
    "Hook",
    "Operation",
    "OperationExists",
    "OperationNotFound",
    "OperationStatus",
    "advance",
    "any_due",
    "find",
    "finish",
    "get",
    "get_by_uuid",
    "note_told",
    "of_targets",
    "operations",
    "purge",
    "start",
    "take_due",
    "unfinished",
]
