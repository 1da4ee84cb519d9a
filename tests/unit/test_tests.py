"""The ground that the tests stand on holds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import psycopg
import pytest

from tests import postgresql
from tests.network import OutsideRefused, is_loopback
from tests.waiting import until


def test_a_connection_that_leaves_loopback_is_refused() -> None:
    with socket.socket() as client, pytest.raises(OutsideRefused):
        client.connect(("192.0.2.1", 80))


def test_a_name_that_is_not_loopbacks_is_not_looked_up() -> None:
    with pytest.raises(OutsideRefused):
        socket.getaddrinfo("trivium.example", 80)


def test_loopback_may_be_spoken_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.53", True),
        ("::1", True),
        (b"localhost", True),
        ("a.nb.localhost", True),
        (None, True),
        ("0.0.0.0", True),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("localhost.example", False),
    ],
)
def test_loopback_is_known_by_its_address(host: object, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.postgresql
def test_each_test_has_an_empty_database_of_its_own(postgres_cluster: postgresql.Cluster) -> None:
    with postgres_cluster.database() as one, postgres_cluster.database() as other:
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE mine (id bigint)")
            row = connection.execute(
                "SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
            )
            assert row.fetchone() == ("trivium", False)
        with psycopg.connect(other) as connection:
            found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
            assert found == (0,)


@pytest.mark.postgresql
def test_a_database_is_used_again_as_it_was_at_first(postgres_cluster: postgresql.Cluster) -> None:
    tell = """SELECT (SELECT json_agg(s) FROM sites s)::text, (SELECT count(*) FROM refusal_leftovers),
      nextval('nodes_changes_seq_seq')"""
    with postgres_cluster.migrated() as url, psycopg.connect(url, autocommit=True) as connection:
        first = connection.execute(tell).fetchone()
        connection.execute("DELETE FROM sites")
        connection.execute("INSERT INTO refusal_leftovers VALUES (1)")
    assert first is not None
    assert first[1] == 0
    with postgres_cluster.migrated() as again, psycopg.connect(again, autocommit=True) as connection:
        assert (again, connection.execute(tell).fetchone()) == (url, first)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine (id bigint)", "ALTER TABLE sites ADD mine bigint", "CREATE EXTENSION pg_trgm"]
)
def test_a_database_with_another_schema_is_not_used_again(postgres_cluster: postgresql.Cluster, statement: str) -> None:
    with postgres_cluster.migrated() as url, psycopg.connect(url) as connection:
        connection.execute(statement.encode())
        connection.commit()
    with postgres_cluster.migrated() as other:
        assert other != url


@pytest.mark.postgresql
def test_a_database_sorts_and_searches_chinese(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute("SELECT show_trgm('测试') <> '{}', lower('ÄΩ')").fetchone()
        assert row == (True, "äω")


@pytest.mark.postgresql
def test_a_cluster_ends_with_the_run_that_started_it_even_when_it_is_killed() -> None:
    if postgresql.binaries() is None:
        pytest.skip(postgresql.REMEDY)
    directory = Path(tempfile.gettempdir()) / f"trivium-pg-{uuid.uuid4().hex[:12]}"
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as run:
        cluster = postgresql.shared_cluster(directory, run.pid)
        server = int((directory / "data/postmaster.pid").read_text().splitlines()[0])
        with psycopg.connect(cluster.url("postgres", role="postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        run.kill()
    until(lambda: not directory.exists(), what="the end of the cluster's files")
    until(lambda: not _is_running(server), what="the end of the cluster's server")


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "postgres" in Path(f"/proc/{process}/comm").read_text()
