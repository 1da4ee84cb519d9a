"""Tables of nodes, devices and reservations, and the way between row and value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Integer, Row, Table, UniqueConstraint

from trivium.resources.nodes.types import Device, Node
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, revision, text

nodes = Table(
    "nodes",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("pool_id", BigInteger, ForeignKey("pools.id"), nullable=False, index=True),
    Column("host", text(), nullable=False),
    Column("name", text(), nullable=False),
    Column("address", text(), nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("reason", text(), nullable=False),
    Column("millicores", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("disk", BigInteger, nullable=False),
    # What the reservations on this node add up to; changed by the transactions that change those.
    Column("held_millicores", BigInteger, CheckConstraint("held_millicores >= 0", "held_millicores"), nullable=False),
    Column("held_memory", BigInteger, CheckConstraint("held_memory >= 0", "held_memory"), nullable=False),
    Column("seen_at", Instant, nullable=False),
    revision(),  # moves with its devices, too
    UniqueConstraint("host", "name"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("node_id", BigInteger, ForeignKey("nodes.id"), nullable=False),
    Column("kind", text(), nullable=False),
    Column("number", Integer, nullable=False),
    Column("model", text(), nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("holder", BigInteger, index=True),
    UniqueConstraint("node_id", "kind", "number"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("holder", BigInteger, primary_key=True, autoincrement=False),
    Column("node_id", BigInteger, ForeignKey("nodes.id"), nullable=False, index=True),
    Column("kind", text(), nullable=False),
    Column("units", Integer, nullable=False),
    Column("millicores", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
)


def node_of(row: Row[Any]) -> Node:
    """The node that a row of `nodes` stands for."""
    return Node(
        id=row.id,
        uuid=row.uuid,
        pool=row.pool_id,
        host=row.host,
        name=row.name,
        address=row.address,
        ready=row.ready,
        reason=row.reason,
        millicores=row.millicores,
        memory=row.memory,
        disk=row.disk,
        held_millicores=row.held_millicores,
        held_memory=row.held_memory,
        seen_at=row.seen_at,
    )


def device_of(row: Row[Any]) -> Device:
    """The device that a row of `devices` stands for."""
    return Device(
        id=row.id,
        node=row.node_id,
        kind=row.kind,
        index=row.number,
        model=row.model,
        memory=row.memory,
        declared=row.declared,
        present=row.present,
        holder=row.holder,
    )
