"""Reading the files of models from a command, where no server is there to do it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from trivium.resources import hosts
from trivium.resources.hosts import Identity, Tenure
from trivium.resources.models import ImportWorker
from trivium.resources.models.ports import Artifacts
from trivium.server.host.directory import AnotherServer, lock_exclusively, lock_shared, machine_id
from trivium.server.host.lease import HostLease
from trivium.store import Flavour, Read, Store

LOOK: Final = 0.5  # seconds between two looks


class SoloImports:
    """Reads the imports of a data directory until something is over; fulfils `lease.Work`.

    What acts on a host is one process: it is found by the same locks and the same lease as among servers. Where there
    is a server already, or one comes, that one reads, and goes on from where this process was.
    """

    def __init__(self, store: Store, artifacts: Artifacts, *, is_over: Callable[[], Awaitable[bool]]) -> None:
        self._store = store
        self._artifacts = artifacts
        self._is_over = is_over

    async def read_or_wait(self, data: Path) -> None:
        """Come back when it is over. Raises `HostElsewhere` where a server of another machine has the directory."""
        lock = lock_exclusively if self._store.flavour is Flavour.SQLITE else lock_shared
        with suppress(AnotherServer), lock(data) as host:
            await self._read(_identity(host, data))
        await self._wait(lambda: True)

    async def prepare(self, tenure: Tenure) -> None:
        """There is nothing to prepare."""

    async def run(self, tenure: Tenure) -> None:
        """Read until cancelled."""
        await ImportWorker(self._store, self._artifacts, tenure).run()

    async def _read(self, mine: Identity) -> None:
        """Read as the host's leader until it is over, or a server comes."""
        if await self._store.read(_has_server, mine.id):
            return
        lease = HostLease(self._store, mine)
        await lease.begin(self)
        keeping = asyncio.create_task(lease.run())
        try:
            await self._wait(lambda: lease.is_ours and not keeping.done(), unless_on=mine.id)
        finally:
            keeping.cancel()
            ended = await asyncio.gather(keeping, return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault

    async def _wait(self, goes_on: Callable[[], bool], unless_on: str | None = None) -> None:
        """Until it is over, it goes on no more, or a server is on that host."""
        while goes_on() and not await self._is_over():
            if unless_on is not None and await self._store.read(_has_server, unless_on):
                return
            await asyncio.sleep(LOOK)


def _identity(host: str, data: Path) -> Identity:
    return Identity(id=host, name=socket.gethostname(), machine=machine_id(), data=str(data.resolve()))


def _has_server(tx: Read, host: str) -> bool:
    return any(one.server is not None and one.host is not None and one.host.id == host for one in hosts.standing(tx))
