"""The table of notebooks, and the way between row and value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal_column,
)
from sqlalchemy import text as sql

from trivium.base.reasons import Reason
from trivium.resources.images import IMAGES
from trivium.resources.notebooks.ports import Address, Mount
from trivium.resources.notebooks.types import (
    Feature,
    Found,
    Lease,
    LeaseKind,
    Notebook,
    NotebookScope,
    Resources,
    Status,
    Volume,
    VolumeKind,
    Wanted,
)
from trivium.resources.tags import Tagged
from trivium.resources.users import USERS, users
from trivium.store import fields as f
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, revision, text
from trivium.store.counters import Counted
from trivium.store.grams import Grams
from trivium.store.query import Scope
from trivium.store.schema import partial_index

THERE: Final = sql("found <> 'gone'")
"""What is not gone: few rows among many, with indexes of them alone, which a database takes for this very text."""

FREE: Final = sql("feature = 'free'")
"""The free notebooks, with an index of them alone, which a database takes for this very text."""

FREE_THERE: Final = sql("feature = 'free' AND listed")
"""Those of them that are not deleted, of which a user has one."""

ELSEWHERE: Final = sql("workspace <> 0")
"""The few that are not in the default workspace."""

REMEMBERED: Final = sql("deleted_at IS NOT NULL")
"""The deleted ones, which are forgotten after a while."""

notebooks = Table(
    "notebooks",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("owner_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("owner_name", text(), nullable=False),
    Column("name", text(), nullable=False),
    Column("name_folded", text(), nullable=False),
    # Asked.
    Column("wanted", text(), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("pool_id", BigInteger, ForeignKey("pools.id"), nullable=False),
    Column("pool_name", text(), nullable=False),
    Column("pool_short", Integer, nullable=False),
    Column("kind", text(), nullable=False),
    Column("units", Integer, nullable=False),
    Column("model", text(), nullable=False),
    Column("millicores", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("image_id", BigInteger, ForeignKey("images.id"), nullable=False),
    Column("image_path", text(), nullable=False),
    Column("image_version", text(), nullable=False),
    Column("image_size", BigInteger, nullable=False),
    Column("mount_home", Boolean, nullable=False),
    Column("mounts", text(), nullable=False),
    Column("start_command", text()),
    Column("service_command", text()),
    Column("service_port", Integer),
    Column("save_as", Uuid16),
    Column("max_running", BigInteger),  # microseconds
    Column("release_after", BigInteger),  # microseconds
    # Found.
    Column("found", text(), nullable=False),
    Column("status", text(), nullable=False),  # `states.shown` of the two, for lists
    Column("listed", Boolean, nullable=False),  # false once its release was asked for
    Column("settled", Boolean, nullable=False),  # `states.is_settled` of the two, for workers
    Column("ever_ran", Boolean, nullable=False),
    Column("reason", text()),
    Column("progress", Integer),
    Column("losses", Integer, nullable=False),  # how often it was lost since it was last started by a caller
    Column("node_id", BigInteger, ForeignKey("nodes.id")),
    Column("node_address", text()),
    Column("host", text()),  # whose runtime has it
    Column("address", text()),
    Column("workload", text()),
    Column("service_seen", Boolean, nullable=False),
    Column("operation", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("stopped_at", Instant),
    Column("stop_at", Instant),
    Column("release_at", Instant),
    Column("deleted_at", Instant),
    # Asked, what came later.
    Column("feature", text(), nullable=False, server_default=Feature.ORDINARY.value),
    # No foreign key: deleted notebooks keep none of their workspaces. 0 is the default one.
    Column("workspace", BigInteger, nullable=False, server_default="0"),
    Column("description", text(), nullable=False, server_default=sql("''")),
    Column("description_folded", text(), nullable=False, server_default=sql("''")),
    Column("owner_name_folded", text(), nullable=False, server_default=sql("''")),
    Column("image_path_folded", text(), nullable=False, server_default=sql("''")),
    Column("volume_kind", text()),
    Column("volume_capacity", BigInteger),  # bytes
    Column("lease_kind", text()),
    Column("lease_enabled", Boolean),
    Column("lease_duration", BigInteger),  # microseconds
    Column("lease_created_at", Instant),
    Column("lease_updated_at", Instant),
    Column("attach_at", text()),
    revision(),
    Index(None, "project_id", "listed", "id"),
    Index(None, "project_id", "listed", "status", "id"),
    Index(None, "status", "id"),
    partial_index(
        "ix_notebooks_unsettled", "host", "id", where={"sqlite": sql("settled = 0"), "postgresql": sql("NOT settled")}
    ),
    partial_index(None, "stop_at", where=sql("stop_at IS NOT NULL")),
    partial_index(None, "release_at", where=sql("release_at IS NOT NULL")),
    partial_index("ix_notebooks_there_owner", "owner_id", where=THERE),
    partial_index("ix_notebooks_there_image", "image_id", where=THERE),
    partial_index("ix_notebooks_there_pool", "pool_id", where=THERE),
    partial_index("ix_notebooks_there_host", "host", "owner_id", where=THERE),
    partial_index("ix_notebooks_free", "project_id", "listed", "id", where=FREE),
    partial_index("uq_notebooks_free_there", "owner_id", where=FREE_THERE, unique=True),
    partial_index("ix_notebooks_elsewhere", "workspace", "listed", "id", where=ELSEWHERE),
    partial_index("ix_notebooks_remembered", "deleted_at", where=REMEMBERED),
)

COUNTED = Counted(
    notebooks,
    (("project_id", "listed", "status", "feature", "workspace"), ("status",)),
    within=("project_id", "listed"),
    by=("status", "feature", "workspace"),
)

NAMES = Grams(notebooks, "name_folded", part=case((notebooks.c.listed, notebooks.c.project_id)))
"""Substrings of the names of each project's listed notebooks."""

