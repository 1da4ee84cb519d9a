"""Models know who made them, what they are made with, and what else a caller wants kept; projects list their own.

What a model is made with follows from its files, where they were read.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ELSEWHERE = sa.text("workspace <> 0")


def upgrade() -> None:
    """Add the columns, fill them, and make the indexes."""
    op.add_column("models", sa.Column("owner_id", sa.BigInteger(), nullable=True))
    op.add_column("models", sa.Column("workspace", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("models", sa.Column("kind", TEXT, server_default=sa.text("'custom'"), nullable=False))
    op.add_column("models", sa.Column("reason", TEXT, nullable=True))
    op.add_column("models", sa.Column("settings", TEXT, nullable=True))
    _fill()
    for columns in (("id",), ("name", "version_key", "id"), ("version_key", "id")):
        op.create_index(f"ix_models_project_id_{'_'.join(columns)}", "models", ["project_id", *columns], unique=False)
    op.create_index(
        "ix_models_project_id_size_id",
        "models",
        ["project_id", "size", "id"],
        unique=False,
        postgresql_ops={"size": "NULLS FIRST"},
    )
    op.create_index(
        "ix_models_elsewhere",
        "models",
        ["workspace"],
        unique=False,
        sqlite_where=ELSEWHERE,
        postgresql_where=ELSEWHERE,
    )
    op.create_index("ix_stores_path_id", "stores", ["path", "id"], unique=False)


def _fill() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    formats = "json_extract(facts, '$.formats')" if is_sqlite else "facts::json ->> 'formats'"
    op.execute(f"UPDATE models SET kind = 'pytorch' WHERE {formats} LIKE '%\"safetensors\"%'")
    op.execute(f"UPDATE models SET kind = 'pytorch' WHERE {formats} LIKE '%\"pytorch\"%'")
    op.execute(OWNED)


OWNED = (
    "UPDATE models SET owner_id = (SELECT nullif(events.user_id, 0) FROM events WHERE events.kind = 'model' "
    "AND events.target_id = models.id AND events.action = 'model.create' ORDER BY events.id LIMIT 1)"
)
