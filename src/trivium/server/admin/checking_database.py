"""What `trivium doctor` finds out about the database, without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, exc

from trivium.base.errors import TriviumError
from trivium.base.keyring import Keyring
from trivium.resources import hosts, users
from trivium.server.admin.findings import Finding, blocking, lacking, ok
from trivium.server.settings import Settings, masked
from trivium.store import Flavour, Read, migrations
from trivium.store.bounded_cache import BoundedCache
from trivium.store.database import OLDEST_POSTGRESQL, engine_for

OFF: Final = 5.0  # seconds that two clocks may differ


def database(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers and is one that this program can use."""
    if settings.database.url is None and not settings.database_file.exists():
        yield ok("database", f"SQLite, {settings.database_file}, which will be made")
        return
    place = masked(settings.database_url)
    try:
        engine = engine_for(settings.database_url)
        with engine.connect() as connection, connection.begin():
            yield from _looked_at(engine, connection, settings)
    except TriviumError as error:
        yield blocking("database", f"{place}: {error.message}", "see trivium server start --help")
    except exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        yield blocking("database", f"{place}: {reason}", "start the database, or name another with --database")


def _looked_at(engine: Engine, connection: Connection, settings: Settings) -> Iterator[Finding]:
    place = masked(settings.database_url)
    flavour = Flavour(engine.dialect.name)
    if flavour is Flavour.POSTGRESQL:
        yield from _server(connection)
    revision = migrations.revision(connection)
    if revision is None:
        yield ok("database", f"{place} is empty and will be filled")
        return
    if revision > migrations.HEAD:
        raise migrations.newer(revision)
    state = "up to date" if revision == migrations.HEAD else "older, and brought up to date at the next start"
    yield ok("database", f"{place} is {state}")
    if revision == migrations.HEAD:
        tx = Read(connection, flavour, datetime.now(UTC), statements=BoundedCache[Any](16))
        if settings.key_file.exists():
            yield _keyring(tx, settings)
        if flavour is Flavour.POSTGRESQL:
            yield from _hosts(tx)


def _server(connection: Connection) -> Iterator[Finding]:
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if version < OLDEST_POSTGRESQL:
        yield blocking("PostgreSQL", f"version {version // 10_000}", "use PostgreSQL 15 or newer")
    theirs = float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())
    apart = abs(theirs - datetime.now(UTC).timestamp())
    if apart > OFF:
        remedy = "run an NTP client on both machines"
        yield lacking("database clock", f"{apart:.0f} s apart from this machine's", remedy)


def _hosts(tx: Read) -> Iterator[Finding]:
    found = hosts.standing(tx)
    servers = [one for one in found if one.server is not None]
    if servers:
        yield ok("servers", f"{len(servers)} on this database; `trivium server list` shows them")
    for host in (one.host for one in found if one.server is None and one.host is not None):
        remedy = f"start one there: trivium server start --data {host.data}; its notebooks go on, and wait for it"
        yield lacking("servers", f"none acts on the host {host.name} with {host.data}", remedy)
    far = {one.machine for one in servers}
    near = [one for one in servers if (one.proxy or "").startswith(("127.", "localhost", "[::1]"))]
    if len(far) > 1 and near:
        remedy = "let servers listen on an address that the others reach: --host, or TRIVIUM_SERVER__PEER_HOST"
        yield lacking("servers", f"{len(near)} of {len(servers)} can be reached from their own machine only", remedy)


def _keyring(tx: Read, settings: Settings) -> Finding:
    try:
        users.check_keyring(tx, Keyring.at(settings.key_file))
    except TriviumError as error:
        return blocking("keys", error.message, "put the key file back that belongs to this database")
    return ok("keys", "the key file opens what the database has")
