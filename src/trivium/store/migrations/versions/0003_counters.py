"""Counters of notebooks: changes, totals, blocks of ids, and the triggers that keep them.

A migration is frozen: what it makes is what was declared when it was written. A test holds the two against each other.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables and the triggers, and count the notebooks that are there."""
    op.create_table(
        "notebooks_blocks",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", text, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("level", "project_id", "listed", "first", "status", name="pk_notebooks_blocks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notebooks_per_project_id_listed_status",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("status", text, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "listed", "status", name="pk_notebooks_per_project_id_listed_status"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notebooks_per_status",
        sa.Column("status", text, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("status", name="pk_notebooks_per_status"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notebooks_changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("status", text, autoincrement=False, nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_notebooks_changes"),
    )
    op.create_index(
        "ix_notebooks_changes_project_id_listed_status",
        "notebooks_changes",
        ["project_id", "listed", "status"],
        unique=False,
    )
    # The triggers first: on PostgreSQL nobody else writes to the table from then on until this is committed.
    for statement in (*TRIGGERS[op.get_context().dialect.name], *COUNTS):
        op.execute(statement)


SQLITE = (
    (
        "CREATE TRIGGER notebooks_come AFTER INSERT ON notebooks BEGIN INSERT INTO notebooks_changes "
        "(row_id, project_id, listed, status, change) VALUES (NEW.id, NEW.project_id, NEW.listed, "
        "NEW.status, 1); END"
    ),
    (
        "CREATE TRIGGER notebooks_gone AFTER DELETE ON notebooks BEGIN INSERT INTO notebooks_changes "
        "(row_id, project_id, listed, status, change) VALUES (OLD.id, OLD.project_id, OLD.listed, "
        "OLD.status, -1); END"
    ),
    (
        "CREATE TRIGGER notebooks_moved AFTER UPDATE OF id, project_id, listed, status ON notebooks WHEN "
        "OLD.id IS NOT NEW.id OR OLD.project_id IS NOT NEW.project_id OR OLD.listed IS NOT NEW.listed OR "
        "OLD.status IS NOT NEW.status BEGIN INSERT INTO notebooks_changes (row_id, project_id, listed, "
        "status, change) VALUES (OLD.id, OLD.project_id, OLD.listed, OLD.status, -1); INSERT INTO "
        "notebooks_changes (row_id, project_id, listed, status, change) VALUES (NEW.id, NEW.project_id, "
        "NEW.listed, NEW.status, 1); END"
    ),
)

POSTGRESQL = (
    (
        "CREATE FUNCTION notebooks_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "notebooks_changes (row_id, project_id, listed, status, change) VALUES (NEW.id, NEW.project_id, "
        "NEW.listed, NEW.status, 1); RETURN NULL; END $$"
    ),
    "CREATE TRIGGER notebooks_come AFTER INSERT ON notebooks FOR EACH ROW EXECUTE FUNCTION notebooks_come()",
    (
        "CREATE FUNCTION notebooks_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "notebooks_changes (row_id, project_id, listed, status, change) VALUES (OLD.id, OLD.project_id, "
        "OLD.listed, OLD.status, -1); RETURN NULL; END $$"
    ),
    "CREATE TRIGGER notebooks_gone AFTER DELETE ON notebooks FOR EACH ROW EXECUTE FUNCTION notebooks_gone()",
    (
        "CREATE FUNCTION notebooks_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "notebooks_changes (row_id, project_id, listed, status, change) VALUES (OLD.id, OLD.project_id, "
        "OLD.listed, OLD.status, -1), (NEW.id, NEW.project_id, NEW.listed, NEW.status, 1); RETURN NULL; END "
        "$$"
    ),
    (
        "CREATE TRIGGER notebooks_moved AFTER UPDATE OF id, project_id, listed, status ON notebooks FOR EACH "
        "ROW WHEN (OLD.id IS DISTINCT FROM NEW.id OR OLD.project_id IS DISTINCT FROM NEW.project_id OR "
        "OLD.listed IS DISTINCT FROM NEW.listed OR OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION "
        "notebooks_moved()"
    ),
)

TRIGGERS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}

COUNTS = (
    (
        "INSERT INTO notebooks_per_project_id_listed_status (project_id, listed, status, number) SELECT "
        "project_id, listed, status, count(*) FROM notebooks GROUP BY project_id, listed, status"
    ),
    "INSERT INTO notebooks_per_status (status, number) SELECT status, count(*) FROM notebooks GROUP BY status",
    (
        "INSERT INTO notebooks_blocks (level, project_id, listed, first, status, number) SELECT 0, "
        "project_id, listed, first, status, sum(rows_there) FROM (SELECT project_id, listed, CASE WHEN block "
        "= 0 THEN 0 ELSE min(lowest) OVER (PARTITION BY project_id, listed, block) END AS first, status, "
        "rows_there FROM (SELECT project_id, listed, id AS lowest, status, block, 1 AS rows_there FROM "
        "(SELECT project_id, listed, id, status, (row_number() OVER (PARTITION BY project_id, listed ORDER "
        "BY id) - 1) / 128 AS block FROM notebooks WHERE true) AS numbered) AS numbered) AS bounded GROUP BY "
        "project_id, listed, first, status"
    ),
    (
        "INSERT INTO notebooks_blocks (level, project_id, listed, first, status, number) SELECT 1, "
        "project_id, listed, first, status, sum(rows_there) FROM (SELECT project_id, listed, CASE WHEN block "
        "= 0 THEN 0 ELSE min(lowest) OVER (PARTITION BY project_id, listed, block) END AS first, status, "
        "rows_there FROM (SELECT project_id, listed, first AS lowest, status, number AS rows_there, "
        "(CAST(sum(number) OVER (PARTITION BY project_id, listed ORDER BY first) AS BIGINT) - 1) / 8192 AS "
        "block FROM notebooks_blocks WHERE level = 0 AND true) AS numbered) AS bounded GROUP BY project_id, "
        "listed, first, status"
    ),
)
