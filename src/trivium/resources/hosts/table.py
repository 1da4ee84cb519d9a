"""The tables of hosts and of remote calls between their servers, and the way between row and value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Row, Table

from trivium.resources.hosts.types import Host
from trivium.store import metadata
from trivium.store.columns import Instant, text

hosts = Table(
    "hosts",
    metadata,
    Column("id", text(), primary_key=True),  # 32 hex, which lie in the data directory
    Column("name", text(), nullable=False),  # the machine's, for people
    Column("machine", text(), nullable=False),  # tells the kernel that its holder runs on from every other
    Column("data", text(), nullable=False),
    Column("capabilities", text()),  # JSON: what its runtime can do; null until a holder has looked
    Column("limits", text()),  # JSON: the limits of the site that its notebooks were brought to last
    Column("epoch", BigInteger, nullable=False),  # raised whenever another server takes it
    Column("holder", Integer),  # worker bits of the server that holds it
    Column("taken_at", Instant, nullable=False),
    Column("lease_until", Instant, nullable=False),  # by the database's clock
)

calls = Table(
    "errands",  # remote calls
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("host", text(), nullable=False),
    Column("op", text(), nullable=False),
    Column("asked", text(), nullable=False),
    Column("answer", text()),
    Column("failure", text()),
    Column("taken_by", Integer),  # worker bits of the server that carries it out
    Column("expires_at", Instant, nullable=False),  # by the database's clock
    Index(None, "host", "id"),
)


def host_of(row: Row[Any]) -> Host:
    """The host that a row of `hosts` stands for."""
    return Host(
        id=row.id,
        name=row.name,
        machine=row.machine,
        data=row.data,
        capabilities=row.capabilities,
        epoch=row.epoch,
        holder=row.holder,
        taken_at=row.taken_at,
        lease_until=row.lease_until,
    )
