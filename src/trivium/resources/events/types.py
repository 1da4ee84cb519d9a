"""What an event is."""

from __future__ import annotations

from datetime import datetime

from trivium.base.values import Value


class Event(Value, frozen=True):
    """One thing that was done. It is never changed and never taken back."""

    id: int
    at: datetime
    user: int  # 0 is the platform itself
    user_name: str  # as it was then
    project: int
    request: str  # the request's id, as the log has it
    source: str  # the dialect, or worker, or cli
    action: str  # notebook.stop
    kind: str  # notebook
    target: int | None
    before: str | None  # JSON
    after: str | None  # JSON
