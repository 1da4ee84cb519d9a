"""Tables of pools and flavors, and the way between row and value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Row, Table, UniqueConstraint

from trivium.resources.pools.types import Flavor, Pool
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, revision, text

pools = Table(
    "pools",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("name", text(), nullable=False, unique=True),
    Column("short", Integer, nullable=False, unique=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), index=True),
    Column("created_at", Instant, nullable=False),
)

flavors = Table(
    "flavors",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("pool_id", BigInteger, ForeignKey("pools.id"), nullable=False),
    Column("short", Integer, nullable=False, unique=True),
    Column("kind", text(), nullable=False),
    Column("model", text(), nullable=False),
    Column("device_memory", BigInteger, nullable=False),
    Column("millicores", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("declared", Boolean, nullable=False),
    revision(),
    UniqueConstraint("pool_id", "kind"),
)


def pool_of(row: Row[Any]) -> Pool:
    """The pool that a row of `pools` stands for."""
    return Pool(
        id=row.id, uuid=row.uuid, name=row.name, short=row.short, project=row.project_id, created_at=row.created_at
    )


def flavor_from(row: Row[Any]) -> Flavor:
    """The flavor that a row of `flavors` stands for."""
    return Flavor(
        id=row.id,
        pool=row.pool_id,
        short=row.short,
        kind=row.kind,
        model=row.model,
        device_memory=row.device_memory,
        millicores=row.millicores,
        memory=row.memory,
        declared=row.declared,
    )
