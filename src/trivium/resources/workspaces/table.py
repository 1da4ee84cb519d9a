"""The table of workspaces, what may be asked of it, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Row, Table, UniqueConstraint, bindparam, or_

from trivium.resources.workspaces.types import Audience, Workspace
from trivium.store import fields as f
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.query import Scope
from trivium.store.schema import metadata

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Column("name", text(), nullable=False),
    Column("name_folded", text(), nullable=False),
    Column("description", text(), nullable=False),
    # No foreign key: users come after workspaces.
    Column("owner_id", BigInteger, nullable=False),
    Column("owner_name", text(), nullable=False),
    Column("audience", text(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("project_id", "name"),
    Index(None, "project_id", "id"),
)

WORKSPACES = f.Resource(
    "workspaces",
    workspaces,
    (
        f.Field("id", f.integer, workspaces.c.id),
        f.Field("uuid", f.uuid, workspaces.c.uuid),
        f.Field("name", f.text, workspaces.c.name, folded=workspaces.c.name_folded),
        f.Field("description", f.text, workspaces.c.description),
        f.Field("owner", f.integer, workspaces.c.owner_id),
        f.Field("audience", f.enum(Audience), workspaces.c.audience),
        f.Field("created_at", f.time, workspaces.c.created_at),
        f.Field("changed_at", f.time, workspaces.c.changed_at),
    ),
)

IN_PROJECT: Final = Scope(workspaces.c.project_id == bindparam("project", None, BigInteger()))
"""All of a project, as administrators see them."""

USABLE: Final = Scope(
    (workspaces.c.project_id == bindparam("project", None, BigInteger()))
    & or_(
        workspaces.c.audience == Audience.PUBLIC.value,
        workspaces.c.owner_id == bindparam("user", None, BigInteger()),
    )
)
"""Those of a project that one of its users may use."""


def workspace_of(row: Row[Any]) -> Workspace:
    """The workspace that a row of `workspaces` stands for."""
    return Workspace(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        name=row.name,
        description=row.description,
        owner=row.owner_id,
        owner_name=row.owner_name,
        audience=Audience(row.audience),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
