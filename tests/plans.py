"""How the databases would carry out what a test really ran: no statement may go through a whole table that grows.

Every statement that a store sends to SQLite is noted by its text, without its values, and explained on an empty
database of the newest schema. SQLite plans by the text alone where nobody collected statistics, as in the product.
For PostgreSQL see `tests.seeded_plans`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Engine, event

from tests.schema import declare_all
from trivium.store import metadata, migrations
from trivium.store.database import engine_for
from trivium.store.result_cache import BoundStatement

STATEMENT: Final = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", re.IGNORECASE)
SCAN: Final = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")

STAYS_SMALL: Final = frozenset(
    {
        "alembic_version",
        "cards",
        "dataset_leftovers",  # gone when what they name is
        "devices",
        "domains",
        "errands",  # remote calls, gone when they are answered
        "file_deletions",  # gone when their files are
        "fingerprints",  # one for each environment on each host
        "flavors",
        "hosts",
        "images_changes",  # folded again and again
        "key_files",
        "label_leftovers",  # gone when what they name is
        "nodes_changes",  # folded again and again
        "notebooks_changes",  # folded again and again
        "notebooks_per_status",  # a row for each status
        "refusal_leftovers",  # gone when what they name is
        "samples_changes",  # folded again and again
        "servers",
        "sites",
    }
)
"""Tables that have few rows however much is done: what the operator has, and what is gone again soon."""

SMALL_INDEXES: Final = frozenset(
    {"ix_users_admins", "ix_imports_waiting", "ix_sample_exports_waiting", "ix_sample_imports_waiting"}
)
"""Indexes that have few of a growing table's rows: to go through one is to go through no more than these."""


def growing() -> frozenset[str]:
    """The names of all other tables."""
    declare_all()
    return frozenset(table.name for table in metadata.sorted_tables) - STAYS_SMALL


class Statements:
    """The texts that were run, each once; those for PostgreSQL with the first values that each was given."""

    def __init__(self) -> None:
        self.sqlite: dict[str, None] = {}
        self.postgresql: dict[str, Any] = {}
        self.sockets: str | None = None  # where the PostgreSQL is that they were for

    def note(self, text: str) -> None:
        """Keep the text of a statement for SQLite that has a plan."""
        if STATEMENT.match(text):
            self.sqlite[text] = None

    def note_postgresql(self, text: Any, values: Any) -> None:
        """Keep a statement for PostgreSQL that has a plan."""
        if isinstance(text, str) and STATEMENT.match(text):
            self.postgresql.setdefault(text, values)


@contextmanager
def noted() -> Iterator[Statements]:
    """Every statement that stores which are opened meanwhile send to their databases."""
    statements = Statements()

    def connecting(dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            parameters["factory"] = _sqlite_connection(statements)
        else:
            statements.sockets = parameters["host"]
            parameters["cursor_factory"] = _postgresql_cursor(statements)

    event.listen(Engine, "do_connect", connecting)
    try:
        with _pipelines_noted(statements) if find_spec("psycopg") else nullcontext():
            yield statements
    finally:
        event.remove(Engine, "do_connect", connecting)


@contextmanager
def _pipelines_noted(found: Statements) -> Iterator[None]:
    """The same for statements that go to PostgreSQL several at once, past cursors."""
    from trivium.store.pipeline import Fetched, Pipeline  # noqa: PLC0415 - only runs with PostgreSQL have the library

    fetch = Pipeline.fetch

    async def noting(self: Pipeline, statements: Sequence[BoundStatement]) -> Fetched:
        for statement in statements:
            found.note_postgresql(statement.sql, statement.parameters)
        return await fetch(self, statements)

    Pipeline.fetch = noting
    try:
        yield
    finally:
        Pipeline.fetch = fetch


def _sqlite_connection(statements: Statements) -> type[sqlite3.Connection]:
    """The class of connections that note what they are asked."""

    class Noting(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = (), /) -> Noting:
            statements.note(sql)
            return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Any, /) -> Noting:
            statements.note(sql)
            return super().executemany(sql, parameters)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Noting) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, parameters: Any = (), /) -> Any:
            return self.cursor().execute(sql, parameters)

    return Connection


def _postgresql_cursor(statements: Statements) -> type[Any]:
    """The class of cursors that note what they are asked."""
    import psycopg  # noqa: PLC0415 - only runs with PostgreSQL have the library

    class Noting(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **named: Any) -> Self:
            statements.note_postgresql(query, params)
            return super().execute(query, params, **named)

        def executemany(self, query: Any, params_seq: Any, **named: Any) -> None:
            every = list(params_seq)
            statements.note_postgresql(query, every[0])
            super().executemany(query, every, **named)

    return Noting


class Planner:
    """Explains statements on an empty database of the newest schema."""

    def __init__(self, folder: Path) -> None:
        self._growing = growing()
        path = folder / "plans.db"
        engine = engine_for(f"sqlite:///{path}")
        with noted() as migrating, engine.connect() as connection:
            migrations.upgrade(connection)
        engine.dispose()
        self._migrating = frozenset(migrating.sqlite)  # goes through everything, once
        self._connection = sqlite3.connect(path)
        self._judged: dict[str, list[str]] = {}

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def scans(self, text: str) -> list[str]:
        """The growing tables that the statement goes through as a whole, with the plan's line."""
        if text not in self._judged:
            self._judged[text] = [] if self._is_of_others(text) else list(self._scans(text))
        return self._judged[text]

    def _is_of_others(self, text: str) -> bool:
        """Whether it is a migration's, or asks the schema itself."""
        return text in self._migrating or "sqlite_master" in text or "pragma" in text.lower()

    def _scans(self, text: str) -> Iterator[str]:
        names = set(re.findall(r"\w+", text))
        for *_, line in self._connection.execute(f"EXPLAIN QUERY PLAN {text}", self._nothing(text)):
            found = SCAN.match(line)
            if found and (found[1] in self._growing & names) and found[2] not in SMALL_INDEXES:
                yield line

    def _nothing(self, text: str) -> Any:
        """So many values as it takes."""
        named = re.findall(r"(?<!:):(\w+)", text)
        return dict.fromkeys(named) if named and "?" not in text else [None] * text.count("?")
