"""Quotas of projects, labels that things are selected by, and networks with the addresses that nodes have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
instant = sa.BigInteger()  # microseconds since 1970
uuid = sa.LargeBinary(16)


def upgrade() -> None:
    """Make the tables."""
    _quotas()
    _networks()


def _quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_quotas_used")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_quotas_project_id_projects"),
        sa.PrimaryKeyConstraint("project_id", "name", name="pk_quotas"),
    )
    op.create_table(
        "labels",
        sa.Column("target_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", text, nullable=False),
        sa.Column("value", text, nullable=False),
        sa.PrimaryKeyConstraint("target_id", "key", name="pk_labels"),
    )


def _networks() -> None:
    op.create_table(
        "networks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("title", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("cidr", text, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("description", text, nullable=False),
        sa.Column("labels", text, nullable=False),
        sa.Column("annotations", text, nullable=False),
        sa.Column("connection", text, nullable=False),
        sa.Column("phase", text, nullable=False),
        sa.Column("pools", sa.Integer(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("deleted_at", instant, nullable=True),
        sa.CheckConstraint("pools >= 0", name=op.f("ck_networks_pools")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_networks_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_networks"),
        sa.UniqueConstraint("name", name="uq_networks_name"),
        sa.UniqueConstraint("uuid", name="uq_networks_uuid"),
    )
    op.create_index("ix_networks_project_id_listed_id", "networks", ["project_id", "listed", "id"], unique=False)
    op.create_table(
        "addresses",
        sa.Column("network_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name="fk_addresses_network_id_networks"),
        sa.PrimaryKeyConstraint("network_id", "number", name="pk_addresses"),
        sa.UniqueConstraint("holder", name="uq_addresses_holder"),
    )
