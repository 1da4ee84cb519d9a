"""Grams of six and of nine characters in SQLite's indexes of substrings: common words are counted by few grams.

PostgreSQL, which compares each candidate's text, needs none. The indexes are filled anew; of a million rows that takes
some minutes.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the triggers anew, then the indexes' content."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    for table, column, moved, part in INDEXES:
        for statement in statements(table, column, moved=moved, part=part):
            connection.exec_driver_sql(statement)


INDEXES = (
    (
        "images",
        "version",
        "id, version_folded, project_id, deleted_at, visibility",
        (
            "CASE WHEN ({0}.deleted_at IS NOT NULL) THEN NULL WHEN ({0}.visibility = 'public') THEN 0 "
            "ELSE {0}.project_id END"
        ),
    ),
    (
        "notebooks",
        "name",
        "id, name_folded, listed, project_id",
        "CASE WHEN {0}.listed THEN {0}.project_id END",
    ),
)


def statements(table: str, column: str, *, moved: str, part: str) -> tuple[str, ...]:
    """The statements for one index. `part` has `{0}` for the row, `moved` are the columns that change the index."""
    name, folded = f"{table}_{column}", f"{column}_folded"
    index = f"{name}_grams"
    old, new, own = part.format("old"), part.format("new"), part.format(table)
    gone, come = (
        f"INSERT INTO {index}({index}, rowid, grams) SELECT 'delete', old.id, {grams(f'old.{folded}', old)}",
        f"INSERT INTO {index}(rowid, grams) SELECT new.id, {grams(f'new.{folded}', new)}",
    )
    was, there = (
        f"({old}) IS NOT NULL AND old.{folded} IS NOT NULL",
        f"({new}) IS NOT NULL AND new.{folded} IS NOT NULL",
    )
    return (
        *(f"DROP TRIGGER {index}_{when}" for when in ("come", "gone", "moved")),
        (
            f"CREATE TRIGGER {index}_come AFTER INSERT ON {table} WHEN {there} "
            f"BEGIN {come}; {changed(name, new, 'true')} END"
        ),
        (
            f"CREATE TRIGGER {index}_gone AFTER DELETE ON {table} WHEN {was} "
            f"BEGIN {gone}; {changed(name, old, 'true')} END"
        ),
        (
            f"CREATE TRIGGER {index}_moved AFTER UPDATE OF {moved} ON {table} "
            f"WHEN ({old}) IS NOT ({new}) OR old.id IS NOT new.id OR old.{folded} IS NOT new.{folded} "
            f"BEGIN {gone} WHERE {was}; {changed(name, old, was)} {come} WHERE {there}; {changed(name, new, there)} END"
        ),
        f"INSERT INTO {index}({index}) VALUES ('delete-all')",
        (
            f"INSERT INTO {index}(rowid, grams) SELECT id, {grams(f'{table}.{folded}', own)} FROM {table} "
            f"WHERE ({own}) IS NOT NULL AND {table}.{folded} IS NOT NULL ORDER BY id"
        ),
    )


def changed(name: str, part: str, where: str) -> str:
    """The statement that moves the part's generation."""
    return (
        f"INSERT INTO {name}_generations(part, changes) SELECT {part}, 1 WHERE {where} "
        "ON CONFLICT(part) DO UPDATE SET changes = changes + 1;"
    )


def grams(folded: str, part: str) -> str:
    """The expression for all grams of a text."""
    long = (
        f"coalesce(' ' || p || group_concat(CASE WHEN i <= length(s) - {size - 1} THEN hex(substr(s, i, {size})) END, "
        "' ' || p), '')"
        for size in (6, 9)
    )
    return (
        f"(WITH RECURSIVE n(i, s, p) AS (SELECT 1, {folded}, ({part}) || 'x' "
        "UNION ALL SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || "
        "p || group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || "
        "p || group_concat(hex(substr(s, i, 2)), ' ' || p) || ' ' || "
        f"p || group_concat(hex(substr(s, i, 3)), ' ' || p) || {' || '.join(long)} FROM n)"
    )
