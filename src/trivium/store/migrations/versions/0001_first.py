"""The first schema.

A migration is self-contained: it says what the tables were when it was written, and imports nothing from the rooms.
Until the first release every room's tables are made here; from then on this file is never edited.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
instant = sa.BigInteger()  # microseconds since 1970
uuid = sa.LargeBinary(16)


def upgrade() -> None:
    """Make every table, in the order in which they refer to each other."""
    _store()


def _store() -> None:
    op.create_table(
        "servers",
        sa.Column("worker", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("host", text, nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("proxy_address", text, nullable=True),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("lease_until", instant, nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_servers"),
    )
