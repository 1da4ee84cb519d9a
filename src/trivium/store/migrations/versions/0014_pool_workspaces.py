"""Pools and networks are in workspaces, as notebooks and images are; what there was is in the default one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

ELSEWHERE = {
    "pools": sa.text("workspace <> 0 AND deleted_at IS NULL"),
    "networks": sa.text("workspace <> 0 AND listed"),
}


def upgrade() -> None:
    """Add the columns, and indexes of the few that are in other workspaces."""
    for table, where in ELSEWHERE.items():
        op.add_column(table, sa.Column("workspace", sa.BigInteger(), server_default="0", nullable=False))
        op.create_index(
            f"ix_{table}_elsewhere", table, ["workspace"], unique=False, sqlite_where=where, postgresql_where=where
        )
