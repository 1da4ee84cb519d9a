"""How PostgreSQL would carry out what a test really ran: no statement may go through a whole table that grows.

PostgreSQL plans by what it knows of the tables, so statements are explained, with the values that they were run with,
where each growing table has many rows and their statistics were collected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import Boolean, Column, Engine, LargeBinary, String, Table, UniqueConstraint, inspect, text

from tests.plans import SMALL_INDEXES, Planner, Statements, growing, noted
from tests.postgresql import Cluster
from trivium.base.clock import SystemClock
from trivium.store import Store, metadata, migrations
from trivium.store.columns import Instant, Uuid16
from trivium.store.database import engine_for
from trivium.store.grams.declared import INFO

ROWS: Final = 20_000
OF_EACH: Final = 211
"""Different values of a column that is not unique: projects, owners, names."""

MANY: Final = 1000
"""So many keys that are looked up at once are a good part of these rows: what counts is whether an index has them."""

STATUSES: Final = "(ARRAY['deleted', 'deleted', 'stopped', 'failed', 'running'])[n % 5 + 1]"
FOUND: Final = "(ARRAY['gone', 'gone', 'stopped', 'failed', 'running'])[n % 5 + 1]"
LATER: Final = "(extract(epoch FROM now() + interval '30 days')::bigint + n) * 1000000"
"""Nothing is due yet, as nearly always, however late in a run a statement is explained."""

SPECIAL: Final[Mapping[tuple[str, str], str]] = {
    ("notebooks", "status"): STATUSES,
    ("notebooks", "found"): FOUND,
    ("notebooks", "listed"): "n % 5 > 1",
    ("notebooks", "settled"): "n % 50 > 0",
    ("notebooks", "stop_at"): f"CASE WHEN n % 50 = 4 THEN {LATER} END",
    ("notebooks", "release_at"): f"CASE WHEN n % 50 = 2 THEN {LATER} END",
    ("notebooks", "deleted_at"): f"CASE WHEN n % 5 < 2 THEN {LATER} END",
    ("notebooks", "feature"): "CASE WHEN n % 200 = 7 THEN 'free' ELSE 'ordinary' END",
    ("notebooks", "owner_id"): "n",
    ("notebooks", "workspace"): "CASE WHEN n % 100 = 7 THEN 5 ELSE 0 END",
    ("images", "workspace"): "CASE WHEN n % 100 = 7 THEN 5 ELSE 0 END",
    ("attachments", "status"): "'mounted'",
    ("attachments", "notebook_id"): "n",
    ("tags", "kind"): "'notebook'",
    ("tags", "thing"): "n",
    ("workspaces", "audience"): "'public'",
    ("sessions", "expires_at"): LATER,
    ("images", "visibility"): "CASE WHEN n % 100 = 0 THEN 'public' ELSE 'project' END",
    ("images", "audience"): "CASE WHEN n % 2 = 0 THEN -1 WHEN n % 100 = 1 THEN 0 ELSE n END",
    ("images", "accelerator"): "(ARRAY['cpu', 'gpu', 'dcu'])[n % 3 + 1]",
    ("images", "deleted_at"): "CASE WHEN n % 2 = 0 THEN n END",
    ("images", "refers_to"): "CASE WHEN n % 100 = 3 THEN 'x' || n END",
    ("images", "status"): "CASE WHEN n % 2 = 0 THEN 'deleted' ELSE 'active' END",
    ("nodes", "parent_id"): "CASE WHEN n % 5000 > 0 THEN n * 7919 % 211 + 1 END",
    ("nodes", "listed"): "n % 5 > 1",
    ("pools", "name"): "'x' || n",
    ("pools", "project_id"): "CASE WHEN n > 1 THEN n * 7919 % 211 + 1 END",
    ("pools", "audience"): "CASE WHEN n % 2 = 0 THEN -1 WHEN n > 1 THEN n * 7919 % 211 + 1 ELSE 0 END",
    ("pools", "deleted_at"): "CASE WHEN n % 2 = 0 THEN n END",
    ("networks", "listed"): "n % 2 > 0",
    ("users", "name_key"): "'x' || n",
    ("users", "role"): "CASE WHEN n % 5000 = 0 THEN 'admin' ELSE 'member' END",
    ("users", "status"): "'active'",
    ("users", "deleted_at"): "CASE WHEN n % 10 = 0 THEN n END",
    ("key_pairs", "deleted_at"): "CASE WHEN n % 10 = 0 THEN n END",
    ("operations", "finished_at"): "CASE WHEN n % 500 > 0 THEN n END",
    ("sample_imports", "dataset_id"): "n % 5000 + 1",
    ("sample_imports", "finished_at"): "CASE WHEN n % 500 > 0 THEN n END",
    ("sample_refusals", "import_id"): "n",
    ("sample_exports", "dataset_id"): "n % 5000 + 1",
    ("sample_exports", "finished_at"): "CASE WHEN n % 500 > 0 THEN n END",
    ("dataset_versions", "dataset_id"): "n % 5000 + 1",
    ("samples", "dataset_id"): "n % 5000 + 1",
    ("marks", "tag"): "'x' || n",
    ("service_refs", "model_uuid"): "decode(md5('x' || n), 'hex')",
    ("service_datasets", "dataset_uuid"): "decode(md5('x' || n), 'hex')",
}
"""What of the rows is not like any other: most of what there ever was is over."""


def all_scans(statements: Statements, folder: Path) -> list[str]:
    """Which of the statements go through a growing table, whichever database they were for, and how."""
    found: list[str] = []
    if statements.sqlite:
        with closing(Planner(folder)) as planner:
            found += (f"SQLite: {scan} in {sql}" for sql in statements.sqlite for scan in planner.scans(sql))
    if statements.sockets is not None:
        with closing(SeededPlanner(Cluster(Path(statements.sockets)))) as seeded:
            for sql, values in statements.postgresql.items():
                found += (f"PostgreSQL: {scan} in {sql}" for scan in seeded.scans(sql, values))
    return found


class SeededPlanner:
    """Explains statements on a database of a cluster that is filled once for the whole run."""

    def __init__(self, cluster: Cluster) -> None:
        migrating = cluster.sockets.parent / "migrating.json"
        self._connection = psycopg.connect(cluster.once("seeded", partial(_seed, migrating=migrating)), autocommit=True)
        self._migrating = frozenset(json.loads(migrating.read_bytes()))  # goes through everything, once
        self._growing = growing() | _of_grams()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def scans(self, sql: str, values: Any) -> list[str]:
        """The growing tables that the statement goes through as a whole, and how."""
        if sql in self._migrating:
            return []
        whole = "off" if len(values or ()) >= MANY else "on"
        self._connection.execute(f"SET enable_seqscan = {whole}".encode())
        explained: Any = self._connection.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode(), values).fetchone()
        return [
            f"{node['Node Type']} of {node['Relation Name']}"
            for node in _nodes(explained[0][0]["Plan"])
            if node.get("Relation Name") in self._growing and _is_whole(node)
        ]


def _seed(url: str, *, migrating: Path) -> None:
    """Make the tables and fill them; what statements that takes is written to the file."""
    engine = engine_for(url)
    with noted() as statements, engine.connect() as connection:
        migrations.upgrade(connection)
    migrating.write_text(json.dumps([*statements.postgresql]), "utf-8")
    _leave_alone(engine)
    _fill(engine, [table for table in metadata.sorted_tables if table.name in growing()])
    engine.dispose()
    store = Store.open(url, SystemClock(), "cli")
    store.fold()
    store.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _leave_alone(engine: Engine) -> None:
    """Keep PostgreSQL from vacuuming amid a run: it plans otherwise after that, and what is asked when is chance."""
    with engine.begin() as connection:
        for name in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"ALTER TABLE {name} SET (autovacuum_enabled = false)")


def _is_whole(node: dict[str, Any]) -> bool:
    """Whether nothing but a filter tells which rows are looked at."""
    if node["Node Type"] == "Seq Scan":
        return True
    is_walk = node["Node Type"].startswith("Index") and "Index Cond" not in node
    return is_walk and node["Index Name"] not in SMALL_INDEXES


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _of_grams() -> frozenset[str]:
    every = (grams for table in metadata.sorted_tables for grams in table.info.get(INFO, ()))
    return frozenset(name for grams in every for name in grams.tables)


def _fill(engine: Engine, tables: list[Table]) -> None:
    """Add the rows; what they refer to need not be there. Triggers do what they always do."""
    found = inspect(engine)
    with engine.begin() as connection:
        for table in tables:
            for key in found.get_foreign_keys(table.name):
                connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT {key['name']}")
        for table in tables:
            if not any(table.name.startswith(f"{other.name}_") for other in tables):  # kept by the other's triggers
                names, made = ", ".join(table.c.keys()), ", ".join(_value(table, column) for column in table.c)
                rows = f"INSERT INTO {table.name} ({names}) SELECT {made} FROM generate_series(1, {ROWS}) AS n"
                connection.execute(text(rows))


def _value(table: Table, column: Column[Any]) -> str:
    """An expression for the column's value in row `n`."""
    if (table.name, column.name) in SPECIAL:
        return SPECIAL[table.name, column.name]
    number = "n" if _is_unique(table, column) else f"(n * 7919 % {OF_EACH} + 1)"
    if isinstance(column.type, Instant):
        return "n"
    if isinstance(column.type, String):
        return f"'x' || {number}"
    if isinstance(column.type, Boolean):
        return "n % 2 = 0"
    return f"decode(md5('x' || {number}), 'hex')" if isinstance(column.type, Uuid16 | LargeBinary) else number


def _is_unique(table: Table, column: Column[Any]) -> bool:
    keys = [set(key.columns) for key in table.constraints if isinstance(key, UniqueConstraint)]
    keys.append({next(iter(table.primary_key))})
    return any(column in key for key in keys)
