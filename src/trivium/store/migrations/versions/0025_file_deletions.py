"""Files are deleted with their samples: which are to be is written down, and samples are found by their files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
instant = sa.BigInteger()  # microseconds since 1970
SHORT = sa.text("length(path) > 0 AND length(path) <= 1024")
FAILED = sa.text("failed > 0")


def upgrade() -> None:
    """Make the tables, the columns and the indexes."""
    op.add_column("samples", sa.Column("brought", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_samples_path", "samples", ["path"], unique=False, sqlite_where=SHORT, postgresql_where=SHORT)
    op.add_column("label_leftovers", sa.Column("deletion_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "file_deletions",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("host", text, nullable=False),
        sa.Column("terms", text, nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in ("round", "faults")),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in ("looked", "gone", "stayed")
        ),
        sa.Column("due_at", instant, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("finished_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_file_deletions"),
    )
    op.create_table(
        "deleted_files",
        sa.Column("deletion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sample_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("came_at", instant, nullable=False),
        sa.Column("brought", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("deletion_id", "sample_id", name="pk_deleted_files"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deleted_files_path", "deleted_files", ["path"], unique=False)
    op.create_index(
        "ix_deleted_files_failed",
        "deleted_files",
        ["deletion_id", "sample_id"],
        unique=False,
        sqlite_where=FAILED,
        postgresql_where=FAILED,
    )