NOTEBOOKS = f.Resource(
    "notebooks",
    notebooks,
    (
        f.Field("id", f.integer, notebooks.c.id),
        f.Field("uuid", f.uuid, notebooks.c.uuid),
        f.Field("name", f.text, notebooks.c.name, folded=notebooks.c.name_folded, grams=NAMES),
        f.Field("status", f.enum(Status), notebooks.c.status),
        f.Field("kind", f.text, notebooks.c.kind),
        f.Field("units", f.integer, notebooks.c.units),
        f.Field("pool", f.text, notebooks.c.pool_name, folded=func.lower(notebooks.c.pool_name)),
        f.Field("owner_id", f.integer, notebooks.c.owner_id),
        f.Field("owner_name", f.text, notebooks.c.owner_name, folded=notebooks.c.owner_name_folded),
        f.Field("listed", f.boolean, notebooks.c.listed),
        f.Field("feature", f.enum(Feature), notebooks.c.feature),
        f.Field("workspace", f.integer, notebooks.c.workspace),
        f.Field("description", f.text, notebooks.c.description, folded=notebooks.c.description_folded),
        f.Field("image_path", f.text, notebooks.c.image_path, folded=notebooks.c.image_path_folded),
        f.Field("address", f.text, notebooks.c.node_address),
        f.Field("node", f.integer, notebooks.c.node_id),
        f.Field("created_at", f.time, notebooks.c.created_at),
        f.Field("changed_at", f.time, notebooks.c.changed_at),
        f.Field("started_at", f.time, notebooks.c.started_at),
        f.Field("revision", f.integer, notebooks.c.revision),
    ),
    relations=(
        f.Relation("owner", lambda: USERS, notebooks.c.owner_id, users.c.id),
        f.Relation("image", lambda: IMAGES, notebooks.c.image_id, IMAGES.id),
    ),
    columns=[column for column in notebooks.c if not column.key.endswith("_folded")],
    counted=COUNTED,
)

