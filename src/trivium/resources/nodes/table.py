"""Tables of nodes, devices and reservations, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    UniqueConstraint,
    bindparam,
    false,
    true,
)
from sqlalchemy import text as sql

from trivium.resources.nodes.types import Card, Device, Node
from trivium.store import fields as f
from trivium.store import metadata, query
from trivium.store.columns import Instant, Uuid16, revision, text
from trivium.store.counters import Counted

nodes = Table(
    "nodes",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("pool_id", BigInteger, ForeignKey("pools.id"), nullable=False),
    Column("host", text(), nullable=False),
    Column("name", text(), nullable=False),
    Column("address", text(), nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("reason", text(), nullable=False),
    Column("millicores", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("disk", BigInteger, nullable=False),
    # What the reservations on this node and its slices add up to; changed by the transactions that change those.
    Column("held_millicores", BigInteger, CheckConstraint("held_millicores >= 0", "held_millicores"), nullable=False),
    Column("held_memory", BigInteger, CheckConstraint("held_memory >= 0", "held_memory"), nullable=False),
    Column("seen_at", Instant, nullable=False),
    revision(),  # moves with its devices, too
    # Of a slice: the machine that it is a part of. No foreign key: SQLite adds none to a table that is there.
    Column("parent_id", BigInteger),
    Column("node_pool_id", BigInteger, nullable=False, server_default="0"),  # 0: a machine, in no node pool
    Column("flavor", text(), nullable=False, server_default=sql("''")),
    Column("kind", text(), nullable=False, server_default=sql("''")),  # of a slice's accelerators; cpu for none
    Column("cards", Integer, nullable=False, server_default="0"),  # that a slice was given
    # The part of what is held that slices have.
    Column("sliced_millicores", BigInteger, nullable=False, server_default="0"),
    Column("sliced_memory", BigInteger, nullable=False, server_default="0"),
    Column("cordoned", Boolean, nullable=False, server_default=false()),
    Column("locked", text(), nullable=False, server_default="[]"),
    Column("private_address", text()),  # out of its pool's network
    Column("listed", Boolean, nullable=False, server_default=true()),  # false once a slice was given back
    Column("created_at", Instant, nullable=False, server_default="0"),
    Column("deleted_at", Instant),
    # What queries that know no case go by. Who has it in lists: whoever has its pool, nobody once it was given back.
    Column("site_uuid", Uuid16),
    Column("pool_uuid", Uuid16),
    Column("audience", BigInteger, nullable=False, server_default="-1"),
    Column("name_folded", text(), nullable=False, server_default=sql("''")),
    Column("architecture", text(), nullable=False, server_default=sql("''")),  # its processors'; empty: not known
    UniqueConstraint("host", "name"),
    Index(None, "pool_id", "listed", "id"),
    Index(None, "pool_id", "listed", "node_pool_id", "id"),
    Index(None, "pool_id", "name"),
    Index(None, "parent_id", "listed", "id"),
    Index(None, "audience", "id"),
    Index(None, "pool_uuid", "id"),
    Index(None, "name_folded", "id"),
)

COUNTED = Counted(
    nodes,
    (("pool_id", "listed", "node_pool_id", "ready"),),
    within=("pool_id", "listed"),
    by=("node_pool_id",),
)

VIEWED: Final = ("site_uuid", "pool_uuid", "audience", "name_folded")
"""Columns for queries of the whole estate, which no value has."""

NODES = f.Resource(
    "nodes",
    nodes,
    (
        f.Field("id", f.integer, nodes.c.id),
        f.Field("uuid", f.uuid, nodes.c.uuid),
        f.Field("name", f.text, nodes.c.name),
        f.Field("node_pool", f.integer, nodes.c.node_pool_id),
        f.Field("flavor", f.text, nodes.c.flavor),
        f.Field("ready", f.boolean, nodes.c.ready),
        f.Field("cordoned", f.boolean, nodes.c.cordoned),
        f.Field("created_at", f.time, nodes.c.created_at),
        f.Field("revision", f.integer, nodes.c.revision),
    ),
    columns=[column for column in nodes.c if column.key not in VIEWED],
    counted=COUNTED,
)

OF_POOL = query.Scope((nodes.c.pool_id == bindparam("pool")) & nodes.c.listed)
"""The nodes of a pool that were not given back."""

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

cards = Table(
    "cards",  # the things behind the devices
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("machine_id", BigInteger, ForeignKey("nodes.id"), nullable=False),
    # Who has it to give out: the machine, or a slice of it.
    Column("node_id", BigInteger, ForeignKey("nodes.id"), nullable=False),
    Column("node_uuid", Uuid16, nullable=False),
    Column("device_id", BigInteger, index=True),  # the place that it was found in last
    Column("audience", BigInteger, nullable=False),  # the node's
    Column("kind", text(), nullable=False),
    Column("number", Integer, nullable=False),
    Column("model", text(), nullable=False),
    Column("model_folded", text(), nullable=False),
    Column("memory", BigInteger),  # bytes
    Column("declared", Boolean, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("unit", text()),  # what the driver calls this very card
    Column("serial", text()),
    Column("serial_folded", text()),
    Column("pci_address", text()),
    Column("pci_class", Integer),
    Column("vendor", text()),
    Column("vendor_folded", text()),
    Column("vendor_id", text()),
    Column("device_code", text()),
    Column("subvendor_id", text()),
    Column("subdevice_id", text()),
    Column("power", BigInteger),  # watts
    Column("driver_loaded", Boolean),
    Column("health", text()),
    Column("health_folded", text()),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "audience", "id"),
    Index(None, "machine_id", "id"),
    Index(None, "node_id", "id"),
    Index(None, "node_uuid", "id"),
    Index(None, "model_folded", "id"),
    Index(None, "serial_folded", "id"),
    Index(None, "pci_address", "id"),
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
        parent=row.parent_id,
        node_pool=row.node_pool_id or None,
        flavor=row.flavor,
        kind=row.kind,
        cards=row.cards,
        sliced_millicores=row.sliced_millicores,
        sliced_memory=row.sliced_memory,
        cordoned=row.cordoned,
        locked=() if row.locked == "[]" else msgspec.json.decode(row.locked, type=tuple[str, ...]),
        private_address=row.private_address,
        created_at=row.created_at,
        revision=row.revision,
        architecture=row.architecture,
    )


def card_of(row: Row[Any]) -> Card:
    """The card that a row of `cards` stands for."""
    return Card(
        id=row.id,
        uuid=row.uuid,
        node=row.node_id,
        node_uuid=row.node_uuid,
        kind=row.kind,
        index=row.number,
        model=row.model,
        memory=row.memory,
        declared=row.declared,
        present=row.present,
        unit=row.unit,
        serial=row.serial,
        pci_address=row.pci_address,
        pci_class=row.pci_class,
        vendor=row.vendor,
        vendor_id=row.vendor_id,
        device_id=row.device_code,
        subvendor_id=row.subvendor_id,
        subdevice_id=row.subdevice_id,
        power=row.power,
        driver_loaded=row.driver_loaded,
        health=row.health,
        created_at=row.created_at,
        changed_at=row.changed_at,
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
