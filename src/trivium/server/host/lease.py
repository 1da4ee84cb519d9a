"""HostLease the host: of the servers on a data directory one acts, and another takes over when that one is gone."""

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

LOOK: Final = 1.0  # seconds between two looks of a server that stands by
RENEWALS: Final = 4  # of a lease while it lasts
MARGIN: Final = 0.5  # seconds before its end in which nothing is begun any more
log = structlog.get_logger()


class Work(Protocol):
    """What whoever holds the host does."""

    async def prepare(self, tenure: Tenure) -> None:
        """Do what comes before everything else. It may be repeated."""
        ...

    async def run(self, tenure: Tenure) -> None:
        """Act until cancelled."""
        ...


class LeaseCounts:
    """Plain numbers, changed by the event loop."""

    def __init__(self) -> None:
        self.held = 0  # 1 while this server acts
        self.taken = 0  # times
        self.lost = 0


class HostLease:
    """Takes the host when it is free, renews the lease, and does the work meanwhile. Used from one event loop.

    `epoch` is by what right the keeper is asked to act: it raises `NotHolding` once the lease may have run out, be it
    that another server has taken over or that the database does not answer.
    """

    def __init__(self, store: Store, mine: Identity) -> None:
        self.stands_by = False  # some other server acts on the host
        self.counts = LeaseCounts()
        self._store = store
        self._mine = mine
        self._work: Work | None = None
        self._data = Path(mine.data)
        self._lease = LEASES[store.flavour].total_seconds()
        self._tenure: Tenure | None = None
        self._good_until = -math.inf
        self._sign: int | None = None  # the open file that shows that we live
        self._working: asyncio.Task[None] | None = None
        self._foreign: datetime | None = None  # until when another machine's server had it when we first looked
        self._awake = asyncio.Event()

    @property
    def is_ours(self) -> bool:
        """Whether this server acts on the host."""
        return self._tenure is not None

    def epoch(self) -> int:
        """By what right the host's keeper is asked to act. `NotHolding`."""
        if self._tenure is None or self._store.clock.monotonic() >= self._good_until:
            raise NotHolding("this server does not hold the host, or cannot tell whether it does", host=self._mine.id)
        return self._tenure.epoch

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._awake.set()

    async def begin(self, work: Work) -> None:
        """Take the host, or find that another server of this machine has it. Raises `HostElsewhere` for any other."""
        self._work = work
        while not await self._look():
            await self._pause(LOOK)

    async def run(self) -> None:
        """Go on until cancelled; raises what ended the work."""
        try:
            while True:
                if self._working is not None and self._working.done():
                    self._working.result()
                await self._pause(LOOK if self._tenure is None else self._lease / RENEWALS)
                try:
                    await self._look()
                except Unavailable as error:
                    log.warning("host.undecided", error=str(error))
                    await asyncio.sleep(LOOK)
        finally:
            await self._end()

    async def _look(self) -> bool:
        """Renew, take, or leave it; False when it cannot be told yet whose the host is."""
        if self._tenure is not None:
            if await self._renew(self._tenure):
                await self._begin_work(self._tenure)
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
        """Whether whoever has the host, by a lease that holds, is known to be dead."""
        if self._store.flavour is Flavour.SQLITE:
            return True  # the directory is ours alone
        if host.machine == self._mine.machine:
            return directory.is_dead(self._data, host.epoch)
        self._foreign = self._foreign or host.lease_until
        if host.lease_until > self._foreign:
            message = f"a server on the machine {host.name} works on {self._data}; each machine needs its own directory"
            raise HostElsewhere(message, machine=host.name, data=str(self._data))
        return False

    async def _take(self, since: int) -> bool:
        sign = directory.show_alive(self._data, since + 1)
        if sign is None:
            return False
        asked = self._store.clock.monotonic()
        try:
            tenure = await self._store.write(hosts.take, self._mine, worker=self._store.worker, since=since)
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
        await self._begin_work(tenure)
        return True

    async def _begin_work(self, tenure: Tenure) -> None:
        if self._working is None and self._work is not None:
            await self._work.prepare(tenure)
            self._working = asyncio.create_task(self._work.run(tenure), name="host")
            self._working.add_done_callback(lambda _: self.wake())

    async def _renew(self, tenure: Tenure) -> bool:
        asked = self._store.clock.monotonic()
        # In a thread of its own: writes that wait for each other must not cost us the host.
        if await asyncio.to_thread(self._store.write_now, hosts.renew, tenure, worker=self._store.worker):
            self._prolong(asked)
            return True
        return False

    def _prolong(self, asked: float) -> None:
        alone_here = self._store.flavour is Flavour.SQLITE
        self._good_until = math.inf if alone_here else asked + self._lease - MARGIN

    async def _leave(self) -> None:
        """Act no more, and let go."""
        self._tenure, self._good_until, self.counts.held = None, -math.inf, 0
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
