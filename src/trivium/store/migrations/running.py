"""Running the migrations with Alembic, in a transaction that is open already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from trivium.store.database import Flavour
from trivium.store.errors import StoreUnavailable
from trivium.store.migrations import HEAD, newer
from trivium.store.schema import metadata

FOLDER = Path(__file__).parent


def scripts() -> ScriptDirectory:
    """All migrations that this program has."""
    return ScriptDirectory(str(FOLDER))


def run(connection: Connection, found: str | None) -> None:
    """Carry out every migration after `found`. Raises `NewerDatabase` when there is no migration of that name."""
    directory = scripts()
    if found is not None and found not in {script.revision for script in directory.walk_revisions()}:
        raise newer(found)

    def steps(current: Any, _context: MigrationContext) -> Any:
        # What `alembic.command.upgrade` itself calls.
        return directory._upgrade_revs(HEAD, current)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    with EnvironmentContext(Config(), directory, fn=steps, destination_rev=HEAD) as environment:
        environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        environment.run_migrations()
    if connection.dialect.name == Flavour.SQLITE:
        _check_foreign_keys(connection)


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        message = f"the upgrade was undone: it would have left rows that refer to nothing in {tables}"
        raise StoreUnavailable(message)
