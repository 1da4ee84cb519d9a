"""The site as a row, and pools, nodes and accelerators as queries that know no case see them.

What was there is listed as it was: a node is seen by whom its pool is seen by. Cards are written down when the machine
is looked at next.
"""

from __future__ import annotations

import time
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from trivium.base.text import fold

revision = "0016"
down_revision = "0015"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
EMPTY = sa.text("''")
INSTANT = sa.BigInteger()  # microseconds since 1970
UUID = sa.LargeBinary(16)


def upgrade() -> None:
    """Make the tables and columns, and fill in what follows from what is there."""
    _make_sites()
    _extend_pools()
    _extend_nodes()
    _make_cards()


def _make_sites() -> None:
    sites = op.create_table(
        "sites",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", UUID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_folded", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("description_folded", TEXT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("audience", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
        sa.UniqueConstraint("uuid", name="uq_sites_uuid"),
    )
    now = time.time_ns() // 1000
    # Here, so that whatever is made later finds it; its name comes with the first start.
    row = {"id": 1, "uuid": uuid4().bytes, "name": "", "name_folded": "", "created_at": now, "changed_at": now}
    op.bulk_insert(sites, [row])


def _extend_pools() -> None:
    op.add_column("pools", sa.Column("site_uuid", UUID, nullable=True))
    for name in ("title_folded", "description_folded"):
        op.add_column("pools", sa.Column(name, TEXT, server_default=EMPTY, nullable=False))
    op.execute("UPDATE pools SET site_uuid = (SELECT uuid FROM sites)")
    _fold("pools", "title")
    _fold("pools", "description")
    op.create_index("ix_pools_title_folded_id", "pools", ["title_folded", "id"], unique=False)


def _extend_nodes() -> None:
    op.add_column("nodes", sa.Column("site_uuid", UUID, nullable=True))
    op.add_column("nodes", sa.Column("pool_uuid", UUID, nullable=True))
    op.add_column("nodes", sa.Column("audience", sa.BigInteger(), server_default="-1", nullable=False))
    for name in ("name_folded", "architecture"):
        op.add_column("nodes", sa.Column(name, TEXT, server_default=EMPTY, nullable=False))
    op.execute(
        "UPDATE nodes SET site_uuid = (SELECT uuid FROM sites), "
        "pool_uuid = (SELECT pools.uuid FROM pools WHERE pools.id = nodes.pool_id), "
        "audience = CASE WHEN listed THEN "
        "coalesce((SELECT pools.audience FROM pools WHERE pools.id = nodes.pool_id), -1) ELSE -1 END"
    )
    _fold("nodes", "name")
    for columns in (["audience", "id"], ["pool_uuid", "id"], ["name_folded", "id"]):
        op.create_index(f"ix_nodes_{'_'.join(columns)}", "nodes", columns, unique=False)


def _make_cards() -> None:
    op.create_table(
        "cards",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", UUID, nullable=False),
        sa.Column("machine_id", sa.BigInteger(), nullable=False),
        sa.Column("node_id", sa.BigInteger(), nullable=False),
        sa.Column("node_uuid", UUID, nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("model_folded", TEXT, nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=True),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("unit", TEXT, nullable=True),
        sa.Column("serial", TEXT, nullable=True),
        sa.Column("serial_folded", TEXT, nullable=True),
        sa.Column("pci_address", TEXT, nullable=True),
        sa.Column("pci_class", sa.Integer(), nullable=True),
        sa.Column("vendor", TEXT, nullable=True),
        sa.Column("vendor_folded", TEXT, nullable=True),
        sa.Column("vendor_id", TEXT, nullable=True),
        sa.Column("device_code", TEXT, nullable=True),
        sa.Column("subvendor_id", TEXT, nullable=True),
        sa.Column("subdevice_id", TEXT, nullable=True),
        sa.Column("power", sa.BigInteger(), nullable=True),
        sa.Column("driver_loaded", sa.Boolean(), nullable=True),
        sa.Column("health", TEXT, nullable=True),
        sa.Column("health_folded", TEXT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["machine_id"], ["nodes.id"], name="fk_cards_machine_id_nodes"),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name="fk_cards_node_id_nodes"),
        sa.PrimaryKeyConstraint("id", name="pk_cards"),
        sa.UniqueConstraint("uuid", name="uq_cards_uuid"),
    )
    for columns in (
        ["audience", "id"],
        ["machine_id", "id"],
        ["node_id", "id"],
        ["node_uuid", "id"],
        ["device_id"],
        ["model_folded", "id"],
        ["serial_folded", "id"],
        ["pci_address", "id"],
    ):
        op.create_index(f"ix_cards_{'_'.join(columns)}", "cards", columns, unique=False)


def _fold(table: str, column: str) -> None:
    """Fill the folded column: by the database's `lower`, which knows ASCII, and by ours where that is not enough."""
    connection = op.get_bind()
    op.execute(f"UPDATE {table} SET {column}_folded = lower({column})")
    for (text,) in connection.execute(sa.text(f"SELECT DISTINCT {column} FROM {table}")).all():
        if fold(text) != text.encode().lower().decode():
            statement = f"UPDATE {table} SET {column}_folded = :folded WHERE {column} = :text"
            connection.execute(sa.text(statement), {"folded": fold(text), "text": text})
