"""What a run of a benchmark is told."""

from __future__ import annotations

from trivium.base.values import Value


class Plan(Value, frozen=True, kw_only=True):
    """How much, how often, how long."""

    rows: int
    rounds: int
    seconds: float
    connections: int
    database: str | None
