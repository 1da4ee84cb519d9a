"""What an operation is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from trivium.base.reasons import Reason
from trivium.base.values import Value


class OperationStatus(StrEnum):
    """How far an operation has come."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Operation(Value, frozen=True):
    """One asynchronous call."""

    id: int  # SCNet's taskId
    uuid: UUID  # ZStack's job
    kind: str  # notebook.create
    target: int | None
    user: int
    project: int
    status: OperationStatus
    progress: int | None  # per cent
    failure: Reason | None  # why it failed, where it did
    result: str | None  # JSON
    called: str | None  # what the client called it by, where its answer depends on that
    due_by: datetime | None  # when it was to have ended; None: at any time
    expires_at: datetime | None  # when it is forgotten, once that is known; None: never
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing about it changes any more."""
        return self.finished_at is not None

    def is_late(self, now: datetime) -> bool:
        """Whether it had not ended by when it was to, or has not."""
        return self.due_by is not None and (self.finished_at or now) > self.due_by
