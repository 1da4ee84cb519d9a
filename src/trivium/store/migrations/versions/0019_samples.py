"""Datasets have samples, which are imported, and labels; datasets know who made them and what their samples are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
instant = sa.BigInteger()  # microseconds since 1970
uuid = sa.LargeBinary(16)
NUMBERS = ("total", "annotated", "unconfirmed", "sub", "sub_annotated", "deleted")
COUNTS = ("total", "imported", "annotated", "unconfirmed", "sub", "refused", "same", "size")
WRITTEN = ("total", "written", "refused", "last", "position")
SCORED = sa.text("score IS NOT NULL")
WAITING = sa.text("finished_at IS NULL")


def upgrade() -> None:
    """Make the tables and columns."""
    _datasets()
    _samples()
    _labels()
    _imports()
    _exports()
    _counters()


def _datasets() -> None:
    op.add_column("datasets", sa.Column("type", sa.Integer(), server_default="900", nullable=False))
    op.add_column("datasets", sa.Column("owner_id", sa.BigInteger(), nullable=True))
    op.add_column("datasets", sa.Column("workspace", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("datasets", sa.Column("work_path", text, nullable=True))
    op.add_column("datasets", sa.Column("settings", text, nullable=True))
    for name in NUMBERS:
        op.add_column("datasets", sa.Column(f"samples_{name}", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("datasets", sa.Column("versions", sa.Integer(), server_default="0", nullable=False))
    op.add_column("datasets", sa.Column("current_version_id", sa.BigInteger(), nullable=True))
    op.add_column("datasets", sa.Column("publishing", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("datasets", sa.Column("samples_changed_at", instant, nullable=True))
    op.create_index("ix_datasets_project_id_id", "datasets", ["project_id", "id"], unique=False)
    op.create_index("ix_datasets_project_id_name_id", "datasets", ["project_id", "name", "id"], unique=False)
    op.execute(OWNED)


def _samples() -> None:
    op.create_table(
        "samples",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("usage", text, nullable=True),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("sub", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("labels", text, nullable=False),
        sa.Column("metadata", text, nullable=False),
        sa.Column("text", text, nullable=True),
        sa.Column("cells", text, nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_samples"),
        sa.UniqueConstraint("uuid", name="uq_samples_uuid"),
    )
    op.create_index("ix_samples_dataset_id_id", "samples", ["dataset_id", "id"], unique=False)
    op.create_index("ix_samples_dataset_id_state_id", "samples", ["dataset_id", "state", "id"], unique=False)
    op.create_index(
        "ix_samples_scored",
        "samples",
        ["dataset_id", "score", "id"],
        unique=False,
        sqlite_where=SCORED,
        postgresql_where=SCORED,
    )
    op.create_table(
        "dataset_leftovers",
        sa.Column("dataset_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name="pk_dataset_leftovers"),
    )


def _labels() -> None:
    op.create_table(
        "dataset_labels",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("property", text, nullable=False),
        sa.Column("attributes", text, nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_labels"),
        sa.UniqueConstraint("dataset_id", "type", "name", name="uq_dataset_labels_dataset_id_type_name"),
    )
    op.create_index("ix_dataset_labels_dataset_id_id", "dataset_labels", ["dataset_id", "id"], unique=False)
    op.create_table(
        "sample_labels",
        sa.Column("label_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("label_id", "id", name="pk_sample_labels"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sample_labels_id", "sample_labels", ["id"], unique=False)


def _imports() -> None:
    op.create_table(
        "sample_imports",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("host", text, nullable=False),
        sa.Column("asked", text, nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("reason", text, nullable=True),
        *(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in COUNTS),
        sa.Column("position", sa.LargeBinary(), nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("finished_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sample_imports"),
        sa.UniqueConstraint("uuid", name="uq_sample_imports_uuid"),
    )
    op.create_index("ix_sample_imports_dataset_id_id", "sample_imports", ["dataset_id", "id"], unique=False)
    op.create_index(
        "ix_sample_imports_waiting",
        "sample_imports",
        ["host", "id"],
        unique=False,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_table(
        "sample_refusals",
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("reason", text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_sample_refusals"),
        sqlite_with_rowid=False,
    )


def _exports() -> None:
    op.create_table(
        "sample_exports",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("host", text, nullable=False),
        sa.Column("asked", text, nullable=False),
        sa.Column("chosen", sa.Integer(), nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("reason", text, nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in WRITTEN),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("finished_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sample_exports"),
        sa.UniqueConstraint("uuid", name="uq_sample_exports_uuid"),
    )
    op.create_index("ix_sample_exports_dataset_id_id", "sample_exports", ["dataset_id", "id"], unique=False)
    op.create_index(
        "ix_sample_exports_waiting",
        "sample_exports",
        ["host", "id"],
        unique=False,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_table(
        "dataset_versions",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("description", text, nullable=True),
        sa.Column("previous_id", sa.BigInteger(), nullable=True),
        sa.Column("status", text, nullable=False),
        sa.Column("reason", text, nullable=True),
        sa.Column("counts", text, nullable=False),
        sa.Column("labels", text, nullable=False),
        sa.Column("manifest", text, nullable=False),
        sa.Column("settings", text, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_versions"),
        sa.UniqueConstraint("uuid", name="uq_dataset_versions_uuid"),
        sa.UniqueConstraint("dataset_id", "name", name="uq_dataset_versions_dataset_id_name"),
    )
    op.create_index("ix_dataset_versions_dataset_id_id", "dataset_versions", ["dataset_id", "id"], unique=False)


def _counters() -> None:
    op.create_table(
        "samples_blocks",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("level", "dataset_id", "first", "state", name="pk_samples_blocks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "samples_per_dataset_id_state",
        sa.Column("dataset_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "state", name="pk_samples_per_dataset_id_state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "samples_changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_samples_changes"),
    )
    op.create_index("ix_samples_changes_dataset_id_state", "samples_changes", ["dataset_id", "state"], unique=False)
    for statement in TRIGGERS[op.get_context().dialect.name]:
        op.execute(statement)


OWNED = (
    "UPDATE datasets SET owner_id = (SELECT nullif(events.user_id, 0) FROM events WHERE events.kind = 'dataset' "
    "AND events.target_id = datasets.id AND events.action = 'dataset.create' ORDER BY events.id LIMIT 1)"
)

COME = "INSERT INTO samples_changes (row_id, dataset_id, state, change) VALUES (NEW.id, NEW.dataset_id, NEW.state, 1)"
GONE = "INSERT INTO samples_changes (row_id, dataset_id, state, change) VALUES (OLD.id, OLD.dataset_id, OLD.state, -1)"

SQLITE = (
    f"CREATE TRIGGER samples_come AFTER INSERT ON samples BEGIN {COME}; END",
    f"CREATE TRIGGER samples_gone AFTER DELETE ON samples BEGIN {GONE}; END",
    (
        "CREATE TRIGGER samples_moved AFTER UPDATE OF id, dataset_id, state ON samples WHEN OLD.id IS NOT NEW.id OR "
        f"OLD.dataset_id IS NOT NEW.dataset_id OR OLD.state IS NOT NEW.state BEGIN {GONE}; {COME}; END"
    ),
)

POSTGRESQL = (
    f"CREATE FUNCTION samples_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {COME}; RETURN NULL; END $$",
    "CREATE TRIGGER samples_come AFTER INSERT ON samples FOR EACH ROW EXECUTE FUNCTION samples_come()",
    f"CREATE FUNCTION samples_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {GONE}; RETURN NULL; END $$",
    "CREATE TRIGGER samples_gone AFTER DELETE ON samples FOR EACH ROW EXECUTE FUNCTION samples_gone()",
    (
        "CREATE FUNCTION samples_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO samples_changes "
        "(row_id, dataset_id, state, change) VALUES (OLD.id, OLD.dataset_id, OLD.state, -1), (NEW.id, "
        "NEW.dataset_id, NEW.state, 1); RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER samples_moved AFTER UPDATE OF id, dataset_id, state ON samples FOR EACH ROW WHEN (OLD.id IS "
        "DISTINCT FROM NEW.id OR OLD.dataset_id IS DISTINCT FROM NEW.dataset_id OR OLD.state IS DISTINCT FROM "
        "NEW.state) EXECUTE FUNCTION samples_moved()"
    ),
)

TRIGGERS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