LISTED = Scope((notebooks.c.project_id == bindparam("project")) & notebooks.c.listed, parts=("project",))
"""What a caller sees: their project's notebooks that were not released."""

SCOPES: Final = {
    NotebookScope.LISTED: LISTED,
    NotebookScope.DELETED: Scope((notebooks.c.project_id == bindparam("project")) & ~notebooks.c.listed),
    NotebookScope.EVERY: Scope(notebooks.c.project_id == bindparam("project")),
}

IN_POOL: Final = Scope(and_(notebooks.c.pool_id == bindparam("pool"), THERE))
IN_POOL_OF_PROJECT: Final = Scope(
    and_(notebooks.c.pool_id == bindparam("pool"), notebooks.c.project_id == bindparam("project"), THERE)
)
"""What is in a pool and not gone, stopped or being deleted too: of everybody, or of a project."""

ONLY_FREE: Final = Scope(notebooks.c.feature == literal_column("'free'"))
ONLY_ELSEWHERE: Final = Scope(notebooks.c.workspace != literal_column("0"))
"""What a condition of a query says already, in the text by which a database takes the index of these few."""

KIND: Final = "notebook"
"""What tags know notebooks as."""

TAGGED: Final = Tagged(KIND, notebooks.c.id)


def notebook_of(row: Row[Any]) -> Notebook:
    """The notebook that a row of `notebooks` stands for."""
    return Notebook(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        owner=row.owner_id,
        owner_name=row.owner_name,
        name=row.name,
        wanted=Wanted(row.wanted),
        found=Found(row.found),
        status=Status(row.status),
        reason=None if row.reason is None else msgspec.json.decode(row.reason, type=Reason),
        progress=row.progress,
        generation=row.generation,
        pool=row.pool_id,
        pool_name=row.pool_name,
        pool_short=row.pool_short,
        node=row.node_id,
        node_address=row.node_address,
        resources=Resources(
            kind=row.kind, count=row.units, model=row.model, millicores=row.millicores, memory=row.memory
        ),
        image=row.image_id,
        image_path=row.image_path,
        image_version=row.image_version,
        image_size=row.image_size,
        mount_home=row.mount_home,
        mounts=mounts_of(row.mounts),
        start_command=row.start_command,
        service_command=row.service_command,
        service_port=row.service_port,
        service_seen=row.service_seen,
        workload=row.workload,
        operation=row.operation,
        save_as=row.save_as,
        losses=row.losses,
        max_running=_span(row.max_running),
        release_after=_span(row.release_after),
        created_at=row.created_at,
        changed_at=row.changed_at,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        release_at=row.release_at,
        deleted_at=row.deleted_at,
        host=row.host,
        feature=Feature(row.feature),
        description=row.description,
        workspace=row.workspace,
        lease=None if row.lease_kind is None else _lease(row),
        attach_at=row.attach_at,
        volume=None if row.volume_kind is None else Volume(VolumeKind(row.volume_kind), row.volume_capacity),
    )


def _lease(row: Row[Any]) -> Lease:
    return Lease(
        kind=LeaseKind(row.lease_kind),
        enabled=row.lease_enabled,
        duration=timedelta(microseconds=row.lease_duration),
        created_at=row.lease_created_at,
        updated_at=row.lease_updated_at,
    )


def mounts_of(document: str) -> tuple[Mount, ...]:
    """The mounts that a row's document lists; most notebooks have none."""
    return () if document == "[]" else msgspec.json.decode(document, type=tuple[Mount, ...])


def address_of(document: str | None) -> Address | None:
    """Where the notebook's server listens, as the runtime said."""
    return None if document is None else msgspec.json.decode(document, type=Address, dec_hook=_of_text)


def document(value: object) -> str:
    """JSON for a text column; a path is its text."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def _span(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else timedelta(microseconds=microseconds)


def _of_text(kind: Callable[[str], object], value: str) -> object:
    return kind(value)
