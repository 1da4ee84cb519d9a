"""A database from before there were several hosts: what saved images stand on lies where their notebooks ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Connection, Engine, text

from tests.upgrading import add, at_revision, upgraded
from trivium.store.database import engine_for


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = engine_for(empty_database_url)
    yield made
    made.dispose()


def hosts_of(connection: Connection) -> Mapping[int, str | None]:
    return {row.id: row.host for row in connection.execute(text("SELECT id, host FROM images"))}


def test_the_layers_of_saved_images_lie_where_their_notebooks_ran(engine: Engine) -> None:
    with at_revision(engine, "0001", loose=("notebooks", "images", "nodes")) as connection:
        add(connection, "nodes", id=1, host="first")
        add(connection, "notebooks", id=10, host="second")
        add(connection, "images", id=20, layers="[]", status="active", path=None)
        add(connection, "images", id=21, layers='["/a"]', status="active", path=None, notebook_id=10)
        add(connection, "images", id=22, layers="[]", status="saving", path=None, notebook_id=10)
        add(connection, "images", id=23, layers='["/b"]', status="active", path=None, notebook_id=11)
        upgraded(connection, "0002")
        assert hosts_of(connection) == {20: None, 21: "second", 22: "second", 23: "first"}
