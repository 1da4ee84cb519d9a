"""Of several servers on a data directory one holds the host; another takes it when that one is gone or falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.builders import START
from tests.waiting import until_async
from trivium.base.clock import ManualClock
from trivium.base.errors import Unavailable
from trivium.resources import hosts
from trivium.resources.hosts import HostElsewhere, Identity, NotHolding, Tenure
from trivium.resources.hosts.table import hosts as table
from trivium.server.host.lease import HostLease
from trivium.store import Store, Write

pytestmark = pytest.mark.postgresql


class Work:
    """Work that notes what it was told."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.acts_as = 0
        self.is_over = False
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.faults: list[Exception] = []  # of the next preparations

    async def prepare(self, tenure: Tenure) -> None:
        self.began.append(tenure.epoch)
        await self.may_go_on.wait()
        if self.faults:
            raise self.faults.pop()

    async def run(self, tenure: Tenure) -> None:
        self.acts_as = tenure.epoch
        try:
            await asyncio.Event().wait()
        finally:
            self.is_over = True


class Server:
    """One server's part in it."""

    def __init__(self, url: str, data: Path, machine: str) -> None:
        self.clock = ManualClock(START)
        self.store = Store.open(url, self.clock, "server")
        mine = Identity(id="a" * 32, name="one", machine=machine, data=str(data))
        self.lease = HostLease(self.store, mine)
        self.work = Work()
        self.running: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self.lease.begin(self.work)

    async def go_on(self) -> None:
        self.running = asyncio.create_task(self.lease.run())
        await asyncio.sleep(0)  # it has begun

    async def end(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None


@asynccontextmanager
async def server(url: str, data: Path, machine: str = "boot-1") -> AsyncIterator[Server]:
    made = Server(url, data, machine)
    try:
        yield made
    finally:
        await made.end()
        made.store.close()


def run_out(tx: Write) -> None:
    tx.run(update(table).values(lease_until=tx.database_now() - timedelta(minutes=1)))


async def test_the_second_stands_by_and_takes_over_when_the_first_ends(postgres_url: str, tmp_path: Path) -> None:
    async with server(postgres_url, tmp_path) as first, server(postgres_url, tmp_path) as second:
        await first.begin()
        await second.begin()
        assert (first.lease.epoch(), second.lease.stands_by) == (1, True)
        with pytest.raises(NotHolding):
            second.lease.epoch()
        await first.go_on()
        await second.go_on()
        await until_async(_running(first), what="a first server at work")
        await first.end()
        await until_async(_prepares(second), what="another that takes over")
        assert (first.work.is_over, second.work.began, second.lease.epoch()) == (True, [2], 2)


async def test_one_that_falls_silent_acts_no_more_by_its_own_clock(postgres_url: str, tmp_path: Path) -> None:
    async with server(postgres_url, tmp_path) as first:
        await first.begin()
        first.clock.move(timedelta(seconds=9))
        assert first.lease.epoch() == 1
        first.clock.move(timedelta(seconds=1))
        with pytest.raises(NotHolding):
            first.lease.epoch()
        await first.go_on()
        first.lease.wake()
        await until_async(_acts(first), what="a lease that is good again")


async def test_one_that_was_passed_over_stops_its_work_and_stands_by(postgres_url: str, tmp_path: Path) -> None:
    async with server(postgres_url, tmp_path) as first, server(postgres_url, tmp_path) as second:
        await first.begin()
        await first.store.write(run_out)
        await second.begin()
        assert second.lease.epoch() == 2
        await first.go_on()
        await until_async(_running(first), what="a first server at work")
        first.lease.wake()
        await until_async(_stands_by(first), what="a first server that stands by")
        assert (first.work.is_over, first.lease.counts.lost, second.lease.epoch()) == (True, 1, 2)


async def test_a_preparation_that_outlasts_the_lease_does_not_cost_it(postgres_url: str, tmp_path: Path) -> None:
    async with server(postgres_url, tmp_path) as first:
        first.work.may_go_on.clear()
        beginning = asyncio.create_task(first.begin())
        await until_async(_prepares(first), what="a server that prepares")
        await first.store.write(run_out)

        async def is_held() -> bool:
            return "a" * 32 in await first.store.read(hosts.held_now)

        await until_async(is_held, what="a lease that is renewed meanwhile")
        assert not beginning.done()
        first.work.may_go_on.set()
        await beginning
        assert first.work.began == [1]


async def test_a_preparation_that_fails_fails_the_start_and_is_done_again_later(
    postgres_url: str, tmp_path: Path
) -> None:
    async with server(postgres_url, tmp_path) as first:
        first.work.faults.append(Unavailable("not now"))
        with pytest.raises(Unavailable, match="not now"):
            await first.begin()
        first.work.faults.append(Unavailable("not now"))
        await first.go_on()
        first.lease.wake()
        await until_async(_running(first), what="a server at work")
        assert first.work.began == [1, 1, 1]


async def test_an_epoch_that_the_directory_knows_of_never_comes_again(postgres_url: str, tmp_path: Path) -> None:
    async with server(postgres_url, tmp_path) as first:
        await first.begin()
        await first.go_on()
        await first.end()
        await first.store.write(hosts.forget, "a" * 32)  # as in a database from a backup
        await first.begin()
        assert first.lease.epoch() == 2


async def test_a_server_of_another_machine_on_the_same_directory_is_refused(postgres_url: str, tmp_path: Path) -> None:
    async with server(postgres_url, tmp_path) as first, server(postgres_url, tmp_path, "boot-2") as second:
        await first.begin()
        beginning = asyncio.create_task(second.begin())

        async def is_refused() -> bool:
            await first.store.write(hosts.renew, Tenure(host="a" * 32, epoch=1), worker=first.store.worker)
            return beginning.done()

        await until_async(is_refused, what="a refusal")
        with pytest.raises(HostElsewhere):
            await beginning


def _prepares(server: Server) -> Callable[[], Awaitable[bool]]:
    async def prepares() -> bool:
        return bool(server.work.began)

    return prepares


def _acts(server: Server) -> Callable[[], Awaitable[bool]]:
    async def acts() -> bool:
        try:
            return server.lease.epoch() > 0
        except NotHolding:
            return False

    return acts


def _stands_by(server: Server) -> Callable[[], Awaitable[bool]]:
    async def stands_by() -> bool:
        return server.lease.stands_by

    return stands_by


def _running(server: Server) -> Callable[[], Awaitable[bool]]:
    async def running() -> bool:
        return server.work.acts_as == 1

    return running
