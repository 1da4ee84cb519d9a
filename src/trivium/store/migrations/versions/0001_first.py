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
    _records()
    _accounts()
    _ways_in()
    _pools()
    _nodes()
    _images()
    _notebooks()


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


def _records() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("user_name", text, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("request", text, nullable=False),
        sa.Column("source", text, nullable=False),
        sa.Column("action", text, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("before", text, nullable=True),
        sa.Column("after", text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_kind_target_id_id", "events", ["kind", "target_id", "id"], unique=False)
    op.create_index("ix_events_project_id_id", "events", ["project_id", "id"], unique=False)
    op.create_table(
        "operations",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("reason_code", text, nullable=True),
        sa.Column("reason_details", text, nullable=True),
        sa.Column("result", text, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("finished_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
        sa.UniqueConstraint("uuid", name="uq_operations_uuid"),
    )
    op.create_index("ix_operations_project_id_id", "operations", ["project_id", "id"], unique=False)
    op.create_index("ix_operations_target_id_id", "operations", ["target_id", "id"], unique=False)


def _accounts() -> None:
    op.create_table(
        "domains",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_domains"),
        sa.UniqueConstraint("name", name="uq_domains_name"),
        sa.UniqueConstraint("uuid", name="uq_domains_uuid"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("domain_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name="fk_projects_domain_id_domains"),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.UniqueConstraint("domain_id", "owner_id", "name", name="uq_projects_domain_id_owner_id_name"),
        sa.UniqueConstraint("uuid", name="uq_projects_uuid"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("domain_id", sa.BigInteger(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("name_key", text, nullable=False),
        sa.Column("full_name", text, nullable=False),
        sa.Column("email", text, nullable=False),
        sa.Column("password", text, nullable=True),
        sa.Column("role", text, nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("reason", text, nullable=False),
        sa.Column("posix_uid", sa.Integer(), nullable=False),
        sa.Column("default_project_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("deleted_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["default_project_id"], ["projects.id"], name="fk_users_default_project_id_projects"),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name="fk_users_domain_id_domains"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("posix_uid", name="uq_users_posix_uid"),
        sa.UniqueConstraint("uuid", name="uq_users_uuid"),
    )
    op.create_index(
        "uq_users_domain_id_name_key",
        "users",
        ["domain_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", text, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_memberships_project_id_projects"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id_users"),
        sa.PrimaryKeyConstraint("user_id", "project_id", name="pk_memberships"),
    )


def _ways_in() -> None:
    op.create_table(
        "key_files",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", text, nullable=False),
        sa.Column("sealed", text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_key_files"),
    )
    op.create_table(
        "key_pairs",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("access_key", text, nullable=False),
        sa.Column("secret", text, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("deleted_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_key_pairs_project_id_projects"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_key_pairs_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_key_pairs"),
        sa.UniqueConstraint("access_key", name="uq_key_pairs_access_key"),
    )
    op.create_index("ix_key_pairs_user_id", "key_pairs", ["user_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("key_pair_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", text, nullable=False),
        sa.Column("region", text, nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("issued_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("ended_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["key_pair_id"], ["key_pairs.id"], name="fk_sessions_key_pair_id_key_pairs"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_sessions_project_id_projects"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)


def _pools() -> None:
    op.create_table(
        "pools",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("short", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_pools_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_pools"),
        sa.UniqueConstraint("name", name="uq_pools_name"),
        sa.UniqueConstraint("short", name="uq_pools_short"),
        sa.UniqueConstraint("uuid", name="uq_pools_uuid"),
    )
    op.create_index("ix_pools_project_id", "pools", ["project_id"], unique=False)
    op.create_table(
        "flavors",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("short", sa.Integer(), nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("model", text, nullable=False),
        sa.Column("device_memory", sa.BigInteger(), nullable=False),
        sa.Column("millicores", sa.BigInteger(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_flavors_pool_id_pools"),
        sa.PrimaryKeyConstraint("id", name="pk_flavors"),
        sa.UniqueConstraint("pool_id", "kind", name="uq_flavors_pool_id_kind"),
        sa.UniqueConstraint("short", name="uq_flavors_short"),
    )


def _nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("host", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("address", text, nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("reason", text, nullable=False),
        sa.Column("millicores", sa.BigInteger(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("disk", sa.BigInteger(), nullable=False),
        sa.Column("held_millicores", sa.BigInteger(), nullable=False),
        sa.Column("held_memory", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.CheckConstraint("held_memory >= 0", name=op.f("ck_nodes_held_memory")),
        sa.CheckConstraint("held_millicores >= 0", name=op.f("ck_nodes_held_millicores")),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_nodes_pool_id_pools"),
        sa.PrimaryKeyConstraint("id", name="pk_nodes"),
        sa.UniqueConstraint("host", "name", name="uq_nodes_host_name"),
        sa.UniqueConstraint("uuid", name="uq_nodes_uuid"),
    )
    op.create_index("ix_nodes_pool_id", "nodes", ["pool_id"], unique=False)
    op.create_table(
        "devices",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", text, nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name="fk_devices_node_id_nodes"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("node_id", "kind", "number", name="uq_devices_node_id_kind_number"),
    )
    op.create_index("ix_devices_holder", "devices", ["holder"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("holder", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("millicores", sa.BigInteger(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name="fk_reservations_node_id_nodes"),
        sa.PrimaryKeyConstraint("holder", name="pk_reservations"),
    )
    op.create_index("ix_reservations_node_id", "reservations", ["node_id"], unique=False)


def _images() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_name", text, nullable=False),
        sa.Column("visibility", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("tag", text, nullable=False),
        sa.Column("version", text, nullable=False),
        sa.Column("version_folded", text, nullable=False),
        sa.Column("path", text, nullable=True),
        sa.Column("kind", text, nullable=False),
        sa.Column("accelerator", text, nullable=False),
        sa.Column("description", text, nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("reason", text, nullable=True),
        sa.Column("digest", text, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("environment", text, nullable=False),
        sa.Column("environment_digest", text, nullable=False),
        sa.Column("fingerprint", text, nullable=False),
        sa.Column("layers", text, nullable=False),
        sa.Column("command", text, nullable=False),
        sa.Column("preset", sa.Boolean(), nullable=False),
        sa.Column("clones", sa.Integer(), nullable=False),
        sa.Column("notebook_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("deleted_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_images_owner_id_users"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_images_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("path", name="uq_images_path"),
        sa.UniqueConstraint("uuid", name="uq_images_uuid"),
    )
    op.create_index("ix_images_environment", "images", ["environment"], unique=False)
    op.create_index("ix_images_notebook_id", "images", ["notebook_id"], unique=False)
    op.create_index("ix_images_project_id_id", "images", ["project_id", "id"], unique=False)
    op.create_index("ix_images_visibility_accelerator_id", "images", ["visibility", "accelerator", "id"], unique=False)


def _notebooks() -> None:
    op.create_table(
        "notebooks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_name", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("name_folded", text, nullable=False),
        sa.Column("wanted", text, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("pool_name", text, nullable=False),
        sa.Column("pool_short", sa.Integer(), nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("model", text, nullable=False),
        sa.Column("millicores", sa.BigInteger(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("image_path", text, nullable=False),
        sa.Column("image_version", text, nullable=False),
        sa.Column("image_size", sa.BigInteger(), nullable=False),
        sa.Column("mount_home", sa.Boolean(), nullable=False),
        sa.Column("mounts", text, nullable=False),
        sa.Column("start_command", text, nullable=True),
        sa.Column("service_command", text, nullable=True),
        sa.Column("service_port", sa.Integer(), nullable=True),
        sa.Column("save_as", uuid, nullable=True),
        sa.Column("max_running", sa.BigInteger(), nullable=True),
        sa.Column("release_after", sa.BigInteger(), nullable=True),
        sa.Column("found", text, nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("ever_ran", sa.Boolean(), nullable=False),
        sa.Column("reason", text, nullable=True),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.BigInteger(), nullable=True),
        sa.Column("node_address", text, nullable=True),
        sa.Column("host", text, nullable=True),
        sa.Column("address", text, nullable=True),
        sa.Column("workload", text, nullable=True),
        sa.Column("service_seen", sa.Boolean(), nullable=False),
        sa.Column("operation", sa.BigInteger(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("started_at", instant, nullable=True),
        sa.Column("stopped_at", instant, nullable=True),
        sa.Column("stop_at", instant, nullable=True),
        sa.Column("release_at", instant, nullable=True),
        sa.Column("deleted_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_notebooks_image_id_images"),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name="fk_notebooks_node_id_nodes"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_notebooks_owner_id_users"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_notebooks_pool_id_pools"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_notebooks_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_notebooks"),
        sa.UniqueConstraint("uuid", name="uq_notebooks_uuid"),
    )
    op.create_index("ix_notebooks_owner_id", "notebooks", ["owner_id"], unique=False)
    op.create_index("ix_notebooks_project_id_listed_id", "notebooks", ["project_id", "listed", "id"], unique=False)
    op.create_index(
        "ix_notebooks_project_id_listed_status_id", "notebooks", ["project_id", "listed", "status", "id"], unique=False
    )
    op.create_index(
        "ix_notebooks_release_at",
        "notebooks",
        ["release_at"],
        unique=False,
        sqlite_where=sa.text("release_at IS NOT NULL"),
        postgresql_where=sa.text("release_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notebooks_stop_at",
        "notebooks",
        ["stop_at"],
        unique=False,
        sqlite_where=sa.text("stop_at IS NOT NULL"),
        postgresql_where=sa.text("stop_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notebooks_unsettled",
        "notebooks",
        ["host", "id"],
        unique=False,
        sqlite_where=sa.text("settled = 0"),
        postgresql_where=sa.text("NOT settled"),
    )
