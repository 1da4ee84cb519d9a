"""What a run of a benchmark is told."""

from __future__ import annotations

from pathlib import Path

from trivium.base.values import Value


class Plan(Value, frozen=True, kw_only=True):
    """How much, how often, how long."""

    rows: int  # of the table that is listed
    rounds: int
    seconds: float  # for which a round asks each server
    connections: int
    database: str | None  # a PostgreSQL URL, instead of SQLite
    peer: str | None  # whom a list is measured beside
    sizes: tuple[int, ...]  # rows of the data sets of growth; idle takes the last
    keep: Path | None  # where these data sets stay for the next run
