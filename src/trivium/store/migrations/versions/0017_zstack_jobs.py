"""Operations may be forgotten some time after their end, and know who is to be told of it; accounts have names.

What there was is kept for ever, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
EXPIRING = sa.text("expires_at IS NOT NULL")
TOLD = sa.text("hook_due IS NOT NULL")
THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Add the columns, and indexes of what is to be forgotten or told, and of users' names."""
    op.add_column("operations", sa.Column("called", TEXT, nullable=True))
    op.add_column("operations", sa.Column("kept_for", sa.BigInteger(), nullable=True))
    op.add_column("operations", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("operations", sa.Column("hook", TEXT, nullable=True))
    op.add_column("operations", sa.Column("hook_tries", sa.Integer(), server_default="0", nullable=False))
    op.add_column("operations", sa.Column("hook_due", sa.BigInteger(), nullable=True))
    for column, where in (("expires_at", EXPIRING), ("hook_due", TOLD)):
        op.create_index(
            f"ix_operations_{column}",
            "operations",
            [column],
            unique=False,
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_index(
        "ix_users_names",
        "users",
        ["name_key", "id"],
        unique=False,
        sqlite_where=THERE,
        postgresql_where=THERE,
    )
