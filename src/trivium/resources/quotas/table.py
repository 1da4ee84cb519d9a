"""The table of quotas."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Table

from trivium.store import metadata
from trivium.store.columns import text

quotas = Table(
    "quotas",
    metadata,
    Column("project_id", BigInteger, ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    Column("name", text(), primary_key=True),
    Column("most", Integer),  # null: the default
    Column("used", Integer, CheckConstraint("used >= 0", "used"), nullable=False),
)
