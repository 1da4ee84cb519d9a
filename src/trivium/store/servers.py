"""Who works on this database: one row for each process, with the worker bits of its ids and its lease."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, delete, func, insert, select, update

from trivium.base.clock import Clock
from trivium.base.ids import WORKERS
from trivium.store.columns import Instant, text
from trivium.store.errors import Busy
from trivium.store.schema import metadata

LEASE: Final = timedelta(seconds=60)

servers = Table(
    "servers",
    metadata,
    Column("worker", Integer, primary_key=True, autoincrement=False),
    Column("kind", text(), nullable=False),  # server, or cli
    Column("host", text(), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("proxy_address", text()),
    Column("started_at", Instant, nullable=False),
    Column("lease_until", Instant, nullable=False),
)


def lease_worker(connection: Connection, clock: Clock, kind: str) -> int:
    """Worker bits that no living process holds, leased for `LEASE`. Within a writing transaction."""
    now = clock.now()
    connection.execute(delete(servers).where(servers.c.lease_until < now))
    taken = set(connection.execute(select(servers.c.worker)).scalars())
    worker = next((bits for bits in range(WORKERS) if bits not in taken), None)
    if worker is None:
        message = f"{WORKERS} processes work on this database already; try again in a minute"
        raise Busy(message)
    row = {"worker": worker, "kind": kind, "host": socket.gethostname(), "pid": os.getpid(), "started_at": now}
    connection.execute(insert(servers).values(**row, lease_until=now + LEASE))
    return worker


def renew(connection: Connection, clock: Clock, worker: int) -> bool:
    """Lengthen the lease; False when somebody else holds the bits by now."""
    mine = (servers.c.worker == worker, servers.c.pid == os.getpid(), servers.c.host == socket.gethostname())
    until = clock.now() + LEASE
    return connection.execute(update(servers).where(*mine).values(lease_until=until)).rowcount == 1


def give_back(connection: Connection, worker: int) -> None:
    """End the lease."""
    mine = (servers.c.worker == worker, servers.c.pid == os.getpid(), servers.c.host == socket.gethostname())
    connection.execute(delete(servers).where(*mine))


def largest_id(connection: Connection) -> int:
    """The largest snowflake in any table: no new id may be at or below it."""
    keyed = [t.c.id for t in metadata.sorted_tables if "id" in t.c and t.c.id.primary_key]
    largest = (connection.execute(select(func.max(column))).scalar() for column in keyed)
    return max((value for value in largest if value is not None), default=0)
