"""Groups of images, images that projects register, and what is said of images.

Each name, in a namespace of a project, becomes a group of the images that are there.
"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table and the columns, and fill them."""
    op.create_table(
        "image_groups",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.LargeBinary(16), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("read_me", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_image_groups_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_image_groups"),
        sa.UniqueConstraint("project_id", "namespace", "name", name="uq_image_groups_project_id_namespace_name"),
        sa.UniqueConstraint("uuid", name="uq_image_groups_uuid"),
    )
    _extend_images()
    _fill()


def _extend_images() -> None:
    op.add_column("images", sa.Column("group_id", sa.BigInteger(), nullable=True))
    op.add_column("images", sa.Column("refers_to", TEXT, nullable=True))
    for name, default in (("purpose", "'unknown'"), ("origin", "'built'"), ("suits", "'[]'"), ("chip", "''")):
        op.add_column("images", sa.Column(name, TEXT, server_default=sa.text(default), nullable=False))
    op.create_index("ix_images_group_id", "images", ["group_id"], unique=False)
    only = sa.text("refers_to IS NOT NULL")
    op.create_index(
        "uq_images_registered",
        "images",
        ["project_id", "refers_to"],
        unique=True,
        sqlite_where=only,
        postgresql_where=only,
    )


def _fill() -> None:
    """What follows from what is there. Nothing of it changes that is shown, so revisions stay."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    op.execute(f"DROP TRIGGER images_revision{'' if is_sqlite else ' ON images'}")
    op.execute(
        "UPDATE images SET purpose = CASE WHEN preset THEN 'general' ELSE 'development' END, "
        "origin = CASE WHEN preset THEN 'built' ELSE 'saved' END"
    )
    connection = op.get_bind()
    there = connection.execute(sa.text(GROUPS)).mappings().all()
    if there:
        connection.execute(sa.text(ADDED), [{**row, "uuid": uuid4().bytes} for row in there])
        op.execute(JOINED)
    op.execute(SQLITE_REVISION if is_sqlite else POSTGRESQL_REVISION)


GROUPS = (
    "SELECT min(id) AS id, project_id, namespace, name FROM images WHERE deleted_at IS NULL "
    "GROUP BY project_id, namespace, name"
)

ADDED = (
    "INSERT INTO image_groups (id, uuid, project_id, namespace, name, read_me) "
    "VALUES (:id, :uuid, :project_id, :namespace, :name, '')"
)

JOINED = (
    "UPDATE images SET group_id = (SELECT image_groups.id FROM image_groups WHERE image_groups.project_id = "
    "images.project_id AND image_groups.namespace = images.namespace AND image_groups.name = images.name) "
    "WHERE deleted_at IS NULL"
)

SQLITE_REVISION = (
    "CREATE TRIGGER images_revision AFTER UPDATE ON images WHEN NEW.revision = OLD.revision "
    "BEGIN UPDATE images SET revision = OLD.revision + 1 WHERE id = NEW.id; END"
)

POSTGRESQL_REVISION = (
    "CREATE TRIGGER images_revision BEFORE UPDATE ON images FOR EACH ROW "
    "WHEN (NEW.revision = OLD.revision) EXECUTE FUNCTION row_revision()"
)
