"""Hosts as values: a data directory with its keeper on a machine, and who acts on it."""

from __future__ import annotations

from datetime import datetime

from trivium.base.values import Value


class Host(Value, frozen=True):
    """One host, and the server that held it last. Times are by the database's clock."""

    id: str
    name: str
    machine: str
    data: str
    capabilities: str | None
    epoch: int
    holder: int | None
    taken_at: datetime
    lease_until: datetime


class Tenure(Value, frozen=True):
    """A server's right to act on a host, until another takes it: what every step is checked against."""

    host: str
    epoch: int
