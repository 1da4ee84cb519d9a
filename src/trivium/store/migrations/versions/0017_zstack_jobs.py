"""Operations may be forgotten some time after their end, and know what the client called them by; accounts have names.

What there was is kept for ever, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
EXPIRING = sa.text("expires_at IS NOT NULL")
THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Add the columns, and indexes of what is to be forgotten and of users' names."""
    op.add_column("operations", sa.Column("called", TEXT, nullable=True))
    op.add_column("operations", sa.Column("kept_for", sa.BigInteger(), nullable=True))
    op.add_column("operations", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_operations_expires_at",
        "operations",
        ["expires_at"],
        unique=False,
        sqlite_where=EXPIRING,
        postgresql_where=EXPIRING,
    )
    op.create_index(
        "ix_users_names",
        "users",
        ["name_key", "id"],
        unique=False,
        sqlite_where=THERE,
        postgresql_where=THERE,
    )
