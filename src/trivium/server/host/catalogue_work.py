"""What the leader of a host does for models and datasets: it reads, writes and deletes files, and looks at stores."""

from __future__ import annotations

import asyncio
from typing import Final

from trivium.resources import samples, transfers
from trivium.resources.hosts import Tenure
from trivium.resources.models import ImportWorker
from trivium.resources.transfers import FileDeletionWorker, SampleExportWorker, SampleImportWorker
from trivium.server.background import repeat
from trivium.server.host.drivers import FileDrivers
from trivium.server.host.store_watch import StoreWatch
from trivium.store import Store

PURGE: Final = 30.0  # seconds between two looks for what deleted datasets and labels left


class CatalogueWork:
    """All of it, side by side."""

    def __init__(self, store: Store, drivers: FileDrivers, tenure: Tenure) -> None:
        self._store = store
        self._imports = ImportWorker(store, drivers.artifacts, tenure)
        self._samples = SampleImportWorker(store, drivers.sources, tenure)
        self._exports = SampleExportWorker(store, drivers.sinks, tenure)
        self._deletions = FileDeletionWorker(store, drivers.remover, tenure)
        self._watch = StoreWatch(store, drivers.directories, tenure)

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._imports.wake()
        self._samples.wake()
        self._exports.wake()
        self._deletions.wake()
        self._watch.wake()

    async def run(self) -> None:
        """Act until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._imports.run())
            tasks.create_task(self._samples.run())
            tasks.create_task(self._exports.run())
            tasks.create_task(self._deletions.run())
            tasks.create_task(self._watch.run())
            tasks.create_task(repeat("leftovers of datasets", PURGE, self._purge))

    async def _purge(self) -> None:
        for room in (samples, transfers):
            if await self._store.read(room.is_anything_left):
                while await self._store.write(room.purge):
                    pass  # a transaction for some at a time, so that nobody waits for long
