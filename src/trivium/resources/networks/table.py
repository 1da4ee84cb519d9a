"""Tables of networks and of the addresses that were given out of them, and the way between row and value."""

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
    bindparam,
)
from sqlalchemy import text as sql

from trivium.base import json
from trivium.resources.networks.types import Network, NetworkPhase
from trivium.store import fields as f
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.query import Scope
from trivium.store.schema import partial_index

ELSEWHERE: Final = sql("workspace <> 0 AND listed")
"""The few that are not in the default workspace, with an index of them alone, which is taken for this very text."""

networks = Table(
    "networks",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("title", text(), nullable=False),
    Column("name", text(), nullable=False, unique=True),
    Column("cidr", text(), nullable=False),
    Column("first", BigInteger, nullable=False),  # address of the range, as a number
    Column("last", BigInteger, nullable=False),
    Column("description", text(), nullable=False),
    Column("labels", text(), nullable=False),
    Column("annotations", text(), nullable=False),
    Column("connection", text(), nullable=False),
    Column("phase", text(), nullable=False),
    Column("pools", Integer, CheckConstraint("pools >= 0", "pools"), nullable=False),
    Column("listed", Boolean, nullable=False),  # false once it was deleted
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    # No foreign key: deleted networks keep none of their workspaces. 0 is the default one.
    Column("workspace", BigInteger, nullable=False, server_default="0"),
    Index(None, "project_id", "listed", "id"),
    partial_index("ix_networks_elsewhere", "workspace", where=ELSEWHERE),
)

addresses = Table(
    "addresses",
    metadata,
    Column("network_id", BigInteger, ForeignKey("networks.id"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("holder", BigInteger, nullable=False, unique=True),  # a node
)

NETWORKS = f.Resource(
    "networks",
    networks,
    (
        f.Field("id", f.integer, networks.c.id),
        f.Field("uuid", f.uuid, networks.c.uuid),
        f.Field("name", f.text, networks.c.name),
        f.Field("title", f.text, networks.c.title),
        f.Field("cidr", f.text, networks.c.cidr),
        f.Field("phase", f.enum(NetworkPhase), networks.c.phase),
        f.Field("created_at", f.time, networks.c.created_at),
        f.Field("changed_at", f.time, networks.c.changed_at),
        f.Field("workspace", f.integer, networks.c.workspace),
    ),
)

LISTED = Scope((networks.c.project_id == bindparam("project")) & networks.c.listed)
"""What a caller sees: their project's networks that were not deleted."""


def network_of(row: Row[Any]) -> Network:
    """The network that a row of `networks` stands for."""
    return Network(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        title=row.title,
        name=row.name,
        cidr=row.cidr,
        description=row.description,
        labels=msgspec.json.decode(row.labels, type=dict[str, str]),
        annotations=msgspec.json.decode(row.annotations, type=dict[str, str]),
        connection=json.decode_as(row.connection, dict[str, Any]),
        phase=NetworkPhase(row.phase),
        pools=row.pools,
        created_at=row.created_at,
        changed_at=row.changed_at,
        deleted_at=row.deleted_at,
        workspace=row.workspace,
    )
