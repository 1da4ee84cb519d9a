"""The schema that the migrations make, held against the tables that the rooms declare.

`python -m tests.schema` prints the Alembic operations that are missing in the newest migration, ready to be pasted.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, Text, inspect

import trivium.resources
from trivium.store import metadata, migrations
from trivium.store.columns import Instant, Uuid16
from trivium.store.database import engine_for
from trivium.store.grams.declared import INFO
from trivium.store.schema import tell_conditions


def declare_all() -> None:
    """Import every module of every room, so that `metadata` holds all tables."""
    for module in pkgutil.walk_packages(trivium.resources.__path__, "trivium.resources."):
        import_module(module.name)


def differences(connection: Connection) -> list[Any]:
    """What Alembic finds to differ between the database and the declared tables."""
    return compare_metadata(_context(connection), metadata)


def missing_operations(connection: Connection) -> str:
    """Python that would bring the database to the declared tables."""
    context = _context(connection)
    upgrade = produce_migrations(context, metadata).upgrade_ops
    assert upgrade is not None
    return render_python_code(upgrade, render_item=_render, migration_context=context)


def described(engine: Engine) -> set[str]:
    """Everything that the database itself says of its tables, constraints' names and indexes' conditions included."""
    found = inspect(engine)
    tables = [name for name in found.get_table_names() if name != "alembic_version"]
    return {f"{name}: {line}" for name in tables for line in _lines(found, name)}


def _lines(found: Any, name: str) -> list[str]:
    parts = {
        "column": found.get_columns(name),
        "primary key": [found.get_pk_constraint(name)],
        "foreign key": found.get_foreign_keys(name),
        "unique": found.get_unique_constraints(name),
        "check": found.get_check_constraints(name),
        "index": found.get_indexes(name),
    }
    return [f"{part}: {_line(entry)}" for part, entries in parts.items() for entry in entries]


def _line(entry: dict[str, Any]) -> str:
    return ", ".join(f"{key}={_said(entry[key])}" for key in sorted(entry) if key != "comment")


def _said(value: Any) -> str:
    return str({key: str(inner) for key, inner in value.items()}) if isinstance(value, dict) else str(value)


def _context(connection: Connection) -> MigrationContext:
    for table in metadata.tables.values():
        tell_conditions(table, connection)
    options = {"compare_type": True, "compare_server_default": True, "include_name": _is_declared}
    return MigrationContext.configure(connection, opts=options)


def _is_declared(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic knows what it sees: what indexes of grams are made of has a test of its own."""
    return kind != "table" or not any(f"{name}".startswith(own) for own in _of_grams())


def _of_grams() -> Iterator[str]:
    return (own for table in metadata.sorted_tables for grams in table.info.get(INFO, ()) for own in grams.tables)


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """The short names that the migrations have for our types."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "instant"
    if isinstance(item, Uuid16):
        return "uuid"
    if isinstance(item, Text) and "postgresql" in item._variant_mapping:
        return "text"
    return False


def main() -> None:
    """Print what is missing."""
    declare_all()
    with TemporaryDirectory() as folder:
        engine = engine_for(f"sqlite:///{Path(folder) / 'schema.db'}")
        with engine.connect() as connection:
            migrations.upgrade(connection)
        with engine.connect() as connection:
            print(missing_operations(connection))


if __name__ == "__main__":
    main()
