"""The table of sites, which has one row, and the way between row and value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Row, Table

from trivium.resources.sites.types import SiteRecord
from trivium.store import metadata
from trivium.store.columns import Instant, Uuid16, text

sites = Table(
    "sites",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("name", text(), nullable=False),
    Column("name_folded", text(), nullable=False),
    Column("description", text()),
    Column("description_folded", text()),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("audience", BigInteger, nullable=False, server_default="0"),  # everybody
)


def site_of(row: Row[Any]) -> SiteRecord:
    """The site that a row of `sites` stands for."""
    return SiteRecord(
        id=row.id,
        uuid=row.uuid,
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
