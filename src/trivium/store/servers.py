"""The processes that use this database: a row for each, with the worker bits of its ids and its lease on them."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Table,
    delete,
    insert,
    select,
    update,
)

from trivium.base.clock import Clock
from trivium.base.ids import WORKERS
from trivium.base.values import Value
from trivium.store.columns import Instant, text
from trivium.store.database import Flavour
from trivium.store.errors import Busy
from trivium.store.schema import metadata

LEASES: Final = {Flavour.POSTGRESQL: timedelta(minutes=1), Flavour.SQLITE: timedelta(minutes=3)}
"""Nobody waits for the end of one on SQLite, where servers do not take over from each other, and each renewal ends what
is cached of the database."""


servers = Table(
    "servers",
    metadata,
    Column("worker", Integer, primary_key=True, autoincrement=False),
    Column("kind", text(), nullable=False),  # server, or cli
    Column("host", text(), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("proxy_address", text()),  # host:port under which the other servers reach its notebook listener
    Column("started_at", Instant, nullable=False),
    Column("lease_until", Instant, nullable=False),
    Column("host_id", text()),  # whose workloads it acts on, or would
)


class Lease(Value, frozen=True):
    """Worker bits that this process has leased."""

    worker: int
    kind: str
    started_at: datetime


def lease_of(connection: Connection) -> timedelta:
    """How long a lease lasts unless it is renewed."""
    return LEASES[Flavour(connection.dialect.name)]


def lease_worker(connection: Connection, clock: Clock, kind: str) -> Lease:
    """Worker bits that no living process holds, leased. Within a transaction that writes, under the lock.

    Raises `Busy` when there are none.
    """
    now = clock.now()
    connection.execute(delete(servers).where(servers.c.lease_until < now))
    taken = set(connection.execute(select(servers.c.worker)).scalars())
    worker = next((bits for bits in range(WORKERS) if bits not in taken), None)
    if worker is None:
        message = f"{WORKERS} processes work on this database already; try again in a minute"
        raise Busy(message)
    row = {"worker": worker, "kind": kind, "host": socket.gethostname(), "pid": os.getpid(), "started_at": now}
    connection.execute(insert(servers).values(**row, lease_until=now + lease_of(connection)))
    return Lease(worker=worker, kind=kind, started_at=now)


def renew(connection: Connection, clock: Clock, lease: Lease) -> bool:
    """Lengthen the lease; False when somebody else holds the bits by now."""
    until = clock.now() + lease_of(connection)
    statement = update(servers).where(*_mine(lease)).values(lease_until=until)
    return connection.execute(statement).rowcount == 1


def announce(connection: Connection, lease: Lease, *, host: str, proxy_address: str) -> None:
    """Say on which host the process is, and where others reach its proxy."""
    statement = update(servers).where(*_mine(lease)).values(host_id=host, proxy_address=proxy_address)
    connection.execute(statement)


def release(connection: Connection, lease: Lease) -> None:
    """End the lease."""
    connection.execute(delete(servers).where(*_mine(lease)))


def _mine(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    row = servers.c
    process = (row.pid == os.getpid(), row.host == socket.gethostname())
    return (row.worker == lease.worker, row.started_at == lease.started_at, *process)


def largest_id(connection: Connection) -> int:
    """The largest snowflake in any table: no new id may be at or below it."""
    keyed = [
        table.name
        for table in metadata.tables.values()
        if "id" in table.c and table.c.id.primary_key and isinstance(table.c.id.type, BigInteger)
    ]
    # As text, for compiling a statement for each table is a good part of a start.
    largest = (connection.exec_driver_sql(f"SELECT max(id) FROM {name}").scalar() for name in keyed)  # noqa: S608
    return max((value for value in largest if value is not None), default=0)
