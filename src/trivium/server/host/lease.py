"""The lease on a host: of the servers on a data directory one leads, and another takes over when that one is gone."""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import structlog

from trivium.base.errors import Unavailable
from trivium.resources import hosts
from trivium.resources.hosts import LEASES, Host, HostElsewhere, Identity, NotHolding, Tenure
from trivium.server.host import directory
from trivium.store import Flavour, Read, Store

POLL: Final = 1.0  # seconds between two looks of a server that does not lead
RENEWALS: Final = 4  # of a lease while it lasts
MARGIN: Final = 0.5  # seconds before its end in which nothing is begun any more
log = structlog.get_logger()


class Work(Protocol):
    """What the leader does."""

    async def prepare(self, tenure: Tenure) -> None:
        """What must be done before requests are answered. It may be repeated."""
        ...

    async def run(self, tenure: Tenure) -> None:
        """All the rest, until cancelled."""
        ...


class LeaseCounts:
    """Plain numbers, changed by the event loop."""

    def __init__(self) -> None:
        self.held = 0  # 1 while this server leads
        self.taken = 0  # times
        self.lost = 0


class HostLease:
    """Takes the lease when it is free, renews it, and does the work meanwhile. Used from one event loop.

    `epoch` is the fencing token for the keeper: it raises `NotHolding` once the lease may have run out, because another
    server has taken over or because the database does not answer.
    """

    def __init__(self, store: Store, mine: Identity) -> None:
        self.stands_by = False  # another server leads
        self.counts = LeaseCounts()
        self._store = store
        self._mine = mine
        self._work: Work | None = None
        self._data = Path(mine.data)
        self._lease = LEASES[store.flavour].total_seconds()
        self._tenure: Tenure | None = None
        self._good_until = -math.inf  # by the monotonic clock
        self._sign: int | None = None  # the open file that shows that this leader is alive
        self._working: asyncio.Task[None] | None = None
        self._is_prepared = False
        self._foreign: datetime | None = None  # the end of another machine's lease, when it was first seen
        self._awake = asyncio.Event()

    @property
    def is_ours(self) -> bool:
        """Whether this server leads."""
        return self._tenure is not None

    def epoch(self) -> int:
        """The epoch of our lease. `NotHolding` when we have none, or it may have run out."""
        if self._tenure is None or self._store.clock.monotonic() >= self._good_until:
            raise NotHolding("this server does not hold the host, or cannot tell whether it does", host=self._mine.id)
        return self._tenure.epoch

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def begin(self, work: Work) -> None:
        """Take the lease and prepare, or find that another server of this machine leads.

        Raises `HostElsewhere` when a server of another machine leads, and what the preparation raises.
        """
        self._work = work
        while not await self._look():
            await self._pause(POLL)
        while self._tenure is not None and not self._is_prepared:
            await self._pause(self._lease / RENEWALS)
            with suppress(NotHolding):  # whoever leads now prepares
                self._check_work()
            if not self._is_prepared:
                await self._look()

    async def run(self) -> None:
        """Go on until cancelled; raises what ended the work."""
        try:
            while True:
                await self._pause(POLL if self._tenure is None else self._lease / RENEWALS)
                try:
                    self._check_work()
                    await self._look()
                except Unavailable as error:
                    log.warning("host.undecided", error=str(error))
                    await asyncio.sleep(POLL)
        finally:
            await self._end()

    async def _look(self) -> bool:
        """Renew, take or leave the lease, and begin the work; False when it cannot be told yet who leads."""
        if self._tenure is not None:
            if await self._renew(self._tenure):
                self._begin_work(self._tenure)
                return True
            self.counts.lost += 1
            log.warning("host.lost", host=self._mine.id, epoch=self._tenure.epoch)
            await self._leave()
        host, is_held = await self._store.read(_seen, self._mine.id)
        if host is not None and is_held and not self._may_pass_over(host):
            self.stands_by = host.machine == self._mine.machine
            return self.stands_by
        return await self._take(0 if host is None else host.epoch)

    def _may_pass_over(self, host: Host) -> bool:
        """Whether the leader, whose lease has not run out, is known to be dead. `HostElsewhere` on another machine."""
        if self._store.flavour is Flavour.SQLITE:
            return True  # we have locked the directory exclusively
        if host.machine == self._mine.machine:
            return directory.is_dead(self._data, host.epoch)
        self._foreign = self._foreign or host.lease_until
        if host.lease_until > self._foreign:
            message = f"a server on the machine {host.name} works on {self._data}; each machine needs its own directory"
            raise HostElsewhere(message, machine=host.name, data=str(self._data))
        return False

    async def _take(self, since: int) -> bool:
        # The keeper remembers epochs, too: a database from a backup, or a host that was forgotten, must not begin anew.
        epoch = max(since, directory.newest_epoch(self._data)) + 1
        sign = directory.show_alive(self._data, epoch)
        if sign is None:
            return False
        asked = self._store.clock.monotonic()
        try:
            worker = self._store.worker
            tenure = await self._store.write(hosts.take, self._mine, worker=worker, since=since, epoch=epoch)
        except BaseException:
            os.close(sign)
            raise
        if tenure is None:
            os.close(sign)
            return False
        self._tenure, self._sign, self.stands_by = tenure, sign, False
        self.counts.taken += 1
        self.counts.held = 1
        self._prolong(asked)
        directory.forget_before(self._data, tenure.epoch)
        log.info("host.taken", host=tenure.host, epoch=tenure.epoch)
        self._begin_work(tenure)
        return True

    def _begin_work(self, tenure: Tenure) -> None:
        if self._working is None and self._work is not None:
            self._working = asyncio.create_task(self._do(self._work, tenure), name="host")
            self._working.add_done_callback(lambda _: self.wake())

    async def _do(self, work: Work, tenure: Tenure) -> None:
        # Beside the renewals: a preparation that takes long must not cost us the lease.
        await work.prepare(tenure)
        self._is_prepared = True
        self.wake()
        await work.run(tenure)

    def _check_work(self) -> None:
        """Raise what ended the work, which is begun anew where the lease is renewed."""
        if self._working is not None and self._working.done():
            ended, self._working = self._working, None
            ended.result()

    async def _renew(self, tenure: Tenure) -> bool:
        asked = self._store.clock.monotonic()
        # In a thread of its own: writes that wait for each other must not cost us the lease.
        if await asyncio.to_thread(self._store.write_now, hosts.renew, tenure, worker=self._store.worker):
            self._prolong(asked)
            return True
        return False

    def _prolong(self, asked: float) -> None:
        # Counted from before the database was asked, so that the lease ends here before it ends there.
        has_rivals = self._store.flavour is not Flavour.SQLITE
        self._good_until = asked + self._lease - MARGIN if has_rivals else math.inf

    async def _leave(self) -> None:
        """Act no more, and let others see that."""
        self._tenure, self._good_until, self.counts.held, self._is_prepared = None, -math.inf, 0, False
        working, self._working = self._working, None
        if working is not None:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        if self._sign is not None:
            os.close(self._sign)
            self._sign = None

    async def _end(self) -> None:
        tenure = self._tenure
        await self._leave()
        if tenure is not None:
            with suppress(Unavailable):  # the lease runs out by itself
                await self._store.write(hosts.give_up, tenure)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        self._awake.clear()


def _seen(tx: Read, host: str) -> tuple[Host | None, bool]:
    found = hosts.get(tx, host)
    return found, found is not None and hosts.is_held(tx, found)
