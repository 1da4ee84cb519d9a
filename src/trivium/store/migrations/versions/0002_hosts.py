"""Several servers on one database: which of them acts on which host, and what they ask of each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
instant = sa.BigInteger()  # microseconds since 1970


def upgrade() -> None:
    """Make the tables, and say of each saved image on which host its layers lie: so far there was one."""
    op.create_table(
        "hosts",
        sa.Column("id", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("machine", text, nullable=False),
        sa.Column("data", text, nullable=False),
        sa.Column("capabilities", text, nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Integer(), nullable=True),
        sa.Column("taken_at", instant, nullable=False),
        sa.Column("lease_until", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hosts"),
    )
    op.create_table(
        "errands",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("host", text, nullable=False),
        sa.Column("op", text, nullable=False),
        sa.Column("asked", text, nullable=False),
        sa.Column("answer", text, nullable=True),
        sa.Column("failure", text, nullable=True),
        sa.Column("taken_by", sa.Integer(), nullable=True),
        sa.Column("expires_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_errands"),
    )
    op.create_index("ix_errands_host_id", "errands", ["host", "id"], unique=False)
    op.create_table(
        "fingerprints",
        sa.Column("environment", text, nullable=False),
        sa.Column("host", text, nullable=False),
        sa.Column("digest", text, nullable=False),
        sa.Column("fingerprint", text, nullable=False),
        sa.PrimaryKeyConstraint("environment", "host", name="pk_fingerprints"),
    )
    op.add_column("servers", sa.Column("host_id", text, nullable=True))
    op.add_column("images", sa.Column("host", text, nullable=True))
    op.execute(
        "UPDATE images SET host = coalesce("
        "(SELECT notebooks.host FROM notebooks WHERE notebooks.id = images.notebook_id), "
        "(SELECT min(nodes.host) FROM nodes)) "
        "WHERE layers <> '[]' OR status = 'saving'"
    )
