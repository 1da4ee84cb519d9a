"""Tables of pools and flavors, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Row, Table, UniqueConstraint
from sqlalchemy import text as sql

from trivium.base import json
from trivium.resources.pools.types import Flavor, Pool, PoolDetails, PoolPhase, Scope
from trivium.store import fields as f
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, revision, text
from trivium.store.schema import partial_index

THERE: Final = sql("deleted_at IS NULL")
ELSEWHERE: Final = sql("workspace <> 0 AND deleted_at IS NULL")
"""The few that are not in the default workspace, with an index of them alone, which is taken for this very text."""

pools = Table(
    "pools",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("name", text(), nullable=False),
    Column("short", Integer, nullable=False, unique=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), index=True),
    Column("created_at", Instant, nullable=False),
    Column("title", text(), nullable=False, server_default=sql("''")),
    Column("description", text(), nullable=False, server_default=sql("''")),
    Column("labels", text(), nullable=False, server_default="{}"),
    Column("annotations", text(), nullable=False, server_default="{}"),
    Column("scope", text(), nullable=False, server_default='["notebook"]'),
    Column("phase", text(), nullable=False, server_default="running"),
    Column("network_id", BigInteger, ForeignKey("networks.id"), index=True),
    Column("node_prefix", text(), nullable=False, server_default="node"),
    Column("changed_at", Instant, nullable=False, server_default="0"),
    Column("deleted_at", Instant),
    # Who has it in lists: a project, `EVERYBODY`, or `NOBODY` once it was deleted.
    Column("audience", BigInteger, nullable=False, server_default="0"),
    # No foreign key: deleted pools keep none of their workspaces. 0 is the default one.
    Column("workspace", BigInteger, nullable=False, server_default="0"),
    Column("site_uuid", Uuid16),
    Column("title_folded", text(), nullable=False, server_default=sql("''")),
    Column("description_folded", text(), nullable=False, server_default=sql("''")),
    Index(None, "audience", "id"),
    Index(None, "title_folded", "id"),
    partial_index("uq_pools_name", "name", unique=True, where=THERE),  # a name can be given again
    partial_index("ix_pools_elsewhere", "workspace", where=ELSEWHERE),
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


POOLS = f.Resource(
    "pools",
    pools,
    (
        f.Field("id", f.integer, pools.c.id),
        f.Field("uuid", f.uuid, pools.c.uuid),
        f.Field("name", f.text, pools.c.name),
        f.Field("title", f.text, pools.c.title),
        f.Field("phase", f.enum(PoolPhase), pools.c.phase),
        f.Field("created_at", f.time, pools.c.created_at),
        f.Field("changed_at", f.time, pools.c.changed_at),
        f.Field("audience", f.integer, pools.c.audience),
        f.Field("workspace", f.integer, pools.c.workspace),
    ),
)

EVERYBODY: Final = 0
"""The audience of pools that are open to all; no project has that id."""

NOBODY: Final = -1
"""The audience of deleted pools."""


def pool_of(row: Row[Any]) -> Pool:
    """The pool that a row of `pools` stands for."""
    return Pool(
        id=row.id,
        uuid=row.uuid,
        name=row.name,
        short=row.short,
        project=row.project_id,
        title=row.title,
        details=PoolDetails(
            description=row.description,
            labels=msgspec.json.decode(row.labels, type=dict[str, str]),
            annotations=json.decode_as(row.annotations, dict[str, Any]),
            scope=msgspec.json.decode(row.scope, type=tuple[Scope, ...]),
        ),
        phase=PoolPhase(row.phase),
        network=row.network_id,
        node_prefix=row.node_prefix,
        created_at=row.created_at,
        changed_at=row.changed_at,
        deleted_at=row.deleted_at,
        workspace=row.workspace,
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
