"""Migrations: they bring a database's schema to what this program knows, only forward, whole or not at all.

Alembic is imported only when there is something to do: `HEAD` names the last file in `versions/`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

from sqlalchemy import Connection, inspect

from trivium.store.database import WRITING, Flavour
from trivium.store.errors import NewerDatabase

HEAD: Final = "0025"
"""The revision that this program works on."""

LOCK: Final = 7_239_514_605_131_041
"""PostgreSQL's advisory lock for the steps of a start; any number that nobody else uses."""


def upgrade(connection: Connection) -> None:
    """Bring the database to `HEAD`; it costs one look when it is there already.

    Several processes may do this at once: one of them does it, the others wait. The connection must not be in a
    transaction. Raises `NewerDatabase` when the database has a revision that this program does not know, and
    SQLAlchemy's errors as they come.
    """
    with connection.begin():
        if revision(connection) == HEAD:
            return
    with _no_foreign_keys(connection), connection.execution_options(**{WRITING: True}).begin():
        lock(connection)
        found = revision(connection)
        if found != HEAD:
            # Alembic takes half a second to import, so only an upgrade pays for it.
            running = import_module("trivium.store.migrations.running")
            running.run(connection, found)


def lock(connection: Connection) -> None:
    """Wait until no other process is in the steps of its start; the lock ends with the transaction.

    On SQLite a writing transaction is alone already.
    """
    if Flavour(connection.dialect.name) is Flavour.POSTGRESQL:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def revision(connection: Connection) -> str | None:
    """The revision that the database has; None for an empty database. `NewerDatabase` when it has several."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    if len(found) > 1:
        raise newer(", ".join(sorted(found)))
    return found[0] if found else None


def newer(found: str) -> NewerDatabase:
    """What to raise about a revision that this program does not know."""
    message = (
        f"the database was made by a newer Trivium (its schema is {found}, this program knows up to {HEAD}); "
        "install that version again, or restore the database from a copy made before the upgrade"
    )
    return NewerDatabase(message, found=found, known=HEAD)


@contextmanager
def _no_foreign_keys(connection: Connection) -> Generator[None]:
    """Let tables be made anew: SQLite would else empty what refers to them. Only possible outside a transaction."""
    driver = connection.connection.driver_connection
    if Flavour(connection.dialect.name) is not Flavour.SQLITE or driver is None:
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON").close()
