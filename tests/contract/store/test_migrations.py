"""Migrations: the schema is what the rooms declare, made once, whole, and only when there is something to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, String, exc, inspect
from sqlalchemy.dialects import postgresql

from tests import schema
from trivium.store import NewerDatabase, metadata, migrations
from trivium.store.database import engine_for
from trivium.store.migrations import running

UPGRADE = """
import sys
from trivium.store import migrations
from trivium.store.database import engine_for
if len(sys.argv) > 2:
    print("ready", flush=True)
    sys.stdin.readline()
with engine_for(sys.argv[1]).connect() as connection:
    migrations.upgrade(connection)
print("alembic" in sys.modules)
"""


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = engine_for(empty_database_url)
    yield made
    made.dispose()


@pytest.fixture
def plain_engine(request: pytest.FixtureRequest, empty_database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A second empty database of the same kind."""
    if empty_database_url.startswith("sqlite"):
        made = engine_for(f"sqlite:///{tmp_path / 'plain.db'}")
        yield made
        made.dispose()
        return
    with request.getfixturevalue("postgres_cluster").database() as url:
        made = engine_for(url)
        yield made
        made.dispose()


def test_the_migrated_schema_is_what_the_rooms_declare(engine: Engine, plain_engine: Engine) -> None:
    schema.declare_all()
    with engine.connect() as connection:
        migrations.upgrade(connection)
    with engine.connect() as connection:
        wrong = schema.differences(connection)
        assert not wrong, f"the newest migration lacks:\n{schema.missing_operations(connection)}"
    metadata.create_all(plain_engine)
    made, declared = schema.described(engine), schema.described(plain_engine)
    assert (sorted(made - declared), sorted(declared - made)) == ([], []), (
        "what only the migrations, only the rooms have"
    )


def test_every_text_sorts_by_code_point_on_postgresql() -> None:
    schema.declare_all()
    dialect = postgresql.dialect()
    texts = [column for table in metadata.sorted_tables for column in table.c if isinstance(column.type, String)]
    assert texts
    assert [
        str(column) for column in texts if getattr(column.type.dialect_impl(dialect), "collation", None) != "C"
    ] == []


def test_head_is_the_newest_migration() -> None:
    assert running.scripts().get_heads() == [migrations.HEAD]


def test_alembic_is_imported_only_when_there_is_something_to_do(empty_database_url: str) -> None:
    first, second = (
        subprocess.run([sys.executable, "-c", UPGRADE, empty_database_url], check=True, capture_output=True, text=True)
        for _ in range(2)
    )
    assert first.stdout.strip() == "True"
    assert second.stdout.strip() == "False"


def test_several_processes_may_upgrade_at_once(empty_database_url: str) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty_database_url, "wait"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in started]
    assert [(process.returncode, errors) for process, (_, errors) in zip(started, answers, strict=True)] == [
        (0, "")
    ] * 4
    assert sorted(said.strip() for said, _ in answers).count("True") >= 1
    engine = engine_for(empty_database_url)
    with engine.connect() as connection:
        assert migrations.revision(connection) == migrations.HEAD
    engine.dispose()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(engine: Engine) -> None:
    with engine.connect() as connection:
        migrations.upgrade(connection)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    sentence = r"newer Trivium \(its schema is 9999, this program knows up to 0"
    with engine.connect() as connection, pytest.raises(NewerDatabase, match=sentence):
        migrations.upgrade(connection)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["9999"]


def test_an_upgrade_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW servers AS SELECT 1 AS worker")  # in the way of a table that comes
    with engine.connect() as connection, pytest.raises(exc.DBAPIError):
        migrations.upgrade(connection)
    assert inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW servers")
    with engine.connect() as connection:
        migrations.upgrade(connection)
    assert inspect(engine).has_table("servers")
