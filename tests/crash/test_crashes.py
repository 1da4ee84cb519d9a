"""Kill the server again and again at random moments: what was acknowledged stands, and all comes to what was asked."""

from __future__ import annotations

import random
import stat
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.crash import machine
from tests.crash.drive import STARTUP, Broken, Drive
from tests.crash.ledger import Book
from tests.crash.reports import Places, Reporter
from tests.crash.server import CARDS, Site
from tests.waiting import until
from trivium.base.clock import SystemClock
from trivium.resources import users
from trivium.store import Read, Store, metadata

FIRST = {"domains": 1, "projects": 1, "users": 1, "pools": 1, "flavors": 2, "nodes": 1, "devices": CARDS, "images": 1}
"""What a site has from the beginning: flavors of cores and of cards, and the image of the server's own environment."""


@pytest.mark.crash
@pytest.mark.timeout(0)  # every wait in it has a deadline of its own
def test_whatever_the_moment_of_a_kill_the_site_comes_back_whole(
    databases: Places, kills: int, crash_seed: int, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    with databases() as database:
        drive = Drive(Site(database), crash_seed)
        try:
            said = drive.run(kills)
        except Broken as broken:
            reporter = Reporter(Path(request.config.option.reports), databases, request.config.option.shrink)
            print(f"the report is in {reporter.report(broken, name)}")
            raise
        finally:
            drive.close()
    print(f"{name}: {said}")
    assert drive.kills >= kills


@pytest.mark.crash
@pytest.mark.timeout(0)
def test_a_first_start_that_is_killed_is_finished_by_the_next(
    empty_database_url: str, kills: int, crash_seed: int
) -> None:
    site = Site(None if empty_database_url.startswith("sqlite") else empty_database_url)
    dice = random.Random(f"first/{crash_seed}")
    try:
        for _ in range(max(kills // 5, 1)):
            site.spawn()
            moment = time.monotonic() + dice.uniform(0, 2 * STARTUP)
            until(lambda moment=moment: time.monotonic() >= moment)
            site.kill()
        site.start()
        until(site.is_ready, within=60, what="readiness")
        site.kill()
        book, store = Book(site.database), Store.open(site.database, SystemClock(), "test")
        assert book.faults() == []
        assert {name: store.read_now(_count, name) for name in FIRST} == FIRST
        password = site.data / "admin-password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        login = store.read_now(users.login_of, "admin")
        users.check_password(login, users.digest_of(password.read_text("utf-8").strip()))
        assert machine.look(site.data).odd == ()
        store.close()
        book.close()
    finally:
        site.close()


def _count(tx: Read, table: str) -> int:
    return tx.value(select(func.count()).select_from(metadata.tables[table])) or 0
