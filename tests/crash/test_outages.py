"""What the server needs goes away for ten seconds: calls are answered with that, what runs runs on, all resumes."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests import postgresql
from tests.crash import machine
from tests.crash.drive import Drive
from tests.crash.server import Site
from tests.crash.small_disk import IS_ROOT, fill, small_disk
from trivium.drivers.runtimes.process.keeper.system import processes

AWAY = 10.0  # seconds
DURABLE = {"synchronous_commit": "on"}  # what it said is committed is written, whoever ends it
ANSWERED_WITHIN = 25.0  # seconds: the database's own fifteen, the keeper's ten, and some for a machine that is busy

Outage = Callable[[], AbstractContextManager[None]]
pytestmark = [pytest.mark.crash, pytest.mark.timeout(0)]  # every wait in them has a deadline of its own


@pytest.fixture
def cluster() -> Iterator[postgresql.Cluster]:
    """A PostgreSQL of the test's own, which nobody else misses."""
    if postgresql.binaries() is None:
        pytest.skip(postgresql.REMEDY)
    with tempfile.TemporaryDirectory(prefix="tc-pg-") as folder:
        Path(folder).chmod(0o755)
        cluster = postgresql.shared_cluster(Path(folder) / "cluster", os.getpid())
        try:
            cluster.stop("fast")
            cluster.start(**DURABLE)
            yield cluster
        finally:
            for pid in cluster.pids():
                os.kill(pid, signal.SIGCONT)
            with suppress(SystemExit):
                cluster.stop()


def _outlive(
    site: Site, outage: Callable[[Drive], Outage], seconds: float = AWAY, *, excuses: frozenset[str] = frozenset()
) -> Drive:
    """A site whose users go on through the outage; every invariant holds afterwards.

    `excuses` are the reasons for which notebooks may fail to start meanwhile.
    """
    drive = Drive(site, 3, excuses=excuses)
    try:
        drive.furnish()
        for hand in drive.hands:
            hand.make("dcu", 1)
        drive.check()
        longest = drive.burst(outage(drive), seconds)
        assert longest < ANSWERED_WITHIN
        drive.burst(outage(drive), seconds / 5)
        return drive
    finally:
        drive.close()


@pytest.fixture
def on_postgresql(cluster: postgresql.Cluster) -> Iterator[Site]:
    """A site with its database in that PostgreSQL."""
    with cluster.database() as url:
        yield Site(url)


@pytest.mark.postgresql
def test_a_postgresql_that_is_started_again(cluster: postgresql.Cluster, on_postgresql: Site) -> None:
    @contextmanager
    def gone() -> Iterator[None]:
        cluster.stop()
        yield
        cluster.start(**DURABLE)

    drive = _outlive(on_postgresql, lambda _: gone)
    assert any(outcome == "unavailable" for _, outcome in drive.diary.counts)


@pytest.mark.postgresql
def test_a_postgresql_that_hangs(cluster: postgresql.Cluster, on_postgresql: Site) -> None:
    @contextmanager
    def hanging() -> Iterator[None]:
        with _stopped(cluster.pids()):
            yield

    _outlive(on_postgresql, lambda _: hanging)


def test_an_sqlite_that_another_process_keeps_to_itself() -> None:
    def locked(drive: Drive) -> Outage:
        @contextmanager
        def alone() -> Iterator[None]:
            file = drive.site.data / "trivium.db"
            with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield

        return alone

    _outlive(Site(), locked)


def test_a_keeper_that_hangs() -> None:
    def stopped(drive: Drive) -> Outage:
        @contextmanager
        def hanging() -> Iterator[None]:
            pid = machine.keeper_of(drive.site.data)
            assert pid is not None
            with _stopped([pid]):
                yield

        return hanging

    drive = _outlive(Site(), stopped, seconds=13.0)  # longer than the server waits for an answer
    assert drive.diary.counts["service", "unavailable"] > 0


@pytest.mark.root
@pytest.mark.skipif(not IS_ROOT, reason="needs to be root, to mount a small file system")
def test_a_disk_without_space_amid_calls() -> None:
    site = Site(TRIVIUM_RUNTIME__DISK_RESERVE="0")
    with small_disk(site.data, "48m"):

        @contextmanager
        def full() -> Iterator[None]:
            filler = site.data / "filler"
            fill(filler)
            assert os.statvfs(site.data).f_bavail == 0
            yield
            filler.unlink()

        _outlive(site, lambda _: full, seconds=5.0, excuses=frozenset({"notebook.ended.no_space"}))


def test_a_notebook_stopped_by_a_signal_runs_until_it_is_asked_to_stop() -> None:
    drive = Drive(Site(TRIVIUM_NOTEBOOKS__STOP_GRACE="1s"), 1)
    try:
        drive.furnish()
        hand = drive.hands[0]
        stopped, other = hand.make("dcu", 1), hand.make("dcu", 1)
        drive.check()
        everyone = [one.identity for one in drive.scene().machine.processes.values() if one.notebook == stopped]
        for one in everyone:
            assert processes.send(one, signal.SIGSTOP)
        asked = drive.scene().model.by_id()
        hand.do("look", asked[other])
        assert drive.found(asked[stopped]) == "running"
        hand.do("stop", asked[stopped])
        drive.check()  # it is stopped, as it was asked to be, and nothing of it is left
        assert not any(processes.is_alive(one) for one in everyone)
    finally:
        drive.close()


@contextmanager
def _stopped(pids: list[int]) -> Iterator[None]:
    """Processes stopped by SIGSTOP while the block runs."""
    _signal(pids, signal.SIGSTOP)
    yield
    _signal(pids, signal.SIGCONT)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
