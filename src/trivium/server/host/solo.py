"""Doing the work of a host from a command, where no server is there to do it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from trivium.resources import hosts
from trivium.resources.hosts import Identity, Standing, Tenure
from trivium.server.host.directory import AnotherServer, is_dead, lock_exclusively, lock_shared, machine_id
from trivium.server.host.lease import HostLease
from trivium.store import Flavour, Read, Store

LOOK: Final = 0.5  # seconds between two looks


class Solo:
    """Does some of the work of a data directory's host until something is over; fulfils `lease.Work`.

    What acts on a host is one process: it is found by the same locks and the same lease as among servers. Where there
    is a server already, or one comes, that one works, and goes on from where this process was.

    On PostgreSQL this process goes on when no server is left. With SQLite it leaves that to the next server, which must
    find the directory free when it starts.
    """

    def __init__(
        self, store: Store, work: Callable[[Tenure], Awaitable[None]], *, is_over: Callable[[], Awaitable[bool]]
    ) -> None:
        self._store = store
        self._work = work
        self._is_over = is_over
        self._dead: set[tuple[int | None, int | None]] = set()  # worker bits and pids of leaders that were killed

    async def work_or_wait(self, data: Path) -> None:
        """Come back when it is over. Raises `HostElsewhere` where a server of another machine has the directory."""
        if self._store.flavour is Flavour.SQLITE:
            with suppress(AnotherServer), lock_exclusively(data) as host:
                await self._lead(_identity(host, data))
            await self._wait(lambda: True)
            return
        with lock_shared(data) as host:
            while not await self._is_over():
                await self._lead(_identity(host, data))
                await asyncio.sleep(LOOK)

    async def prepare(self, tenure: Tenure) -> None:
        """There is nothing to prepare."""

    async def run(self, tenure: Tenure) -> None:
        """Work until cancelled."""
        await self._work(tenure)

    async def _lead(self, mine: Identity) -> None:
        """Work as the host's leader until it is over, or a server comes."""
        # With SQLite none can be there: we have the directory locked. One that was killed may still be written down.
        rival = None if self._store.flavour is Flavour.SQLITE else mine
        if rival is not None and await self._has_server(rival):
            return
        lease = HostLease(self._store, mine)
        await lease.begin(self)
        keeping = asyncio.create_task(lease.run())
        try:
            await self._wait(lambda: lease.is_ours and not keeping.done(), unless_on=rival)
        finally:
            keeping.cancel()
            ended = await asyncio.gather(keeping, return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault

    async def _wait(self, goes_on: Callable[[], bool], unless_on: Identity | None = None) -> None:
        """Until it is over, it goes on no more, or a server is on that host."""
        while goes_on() and not await self._is_over():
            if unless_on is not None and await self._has_server(unless_on):
                return
            await asyncio.sleep(LOOK)

    async def _has_server(self, mine: Identity) -> bool:
        """Whether a server is on that host. One that was killed is written down for a minute more."""
        found = await self._store.read(_servers_on, mine.id)
        self._dead |= {(one.server, one.pid) for one in found if _was_killed(one, mine)}
        return any((one.server, one.pid) not in self._dead for one in found)


def _identity(host: str, data: Path) -> Identity:
    return Identity(id=host, name=socket.gethostname(), machine=machine_id(), data=str(data.resolve()))


def _servers_on(tx: Read, host: str) -> Sequence[Standing]:
    return [
        one for one in hosts.standing(tx) if one.server is not None and one.host is not None and one.host.id == host
    ]


def _was_killed(server: Standing, mine: Identity) -> bool:
    """Whether a server is known to have ended: it led the host last, and on this machine."""
    host = server.host
    if host is None or host.holder != server.server or host.machine != mine.machine:
        return False
    return is_dead(Path(mine.data), host.epoch)
