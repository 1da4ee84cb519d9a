"""Indexes of grams in the schema: what migrations make is what rooms declare, and has the rows that were there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests import schema
from tests.upgrading import add, at_revision, upgraded
from trivium.store import Flavour, metadata, migrations
from trivium.store.database import engine_for
from trivium.store.grams.declared import INFO, Grams

SQLITE = "SELECT name, sql FROM sqlite_master WHERE name LIKE '%/_grams%' ESCAPE '/' OR name LIKE '%generations%'"
FUNCTIONS = (
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
    "AND (proname LIKE 'trivium%' OR proname LIKE '%grams%' OR proname LIKE '%generations%')"
)
TRIGGERS = "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname LIKE '%grams%'"
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE '%grams%' OR indexname LIKE '%generations%'"


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = engine_for(empty_database_url)
    yield made
    made.dispose()


def declared() -> list[Grams]:
    schema.declare_all()
    return [grams for table in metadata.sorted_tables for grams in table.info.get(INFO, ())]


def described(engine: Engine) -> set[tuple[str, str]]:
    """All that keeps the indexes, in the database's own words."""
    with engine.connect() as connection:
        wanted = [SQLITE] if engine.dialect.name == Flavour.SQLITE else [FUNCTIONS, TRIGGERS, INDEXES]
        return {(row[0], row[1]) for sql in wanted for row in connection.execute(text(sql))}


def test_the_migrated_indexes_are_what_the_rooms_declare(engine: Engine) -> None:
    assert {grams.index for grams in declared()} >= {"notebooks_name_grams", "images_version_grams"}
    with engine.connect() as connection:
        migrations.upgrade(connection)
    migrated = described(engine)
    with engine.begin() as connection:
        dropped(connection, metadata.sorted_tables)
    metadata.create_all(engine)
    made = described(engine)
    assert made
    assert (sorted(migrated - made), sorted(made - migrated)) == ([], [])


def dropped(connection: Connection, tables: Any) -> None:
    """Leave nothing of what the migrations made."""
    if connection.dialect.name == Flavour.POSTGRESQL:
        connection.exec_driver_sql("DROP OWNED BY CURRENT_USER CASCADE")
        return
    for grams in declared():
        connection.exec_driver_sql(f"DROP TABLE {grams.index}")
        connection.exec_driver_sql(f"DROP TABLE {grams.generations}")
    for table in reversed(tables):
        connection.exec_driver_sql(f"DROP TABLE {table.name}")


def test_what_was_there_before_the_index_is_in_it(engine: Engine) -> None:
    with at_revision(engine, "0003", loose=("notebooks",)) as connection:
        for number in range(1, 40):
            name = f"测试-{number}"
            add(
                connection,
                "notebooks",
                id=number,
                project_id=7,
                name=name,
                name_folded=name,
                listed=number % 2 == 0,
            )
        upgraded(connection, "0004")
        names = {grams.table.name: grams for grams in declared()}
        assert found(connection, names["notebooks"], project=7, gram="测试") == list(range(2, 40, 2))
        assert found(connection, names["notebooks"], project=8, gram="测试") == []
        assert found(connection, names["notebooks"], project=7, gram="-31") == []
        assert found(connection, names["notebooks"], project=7, gram="-30") == [30]


def test_an_index_that_was_kept_since_gets_longer_grams(engine: Engine) -> None:
    def named(connection: Connection, number: int, name: str) -> None:
        add(connection, "notebooks", id=number, project_id=7, name=name, name_folded=name, listed=True)

    (names,) = (grams for grams in declared() if grams.table.name == "notebooks")
    longest = "diffusion" if engine.dialect.name == Flavour.SQLITE else "dif"
    with at_revision(engine, "0008", loose=("notebooks",)) as connection:
        named(connection, 1, "a diffusion")
        named(connection, 2, "a difference")
        upgraded(connection, "0009")
        named(connection, 3, "diffusion")
        named(connection, 4, "diffusio")
        connection.execute(text("UPDATE notebooks SET name_folded = 'diffusions' WHERE id = 2"))
        connection.execute(text("DELETE FROM notebooks WHERE id = 1"))
        assert found(connection, names, project=7, gram=longest) == [2, 3, *([4] if longest == "dif" else [])]


def found(connection: Connection, grams: Grams, *, project: int, gram: str) -> list[int]:
    """The ids that the index itself has for a gram."""
    if connection.dialect.name == Flavour.SQLITE:
        asked = text(f"SELECT rowid FROM {grams.index} WHERE {grams.index} MATCH :asked ORDER BY rowid")
        return [row[0] for row in connection.execute(asked, {"asked": f'"{project}x{gram.encode().hex()}"'})]
    holds = "trivium_grams(part, folded) @> trivium_hashed(:part, ARRAY[:gram])"
    asked = text(f"SELECT id FROM {grams.index} WHERE {holds} ORDER BY id")
    return [row[0] for row in connection.execute(asked, {"part": project, "gram": gram})]
