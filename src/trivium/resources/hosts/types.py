"""Hosts as values: a data directory with its keeper on a machine, and who acts on it."""

from __future__ import annotations

from datetime import datetime

from trivium.base.values import Value


class Identity(Value, frozen=True):
    """What a server knows of its own host."""

    id: str  # 32 hex, which lie in the data directory
    name: str  # the machine's, for people
    machine: str  # tells the kernel that it runs on from every other
    data: str  # the data directory


class Host(Value, frozen=True):
    """One host, and the server that held it last. Times are by the database's clock."""

    id: str
    name: str
    machine: str
    data: str
    capabilities: str | None  # JSON: what its runtime can do
    epoch: int
    holder: int | None  # worker bits
    taken_at: datetime
    lease_until: datetime


class Standing(Value, frozen=True):
    """A server and the host that it is on; no server where nobody acts on the host."""

    host: Host | None
    server: int | None = None  # worker bits
    machine: str | None = None
    pid: int | None = None
    proxy: str | None = None  # where the other servers reach its proxy
    acts: bool = False


class Tenure(Value, frozen=True):
    """A server's right to act on a host, until another takes it: what every step is checked against."""

    host: str
    epoch: int


class RemoteCall(Value, frozen=True):
    """A call to the leader of another host."""

    id: int
    op: str
    arguments: str  # JSON


class CallResult(Value, frozen=True):
    """The result of a remote call."""

    answer: str | None  # JSON; None where it failed
    failure: str | None  # why
