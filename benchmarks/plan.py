"""What a run of a benchmark is told."""

from __future__ import annotations

from pathlib import Path

from trivium.base.values import Value


class Plan(Value, frozen=True, kw_only=True):
    """How much, how often, how long."""

    rows: int
    rounds: int
    seconds: float
    connections: int
    database: str | None
    peer: str | None  # whom a list is measured beside
    sizes: tuple[int, ...]  # rows of each data set of what is held against its growth
    keep: Path | None  # where such data sets stay for the next run
