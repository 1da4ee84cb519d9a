"""What else is known of notebooks: features, workspaces, tags, leases, volumes, descriptions, and their mounts.

Lists by feature and by workspace have the same totals and far pages as those by status, so the counters of notebooks
are made anew with these columns.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from trivium.base.text import fold

revision = "0011"
down_revision = "0010"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTED = ("project_id", "listed", "status", "feature", "workspace")


def upgrade() -> None:
    """Add tables and columns, fill in what is searched, and count anew."""
    _make_tags()
    _make_workspaces()
    _make_attachments()
    _extend_images()
    _extend_notebooks()
    _fill_texts()
    _count_anew()


def _make_tags() -> None:
    op.create_table(
        "tags",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("thing", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_tags_project_id_projects"),
        sa.PrimaryKeyConstraint("kind", "thing", "key", name="pk_tags"),
        sqlite_with_rowid=False,
    )
    columns = ["project_id", "kind", "key", "value", "thing"]
    op.create_index("ix_tags_project_id_kind_key_value_thing", "tags", columns, unique=False)


def _make_workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.LargeBinary(16), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_folded", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_name", TEXT, nullable=False),
        sa.Column("audience", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_workspaces_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("project_id", "name", name="uq_workspaces_project_id_name"),
        sa.UniqueConstraint("uuid", name="uq_workspaces_uuid"),
    )
    op.create_index("ix_workspaces_project_id_id", "workspaces", ["project_id", "id"], unique=False)


def _make_attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.LargeBinary(16), nullable=False),
        sa.Column("notebook_id", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("writable", sa.Boolean(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
        sa.UniqueConstraint("uuid", name="uq_attachments_uuid"),
    )
    op.create_index("ix_attachments_notebook_id_id", "attachments", ["notebook_id", "id"], unique=False)
    _partial_index("ix_attachments_busy", "attachments", ["host", "id"], where="status IN ('mounting', 'unmounting')")


def _extend_images() -> None:
    op.add_column("images", sa.Column("namespace", TEXT, server_default=sa.text("''"), nullable=False))
    op.add_column("images", sa.Column("workspace", sa.BigInteger(), server_default="0", nullable=False))
    _partial_index("ix_images_elsewhere", "images", ["workspace"], where="workspace <> 0 AND deleted_at IS NULL")


def _extend_notebooks() -> None:
    for name, default in (
        ("feature", "'ordinary'"),
        ("description", "''"),
        ("description_folded", "''"),
        ("owner_name_folded", "''"),
        ("image_path_folded", "''"),
    ):
        op.add_column("notebooks", sa.Column(name, TEXT, server_default=sa.text(default), nullable=False))
    op.add_column("notebooks", sa.Column("workspace", sa.BigInteger(), server_default="0", nullable=False))
    for column in (
        sa.Column("volume_kind", TEXT),
        sa.Column("volume_capacity", sa.BigInteger()),
        sa.Column("lease_kind", TEXT),
        sa.Column("lease_enabled", sa.Boolean()),
        sa.Column("lease_duration", sa.BigInteger()),
        sa.Column("lease_created_at", sa.BigInteger()),
        sa.Column("lease_updated_at", sa.BigInteger()),
        sa.Column("attach_at", TEXT),
    ):
        op.add_column("notebooks", column)
    _partial_index("ix_notebooks_elsewhere", "notebooks", ["workspace", "listed", "id"], where="workspace <> 0")
    _partial_index("ix_notebooks_free", "notebooks", ["project_id", "listed", "id"], where="feature = 'free'")
    _partial_index("ix_notebooks_remembered", "notebooks", ["deleted_at"], where="deleted_at IS NOT NULL")
    _partial_index(
        "uq_notebooks_free_there", "notebooks", ["owner_id"], where="feature = 'free' AND listed", unique=True
    )


def _partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    only = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=only, postgresql_where=only)


def _fill_texts() -> None:
    """What is searched of rows that are there. Nothing of them changes that is shown, so revisions stay."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for table in ("notebooks", "images"):
        on = "" if is_sqlite else f" ON {table}"
        op.execute(f"DROP TRIGGER {table}_revision{on}")
    op.execute("UPDATE images SET namespace = owner_name")
    op.execute("UPDATE notebooks SET owner_name_folded = lower(owner_name), image_path_folded = lower(image_path)")
    for column in ("owner_name", "image_path"):
        _fill_folded(column)
    for table in ("notebooks", "images"):
        op.execute(SQLITE_REVISION.format(table) if is_sqlite else POSTGRESQL_REVISION.format(table))


