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
