"""Samples are found by when they came, and manifests of versions by their checksums."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the index and the column."""
    op.create_index("ix_samples_dataset_id_created_at_id", "samples", ["dataset_id", "created_at", "id"], unique=False)
    op.add_column("dataset_versions", sa.Column("digest", sa.LargeBinary(), nullable=True))