def _fill_folded(column: str) -> None:
    """The few texts of which the databases' `lower`, which knows ASCII alone, makes something else."""
    connection = op.get_bind()
    for (text,) in connection.execute(sa.text(f"SELECT DISTINCT {column} FROM notebooks")).all():
        if fold(text) != text.encode().lower().decode():
            statement = f"UPDATE notebooks SET {column}_folded = :folded WHERE {column} = :text"
            connection.execute(sa.text(statement), {"folded": fold(text), "text": text})


def _count_anew() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for verb in ("come", "gone", "moved"):
        op.execute(f"DROP TRIGGER notebooks_{verb}{'' if is_sqlite else ' ON notebooks'}")
        if not is_sqlite:
            op.execute(f"DROP FUNCTION notebooks_{verb}()")
    for table in ("notebooks_blocks", "notebooks_per_project_id_listed_status", "notebooks_changes"):
        op.drop_table(table)
    op.execute("DELETE FROM notebooks_per_status")
    _make_blocks()
    _make_totals()
    op.create_table(
        "notebooks_changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        *map(_group, COUNTED),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_notebooks_changes"),
    )
    op.create_index(f"ix_notebooks_changes_{'_'.join(COUNTED)}", "notebooks_changes", [*COUNTED], unique=False)
    # The triggers first: on PostgreSQL nobody else writes to the table from then on until this is committed.
    for statement in (*TRIGGERS[op.get_context().dialect.name], *COUNTS):
        op.execute(statement)


def _make_blocks() -> None:
    op.create_table(
        "notebooks_blocks",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        *map(_group, COUNTED[:2]),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        *map(_group, COUNTED[2:]),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("level", *COUNTED[:2], "first", *COUNTED[2:], name="pk_notebooks_blocks"),
        sqlite_with_rowid=False,
    )


