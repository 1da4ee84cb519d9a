"""Looking now and then whether the directories of stores can be read, and at new ones at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from trivium.base.errors import Unavailable
from trivium.resources import hosts, stores
from trivium.resources.hosts import Tenure
from trivium.resources.stores import ModelStore, StoreState
from trivium.resources.stores.ports import Directories
from trivium.store import Read, Store

LOOK: Final = 30.0  # seconds between two looks at all of them
log = structlog.get_logger()


class StoreWatch:
    """Writes down which stores are there. Of several hosts the first looks: what they see may differ."""

    def __init__(self, store: Store, directories: Directories, tenure: Tenure) -> None:
        self._store = store
        self._directories = directories
        self._tenure = tenure
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look at stores that nobody has looked at yet. From the event loop's own thread."""
        self._awake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        clock = self._store.clock
        while True:
            await self._try(only_new=False)
            until = clock.monotonic() + LOOK
            while (left := until - clock.monotonic()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._awake.wait()
                if self._awake.is_set():
                    self._awake.clear()
                    await self._try(only_new=True)

    async def _try(self, *, only_new: bool) -> None:
        try:
            if only_new and not await self._store.read(stores.is_any_new):
                return
            if await self._store.read(_looks, self._tenure.host):
                found = await self._store.search(stores.everywhere)
                due = [one for one in found if one.state is StoreState.CONNECTING or not only_new]
                looked = await asyncio.gather(*map(self._look, due))
                if not all(looked):
                    log.warning("stores.cannot_look", stores=looked.count(False))
        except Unavailable as error:
            log.warning("stores.wait", error=str(error))
        except Exception:  # an edge: what fails once may go well the next time
            log.exception("stores.look_failed")

    async def _look(self, one: ModelStore) -> bool:
        """Note what is seen; whether anything could be: else what was noted stays."""
        is_there = await self._directories.is_readable(Path(one.path))
        if is_there is None:
            return False
        if one.state is not (StoreState.CONNECTED if is_there else StoreState.DISCONNECTED):
            log.info("store.seen", store=one.uuid.hex, path=one.path, readable=is_there)
            await self._store.write(hosts.held, self._tenure, stores.note_state, one.uuid, reachable=is_there)
        return True


def _looks(tx: Read, host: str) -> bool:
    return min(hosts.held_now(tx), default=host) >= host
