"""The limits that a host's notebooks were brought to last, so that a start need not look at each of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; null until the next start has brought them to the limits once more."""
    op.add_column("hosts", sa.Column("limits", TEXT))
