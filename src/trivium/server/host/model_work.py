"""What the leader of a host does for models: it reads the files of new ones, and looks at their stores."""

from __future__ import annotations

import asyncio

from trivium.drivers.artifacts import ArtifactReader
from trivium.resources.hosts import Tenure
from trivium.resources.models import ImportWorker
from trivium.server.host.store_watch import StoreWatch
from trivium.store import Store


class ModelWork:
    """Both, side by side."""

    def __init__(self, store: Store, artifacts: ArtifactReader, tenure: Tenure) -> None:
        self._imports = ImportWorker(store, artifacts, tenure)
        self._watch = StoreWatch(store, artifacts, tenure)

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        self._imports.wake()
        self._watch.wake()

    async def run(self) -> None:
        """Act until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._imports.run())
            tasks.create_task(self._watch.run())
