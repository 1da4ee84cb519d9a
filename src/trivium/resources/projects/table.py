"""The tables of domains and projects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Row, Table, UniqueConstraint

from trivium.resources.projects.types import Domain, Project
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.schema import metadata

domains = Table(
    "domains",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("name", text(), nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("domain_id", BigInteger, ForeignKey("domains.id"), nullable=False),
    # No foreign key: users come after projects, and point back at them.
    Column("owner_id", BigInteger, nullable=False),
    Column("name", text(), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("domain_id", "owner_id", "name"),
)


def domain_of(row: Row[Any]) -> Domain:
    """The domain that a row holds."""
    return Domain(id=row.id, uuid=row.uuid, name=row.name, enabled=row.enabled, created_at=row.created_at)


def project_of(row: Row[Any]) -> Project:
    """The project that a row holds."""
    return Project(
        id=row.id,
        uuid=row.uuid,
        domain=row.domain_id,
        owner=row.owner_id,
        name=row.name,
        enabled=row.enabled,
        created_at=row.created_at,
    )
