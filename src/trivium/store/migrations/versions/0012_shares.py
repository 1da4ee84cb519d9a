"""Pools as shares of the site: quotas, labels, networks, node pools, and nodes that are slices of machines.

What there was are machines: nodes without a parent, in no node pool.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
instant = sa.BigInteger()  # microseconds since 1970
uuid = sa.LargeBinary(16)
THERE = sa.text("found <> 'gone'")
LISTED = sa.text("deleted_at IS NULL")
EMPTY = sa.text("''")


def upgrade() -> None:
    """Make the tables and columns, say of what is there what it is, and count the nodes."""
    _quotas()
    _networks()
    _pools()
    _nodes()
    _counters()
    # The triggers first: on PostgreSQL nobody else writes to the table from then on until this is committed.
    for statement in (*TRIGGERS[op.get_context().dialect.name], *COUNTS):
        op.execute(statement)
    op.create_index(
        "ix_notebooks_there_pool", "notebooks", ["pool_id"], unique=False, sqlite_where=THERE, postgresql_where=THERE
    )


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


def _pools() -> None:
    # SQLite takes a constraint off a table, or adds one to it, only by making the table anew.
    with op.batch_alter_table("pools") as pools:
        pools.drop_constraint("uq_pools_name", type_="unique")
        pools.add_column(sa.Column("title", text, server_default=EMPTY, nullable=False))
        pools.add_column(sa.Column("description", text, server_default=EMPTY, nullable=False))
        pools.add_column(sa.Column("labels", text, server_default="{}", nullable=False))
        pools.add_column(sa.Column("annotations", text, server_default="{}", nullable=False))
        pools.add_column(sa.Column("scope", text, server_default='["notebook"]', nullable=False))
        pools.add_column(sa.Column("phase", text, server_default="running", nullable=False))
        pools.add_column(sa.Column("network_id", sa.BigInteger(), nullable=True))
        pools.add_column(sa.Column("node_prefix", text, server_default="node", nullable=False))
        pools.add_column(sa.Column("changed_at", instant, server_default="0", nullable=False))
        pools.add_column(sa.Column("deleted_at", instant, nullable=True))
        pools.add_column(sa.Column("audience", sa.BigInteger(), server_default="0", nullable=False))
        pools.create_foreign_key("fk_pools_network_id_networks", "networks", ["network_id"], ["id"])
    op.create_index("uq_pools_name", "pools", ["name"], unique=True, sqlite_where=LISTED, postgresql_where=LISTED)
    op.create_index("ix_pools_audience_id", "pools", ["audience", "id"], unique=False)
    op.create_index("ix_pools_network_id", "pools", ["network_id"], unique=False)
    op.execute(
        "UPDATE pools SET title = CASE WHEN project_id IS NULL THEN 'default' ELSE name END, changed_at = created_at, "
        "audience = coalesce(project_id, 0)"
    )
    op.create_table(
        "node_pools",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("flavor", text, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("model", text, nullable=False),
        sa.Column("cards", sa.Integer(), nullable=False),
        sa.Column("millicores", sa.BigInteger(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=False),
        sa.Column("max_count", sa.Integer(), nullable=False),
        sa.Column("annotations", text, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_node_pools_pool_id_pools"),
        sa.PrimaryKeyConstraint("id", name="pk_node_pools"),
        sa.UniqueConstraint("pool_id", "name", name="uq_node_pools_pool_id_name"),
        sa.UniqueConstraint("uuid", name="uq_node_pools_uuid"),
    )


def _nodes() -> None:
    for column in (
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("node_pool_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("flavor", text, server_default=EMPTY, nullable=False),
        sa.Column("kind", text, server_default=EMPTY, nullable=False),
        sa.Column("cards", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sliced_millicores", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sliced_memory", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cordoned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("locked", text, server_default="[]", nullable=False),
        sa.Column("private_address", text, nullable=True),
        sa.Column("listed", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", instant, server_default="0", nullable=False),
        sa.Column("deleted_at", instant, nullable=True),
    ):
        op.add_column("nodes", column)
    op.drop_index("ix_nodes_pool_id", table_name="nodes")
    for columns in (
        ["pool_id", "listed", "id"],
        ["pool_id", "listed", "node_pool_id", "id"],
        ["pool_id", "name"],
        ["parent_id", "listed", "id"],
    ):
        op.create_index(f"ix_nodes_{'_'.join(columns)}", "nodes", columns, unique=False)
    # An id begins with the milliseconds since then at which it was given.
    op.execute("UPDATE nodes SET created_at = ((id >> 22) + 1288834974657) * 1000")


def _counters() -> None:
    op.create_table(
        "nodes_blocks",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node_pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("level", "pool_id", "listed", "first", "node_pool_id", name="pk_nodes_blocks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nodes_per_pool_id_listed_node_pool_id_ready",
        sa.Column("pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("node_pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ready", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "pool_id", "listed", "node_pool_id", "ready", name="pk_nodes_per_pool_id_listed_node_pool_id_ready"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nodes_changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("node_pool_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ready", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_nodes_changes"),
    )
    op.create_index(
        "ix_nodes_changes_pool_id_listed_node_pool_id_ready",
        "nodes_changes",
        ["pool_id", "listed", "node_pool_id", "ready"],
        unique=False,
    )


SQLITE = (
    (
        "CREATE TRIGGER nodes_come AFTER INSERT ON nodes BEGIN INSERT INTO nodes_changes (row_id, pool_id, listed,"
        " node_pool_id, ready, change) VALUES (NEW.id, NEW.pool_id, NEW.listed, NEW.node_pool_id, NEW.ready, 1); "
        "END"
    ),
    (
        "CREATE TRIGGER nodes_gone AFTER DELETE ON nodes BEGIN INSERT INTO nodes_changes (row_id, pool_id, listed,"
        " node_pool_id, ready, change) VALUES (OLD.id, OLD.pool_id, OLD.listed, OLD.node_pool_id, OLD.ready, -1); "
        "END"
    ),
    (
        "CREATE TRIGGER nodes_moved AFTER UPDATE OF id, pool_id, listed, node_pool_id, ready ON nodes WHEN OLD.id "
        "IS NOT NEW.id OR OLD.pool_id IS NOT NEW.pool_id OR OLD.listed IS NOT NEW.listed OR OLD.node_pool_id IS "
        "NOT NEW.node_pool_id OR OLD.ready IS NOT NEW.ready BEGIN INSERT INTO nodes_changes (row_id, pool_id, "
        "listed, node_pool_id, ready, change) VALUES (OLD.id, OLD.pool_id, OLD.listed, OLD.node_pool_id, "
        "OLD.ready, -1); INSERT INTO nodes_changes (row_id, pool_id, listed, node_pool_id, ready, change) VALUES "
        "(NEW.id, NEW.pool_id, NEW.listed, NEW.node_pool_id, NEW.ready, 1); END"
    ),
)

POSTGRESQL = (
    (
        "CREATE FUNCTION nodes_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO nodes_changes "
        "(row_id, pool_id, listed, node_pool_id, ready, change) VALUES (NEW.id, NEW.pool_id, NEW.listed, "
        "NEW.node_pool_id, NEW.ready, 1); RETURN NULL; END $$"
    ),
    ("CREATE TRIGGER nodes_come AFTER INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION nodes_come()"),
    (
        "CREATE FUNCTION nodes_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO nodes_changes "
        "(row_id, pool_id, listed, node_pool_id, ready, change) VALUES (OLD.id, OLD.pool_id, OLD.listed, "
        "OLD.node_pool_id, OLD.ready, -1); RETURN NULL; END $$"
    ),
    ("CREATE TRIGGER nodes_gone AFTER DELETE ON nodes FOR EACH ROW EXECUTE FUNCTION nodes_gone()"),
    (
        "CREATE FUNCTION nodes_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO nodes_changes "
        "(row_id, pool_id, listed, node_pool_id, ready, change) VALUES (OLD.id, OLD.pool_id, OLD.listed, "
        "OLD.node_pool_id, OLD.ready, -1), (NEW.id, NEW.pool_id, NEW.listed, NEW.node_pool_id, NEW.ready, 1); "
        "RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER nodes_moved AFTER UPDATE OF id, pool_id, listed, node_pool_id, ready ON nodes FOR EACH ROW"
        " WHEN (OLD.id IS DISTINCT FROM NEW.id OR OLD.pool_id IS DISTINCT FROM NEW.pool_id OR OLD.listed IS "
        "DISTINCT FROM NEW.listed OR OLD.node_pool_id IS DISTINCT FROM NEW.node_pool_id OR OLD.ready IS DISTINCT "
        "FROM NEW.ready) EXECUTE FUNCTION nodes_moved()"
    ),
)

TRIGGERS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}

COUNTS = (
    (
        "INSERT INTO nodes_per_pool_id_listed_node_pool_id_ready (pool_id, listed, node_pool_id, ready, number) "
        "SELECT pool_id, listed, node_pool_id, ready, count(*) FROM nodes GROUP BY pool_id, listed, node_pool_id, "
        "ready"
    ),
    (
        "INSERT INTO nodes_blocks (level, pool_id, listed, first, node_pool_id, number) SELECT 0, pool_id, listed,"
        " first, node_pool_id, sum(rows_there) FROM (SELECT pool_id, listed, CASE WHEN block = 0 THEN 0 ELSE "
        "min(lowest) OVER (PARTITION BY pool_id, listed, block) END AS first, node_pool_id, rows_there FROM "
        "(SELECT pool_id, listed, id AS lowest, node_pool_id, block, 1 AS rows_there FROM (SELECT pool_id, listed,"
        " id, node_pool_id, (row_number() OVER (PARTITION BY pool_id, listed ORDER BY id) - 1) / 128 AS block FROM"
        " nodes WHERE true) AS numbered) AS numbered) AS bounded GROUP BY pool_id, listed, first, node_pool_id"
    ),
    (
        "INSERT INTO nodes_blocks (level, pool_id, listed, first, node_pool_id, number) SELECT 1, pool_id, listed,"
        " first, node_pool_id, sum(rows_there) FROM (SELECT pool_id, listed, CASE WHEN block = 0 THEN 0 ELSE "
        "min(lowest) OVER (PARTITION BY pool_id, listed, block) END AS first, node_pool_id, rows_there FROM "
        "(SELECT pool_id, listed, first AS lowest, node_pool_id, number AS rows_there, (CAST(sum(number) OVER "
        "(PARTITION BY pool_id, listed ORDER BY first) AS BIGINT) - 1) / 8192 AS block FROM nodes_blocks WHERE "
        "level = 0 AND true) AS numbered) AS bounded GROUP BY pool_id, listed, first, node_pool_id"
    ),
)
