"""An index of all projects' notebooks by status, for administrators' lists of all of them."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_notebooks_status_id", "notebooks", ["status", "id"], unique=False)
