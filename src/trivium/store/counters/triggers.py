"""The triggers that note each change of a counted table, in the tongues of the two databases.

Migrations keep their text, so that it is part of the schema; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from trivium.store.database import Flavour


def triggers(table: str, changes: str, columns: Sequence[str], *, flavour: Flavour) -> tuple[str, ...]:
    """The statements that make the triggers."""
    if flavour is Flavour.SQLITE:
        return _sqlite(table, changes, columns)
    return _postgresql(table, changes, columns)


def _sqlite(table: str, changes: str, columns: Sequence[str]) -> tuple[str, ...]:
    head = f"INSERT INTO {changes} ({_listed('row_id', columns)}, change)"
    gone, come = (f"{head} VALUES ({_listed('id', columns, row)}, {change});" for row, change in _CHANGES)
    moved = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in ("id", *columns))
    return (
        f"CREATE TRIGGER {table}_come AFTER INSERT ON {table} BEGIN {come} END",
        f"CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN {gone} END",
        (
            f"CREATE TRIGGER {table}_moved AFTER UPDATE OF {_listed('id', columns)} ON {table} "
            f"WHEN {moved} BEGIN {gone} {come} END"
        ),
    )


def _postgresql(table: str, changes: str, columns: Sequence[str]) -> tuple[str, ...]:
    head = f"INSERT INTO {changes} ({_listed('row_id', columns)}, change) VALUES"
    gone, come = (f"({_listed('id', columns, row)}, {change})" for row, change in _CHANGES)
    moved = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in ("id", *columns))
    made: list[str] = []
    for name, values, when in (
        ("come", come, "AFTER INSERT"),
        ("gone", gone, "AFTER DELETE"),
        ("moved", f"{gone}, {come}", f"AFTER UPDATE OF {_listed('id', columns)}"),
    ):
        only = f"WHEN ({moved}) " if name == "moved" else ""
        made += (
            (
                f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {head} {values}; RETURN NULL; END $$"
            ),
            f"CREATE TRIGGER {table}_{name} {when} ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {table}_{name}()",
        )
    return tuple(made)


_CHANGES = (("OLD", -1), ("NEW", 1))


def _listed(first: str, columns: Sequence[str], row: str = "") -> str:
    return ", ".join(f"{row}.{name}" if row else name for name in (first, *columns))
