"""Who has an image in lists as one column, with indexes in the lists' order, and counters of images.

A condition on two columns, joined by OR, had neither: lists went through images that nobody asked for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column, say of each image whose it is, and count them."""
    op.add_column("images", sa.Column("audience", sa.BigInteger(), server_default="-1", nullable=False))
    op.execute(
        "UPDATE images SET audience = CASE WHEN visibility = 'public' THEN 0 ELSE project_id END "
        "WHERE deleted_at IS NULL"
    )
    op.drop_index("ix_images_visibility_accelerator_id", table_name="images")
    for columns in (
        ["audience", "status", "created_at", "id"],
        ["audience", "status", "accelerator", "created_at", "id"],
    ):
        op.create_index(f"ix_images_{'_'.join(columns)}", "images", columns, unique=False)
    op.create_table(
        "images_per_audience_status_accelerator_preset",
        sa.Column("audience", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", TEXT, autoincrement=False, nullable=False),
        sa.Column("accelerator", TEXT, autoincrement=False, nullable=False),
        sa.Column("preset", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "audience", "status", "accelerator", "preset", name="pk_images_per_audience_status_accelerator_preset"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "images_changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", TEXT, autoincrement=False, nullable=False),
        sa.Column("accelerator", TEXT, autoincrement=False, nullable=False),
        sa.Column("preset", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_images_changes"),
    )
    op.create_index(
        "ix_images_changes_audience_status_accelerator_preset",
        "images_changes",
        ["audience", "status", "accelerator", "preset"],
        unique=False,
    )
    # The triggers first: on PostgreSQL nobody else writes to the table from then on until this is committed.
    for statement in (*TRIGGERS[op.get_context().dialect.name], COUNT):
        op.execute(statement)


SQLITE = (
    (
        "CREATE TRIGGER images_come AFTER INSERT ON images BEGIN INSERT INTO images_changes "
        "(row_id, audience, status, accelerator, preset, change) VALUES (NEW.id, NEW.audience, NEW.status, "
        "NEW.accelerator, NEW.preset, 1); END"
    ),
    (
        "CREATE TRIGGER images_gone AFTER DELETE ON images BEGIN INSERT INTO images_changes "
        "(row_id, audience, status, accelerator, preset, change) VALUES (OLD.id, OLD.audience, OLD.status, "
        "OLD.accelerator, OLD.preset, -1); END"
    ),
    (
        "CREATE TRIGGER images_moved AFTER UPDATE OF id, audience, status, accelerator, preset ON images WHEN "
        "OLD.id IS NOT NEW.id OR OLD.audience IS NOT NEW.audience OR OLD.status IS NOT NEW.status OR "
        "OLD.accelerator IS NOT NEW.accelerator OR OLD.preset IS NOT NEW.preset BEGIN INSERT INTO "
        "images_changes (row_id, audience, status, accelerator, preset, change) VALUES (OLD.id, OLD.audience, "
        "OLD.status, OLD.accelerator, OLD.preset, -1); INSERT INTO images_changes (row_id, audience, status, "
        "accelerator, preset, change) VALUES (NEW.id, NEW.audience, NEW.status, NEW.accelerator, NEW.preset, "
        "1); END"
    ),
)

POSTGRESQL = (
    (
        "CREATE FUNCTION images_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "images_changes (row_id, audience, status, accelerator, preset, change) VALUES (NEW.id, NEW.audience, "
        "NEW.status, NEW.accelerator, NEW.preset, 1); RETURN NULL; END $$"
    ),
    "CREATE TRIGGER images_come AFTER INSERT ON images FOR EACH ROW EXECUTE FUNCTION images_come()",
    (
        "CREATE FUNCTION images_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "images_changes (row_id, audience, status, accelerator, preset, change) VALUES (OLD.id, OLD.audience, "
        "OLD.status, OLD.accelerator, OLD.preset, -1); RETURN NULL; END $$"
    ),
    "CREATE TRIGGER images_gone AFTER DELETE ON images FOR EACH ROW EXECUTE FUNCTION images_gone()",
    (
        "CREATE FUNCTION images_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "images_changes (row_id, audience, status, accelerator, preset, change) VALUES (OLD.id, OLD.audience, "
        "OLD.status, OLD.accelerator, OLD.preset, -1), (NEW.id, NEW.audience, NEW.status, NEW.accelerator, "
        "NEW.preset, 1); RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER images_moved AFTER UPDATE OF id, audience, status, accelerator, preset ON images FOR "
        "EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id OR OLD.audience IS DISTINCT FROM NEW.audience OR "
        "OLD.status IS DISTINCT FROM NEW.status OR OLD.accelerator IS DISTINCT FROM NEW.accelerator OR "
        "OLD.preset IS DISTINCT FROM NEW.preset) EXECUTE FUNCTION images_moved()"
    ),
)

TRIGGERS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}

COUNT = (
    "INSERT INTO images_per_audience_status_accelerator_preset (audience, status, accelerator, preset, number) SELECT "
    "audience, status, accelerator, preset, count(*) FROM images GROUP BY audience, status, accelerator, preset"
)
