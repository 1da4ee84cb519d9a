"""Imports may be syncs, which take out samples whose files are gone; what is deleted is deleted a little at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

GOING = sa.text("finished_at IS NULL")


def upgrade() -> None:
    """Add columns, indexes that find syncs and what goes on among all that was, and tables of what is to be deleted."""
    for name in ("added", "removed", "looked"):
        op.add_column("sample_imports", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("sample_imports", sa.Column("sync", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_sample_imports_dataset_id_sync_id", "sample_imports", ["dataset_id", "sync", "id"], unique=False
    )
    for table in ("sample_imports", "sample_exports"):
        op.create_index(
            f"ix_{table}_going",
            table,
            ["dataset_id", "id"],
            unique=False,
            sqlite_where=GOING,
            postgresql_where=GOING,
        )
    op.create_table(
        "label_leftovers",
        sa.Column("label_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("along", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("label_id", name="pk_label_leftovers"),
    )
    op.create_index(
        "ix_label_leftovers_dataset_id_label_id", "label_leftovers", ["dataset_id", "label_id"], unique=False
    )
    op.create_table(
        "refusal_leftovers",
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("import_id", name="pk_refusal_leftovers"),
    )