def _make_totals() -> None:
    name = f"notebooks_per_{'_'.join(COUNTED)}"
    op.create_table(
        name,
        *map(_group, COUNTED),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*COUNTED, name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


def _group(column: str) -> sa.Column[Any]:
    kind: Any = {"listed": sa.Boolean(), "status": TEXT, "feature": TEXT}.get(column, sa.BigInteger())
    return sa.Column(column, kind, autoincrement=False, nullable=False)


SQLITE_REVISION = (
    "CREATE TRIGGER {0}_revision AFTER UPDATE ON {0} WHEN NEW.revision = OLD.revision "
    "BEGIN UPDATE {0} SET revision = OLD.revision + 1 WHERE id = NEW.id; END"
)

POSTGRESQL_REVISION = (
    "CREATE TRIGGER {0}_revision BEFORE UPDATE ON {0} FOR EACH ROW "
    "WHEN (NEW.revision = OLD.revision) EXECUTE FUNCTION row_revision()"
)

SQLITE = (
    (
        "CREATE TRIGGER notebooks_come AFTER INSERT ON notebooks BEGIN INSERT INTO notebooks_changes (row_id, "
        "project_id, listed, status, feature, workspace, change) VALUES (NEW.id, NEW.project_id, NEW.listed, "
        "NEW.status, NEW.feature, NEW.workspace, 1); END"
    ),
    (
        "CREATE TRIGGER notebooks_gone AFTER DELETE ON notebooks BEGIN INSERT INTO notebooks_changes (row_id, "
        "project_id, listed, status, feature, workspace, change) VALUES (OLD.id, OLD.project_id, OLD.listed, "
        "OLD.status, OLD.feature, OLD.workspace, -1); END"
    ),
    (
        "CREATE TRIGGER notebooks_moved AFTER UPDATE OF id, project_id, listed, status, feature, workspace ON "
        "notebooks WHEN OLD.id IS NOT NEW.id OR OLD.project_id IS NOT NEW.project_id OR OLD.listed IS NOT "
        "NEW.listed OR OLD.status IS NOT NEW.status OR OLD.feature IS NOT NEW.feature OR OLD.workspace IS NOT "
        "NEW.workspace BEGIN INSERT INTO notebooks_changes (row_id, project_id, listed, status, feature, "
        "workspace, change) VALUES (OLD.id, OLD.project_id, OLD.listed, OLD.status, OLD.feature, OLD.workspace, "
        "-1); INSERT INTO notebooks_changes (row_id, project_id, listed, status, feature, workspace, change) "
        "VALUES (NEW.id, NEW.project_id, NEW.listed, NEW.status, NEW.feature, NEW.workspace, 1); END"
    ),
)

POSTGRESQL = (
    (
        "CREATE FUNCTION notebooks_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "notebooks_changes (row_id, project_id, listed, status, feature, workspace, change) VALUES (NEW.id, "
        "NEW.project_id, NEW.listed, NEW.status, NEW.feature, NEW.workspace, 1); RETURN NULL; END $$"
    ),
    ("CREATE TRIGGER notebooks_come AFTER INSERT ON notebooks FOR EACH ROW EXECUTE FUNCTION notebooks_come()"),
    (
        "CREATE FUNCTION notebooks_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "notebooks_changes (row_id, project_id, listed, status, feature, workspace, change) VALUES (OLD.id, "
        "OLD.project_id, OLD.listed, OLD.status, OLD.feature, OLD.workspace, -1); RETURN NULL; END $$"
    ),
    ("CREATE TRIGGER notebooks_gone AFTER DELETE ON notebooks FOR EACH ROW EXECUTE FUNCTION notebooks_gone()"),
    (
        "CREATE FUNCTION notebooks_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "notebooks_changes (row_id, project_id, listed, status, feature, workspace, change) VALUES (OLD.id, "
        "OLD.project_id, OLD.listed, OLD.status, OLD.feature, OLD.workspace, -1), (NEW.id, NEW.project_id, "
        "NEW.listed, NEW.status, NEW.feature, NEW.workspace, 1); RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER notebooks_moved AFTER UPDATE OF id, project_id, listed, status, feature, workspace ON "
        "notebooks FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id OR OLD.project_id IS DISTINCT FROM "
        "NEW.project_id OR OLD.listed IS DISTINCT FROM NEW.listed OR OLD.status IS DISTINCT FROM NEW.status OR "
        "OLD.feature IS DISTINCT FROM NEW.feature OR OLD.workspace IS DISTINCT FROM NEW.workspace) EXECUTE "
        "FUNCTION notebooks_moved()"
    ),
)

TRIGGERS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}

COUNTS = (
    (
        "INSERT INTO notebooks_per_project_id_listed_status_feature_workspace (project_id, listed, status, "
        "feature, workspace, number) SELECT project_id, listed, status, feature, workspace, count(*) FROM "
        "notebooks GROUP BY project_id, listed, status, feature, workspace"
    ),
    ("INSERT INTO notebooks_per_status (status, number) SELECT status, count(*) FROM notebooks GROUP BY status"),
    (
        "INSERT INTO notebooks_blocks (level, project_id, listed, first, status, feature, workspace, number) "
        "SELECT 0, project_id, listed, first, status, feature, workspace, sum(rows_there) FROM (SELECT "
        "project_id, listed, CASE WHEN block = 0 THEN 0 ELSE min(lowest) OVER (PARTITION BY project_id, listed, "
        "block) END AS first, status, feature, workspace, rows_there FROM (SELECT project_id, listed, id AS "
        "lowest, status, feature, workspace, block, 1 AS rows_there FROM (SELECT project_id, listed, id, status, "
        "feature, workspace, (row_number() OVER (PARTITION BY project_id, listed ORDER BY id) - 1) / 128 AS block"
        " FROM notebooks WHERE true) AS numbered) AS numbered) AS bounded GROUP BY project_id, listed, first, "
        "status, feature, workspace"
    ),
    (
        "INSERT INTO notebooks_blocks (level, project_id, listed, first, status, feature, workspace, number) "
        "SELECT 1, project_id, listed, first, status, feature, workspace, sum(rows_there) FROM (SELECT "
        "project_id, listed, CASE WHEN block = 0 THEN 0 ELSE min(lowest) OVER (PARTITION BY project_id, listed, "
        "block) END AS first, status, feature, workspace, rows_there FROM (SELECT project_id, listed, first AS "
        "lowest, status, feature, workspace, number AS rows_there, (CAST(sum(number) OVER (PARTITION BY "
        "project_id, listed ORDER BY first) AS BIGINT) - 1) / 8192 AS block FROM notebooks_blocks WHERE level = 0"
        " AND true) AS numbered) AS bounded GROUP BY project_id, listed, first, status, feature, workspace"
    ),
)
