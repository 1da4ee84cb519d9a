"""Versions of datasets know how many samples came, changed and went since the one before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the columns. Of versions that are there nobody knows it any more."""
    for name in ("added", "modified", "deleted"):
        op.add_column("dataset_versions", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
