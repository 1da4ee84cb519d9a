"""The table of tags."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table

from trivium.store.columns import text
from trivium.store.schema import metadata

tags = Table(
    "tags",
    metadata,
    Column("kind", text(), primary_key=True),
    Column("thing", BigInteger, primary_key=True, autoincrement=False),
    Column("key", text(), primary_key=True),
    Column("value", text(), nullable=False),
    Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
    Index(None, "project_id", "kind", "key", "value", "thing"),
    sqlite_with_rowid=False,
)
