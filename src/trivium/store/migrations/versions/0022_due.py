"""Operations may have a time by when they are to have ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column."""
    op.add_column("operations", sa.Column("due_by", sa.BigInteger(), nullable=True))
