"""The table of node pools, and the way between row and value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Row, Table, UniqueConstraint

from trivium.base import json
from trivium.resources.nodes import SliceSize
from trivium.resources.shares.types import NodePool
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, text

node_pools = Table(
    "node_pools",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("pool_id", BigInteger, ForeignKey("pools.id"), nullable=False),
    Column("name", text(), nullable=False),
    Column("flavor", text(), nullable=False),
    Column("kind", text(), nullable=False),
    Column("model", text(), nullable=False),
    Column("cards", Integer, nullable=False),
    Column("millicores", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("nodes", Integer, nullable=False),
    Column("max_count", Integer, nullable=False),
    Column("annotations", text(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("pool_id", "name"),
)


def node_pool_of(row: Row[Any]) -> NodePool:
    """The node pool that a row of `node_pools` stands for."""
    return NodePool(
        id=row.id,
        uuid=row.uuid,
        pool=row.pool_id,
        name=row.name,
        flavor=row.flavor,
        size=SliceSize(kind=row.kind, model=row.model, cards=row.cards, millicores=row.millicores, memory=row.memory),
        count=row.nodes,
        max_count=row.max_count,
        annotations=json.decode_as(row.annotations, dict[str, Any]),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
