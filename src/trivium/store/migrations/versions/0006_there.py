"""Indexes of the few rows that are asked for among the many: notebooks that are not gone, and administrators.

What an owner has that is not gone was counted by going through all that they ever had.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

THERE = sa.text("found <> 'gone'")
ADMINS = sa.text("role = 'admin' AND deleted_at IS NULL")


def upgrade() -> None:
    """Make them; the index of all that owners ever had has no use any more."""
    op.drop_index("ix_notebooks_owner_id", table_name="notebooks")
    for name, columns in (
        ("ix_notebooks_there_owner", ["owner_id"]),
        ("ix_notebooks_there_image", ["image_id"]),
        ("ix_notebooks_there_host", ["host", "owner_id"]),
    ):
        op.create_index(name, "notebooks", columns, unique=False, sqlite_where=THERE, postgresql_where=THERE)
    op.create_index("ix_users_admins", "users", ["id"], unique=False, sqlite_where=ADMINS, postgresql_where=ADMINS)
