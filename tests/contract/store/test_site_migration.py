"""A database from before the site was a row: what is there belongs to it, and is seen by whom it was."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from tests.upgrading import add, at_revision, upgraded
from trivium.store.database import engine_for


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = engine_for(empty_database_url)
    yield made
    made.dispose()


def test_pools_and_nodes_come_to_be_the_sites(engine: Engine) -> None:
    with at_revision(engine, "0015", loose=("pools", "nodes")) as connection:
        add(connection, "pools", id=1, title="Größe", description="Über", audience=0)
        add(connection, "pools", id=2, title="OWN", audience=7)
        add(connection, "nodes", id=10, pool_id=1, name="Knoten-Ä", host="h")
        add(connection, "nodes", id=11, pool_id=2, name="SLICE", host="h")
        add(connection, "nodes", id=12, pool_id=2, name="back", host="h", listed=False)
        upgraded(connection, "0016")
        ((site, name),) = connection.execute(text("SELECT uuid, name FROM sites")).all()
        assert (UUID(bytes=bytes(site)).version, name) == (4, "")
        pools = connection.execute(text("SELECT title_folded, description_folded, site_uuid FROM pools ORDER BY id"))
        assert [(*row[:2], bytes(row[2]) == bytes(site)) for row in pools] == [
            ("grösse", "über", True),
            ("own", "", True),
        ]
        nodes = connection.execute(
            text("SELECT name_folded, pool_uuid, site_uuid, audience, architecture FROM nodes ORDER BY id")
        ).all()
        assert [(row[0], bytes(row[1])[-1], row[3], row[4]) for row in nodes] == [
            ("knoten-ä", 1, 0, ""),
            ("slice", 2, 7, ""),
            ("back", 2, -1, ""),
        ]
        assert {bytes(row[2]) for row in nodes} == {bytes(site)}
        assert connection.execute(text("SELECT count(*) FROM cards")).scalar() == 0
