"""What the leader of a host does: its notebooks, node and images, the catalogue's files, and calls of other servers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from trivium.base.caller import Caller
from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.resources import hosts, images, nodes, notebooks
from trivium.resources.hosts import Tenure
from trivium.resources.nodes.ports import NodeFound
from trivium.resources.notebooks import NotebookWorker, World
from trivium.server.background import repeat
from trivium.server.host import builtin_image
from trivium.server.host.drivers import FileDrivers
from trivium.server.host.inventory import take_stock
from trivium.server.http import Part
from trivium.server.remote.runtimes import HostRuntimes
from trivium.server.remote.serving import CallServer
from trivium.store import Flavour, Read, Store, Write, disk_reserve

if TYPE_CHECKING:
    from trivium.server.host.catalogue_work import CatalogueWork

STOCK: Final = 60.0  # seconds between two looks at what the machine has
HOUR: Final = 3600.0
SETTLES: Final = 1.0  # seconds after the first look at the notebooks
log = structlog.get_logger()


class HostWork:
    """The work of a host's leader; fulfils `lease.Work`."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        site: Site,
        *,
        admin: Caller,
        runtime: ProcessRuntime,
        runtimes: HostRuntimes,
        drivers: FileDrivers,
        grace: timedelta,
    ) -> None:
        self._store = store
        self._site = site
        self._admin = admin  # whose the built-in image is
        self._grace = grace
        self._keyring = keyring
        self._runtime = runtime
        self._runtimes = runtimes
        self._drivers = drivers
        self._worker: NotebookWorker | None = None
        self._others: tuple[CallServer | CatalogueWork, ...] = ()  # that are woken, too
        self._furnished = asyncio.Event()
        self._stock_is_taken = False  # since this server leads
        self._other_images: set[tuple[Path, str]] = set()

    def wake(self) -> None:
        """Look again at once. From the event loop's own thread."""
        if self._worker is not None:
            self._worker.wake()
        for other in self._others:
            other.wake()

    def parts(self) -> tuple[Part, ...]:
        """Whether all of the work is under way."""
        worker = self._worker
        looked, trouble = (False, "") if worker is None else (worker.first_look.is_set(), worker.trouble)
        return (
            Part(name="workers", ready=looked, reason="the first look at the notebooks is not over"),
            Part(name="runtime", ready=not trouble, reason=trouble),
            Part(name="images", ready=self._furnished.is_set(), reason="the built-in image is being looked at"),
        )

    async def wait_for_parts(self) -> None:
        """Come back when the parts are ready; at once, where the work has not been begun."""
        if self._worker is not None:
            await self._worker.first_look.wait()
            await self._furnished.wait()

    async def prepare(self, tenure: Tenure) -> None:
        """Take stock of the machine, which is what notebooks are placed by, and hold notebooks to the site's limits.

        A machine that is as it was last is looked at again soon after: a server that starts anew is ready before.
        """
        found, able = await self._look_around()
        self._stock_is_taken = not await self._store.search(_noted, tenure, found=found, able=able)
        if self._stock_is_taken:
            await self._store.write(hosts.held, tenure, _note_stock, tenure, found=found, able=able)
        await self._store.write(hosts.held, tenure, notebooks.apply_limits, tenure.host, self._site)

    async def run(self, tenure: Tenure) -> None:
        """Act until cancelled."""
        world = World(
            tenure=tenure,
            store=self._store,
            runtime=self._runtime,
            keyring=self._keyring,
            site=self._site,
            grace=self._grace,
        )
        worker = self._worker = NotebookWorker(world)
        calls = CallServer(self._store, self._runtime, self._runtime, tenure=tenure)
        self._others = (calls,)
        try:
            async with asyncio.TaskGroup() as tasks:
                for task in self._tasks(tenure, worker, calls):
                    tasks.create_task(task)
                await _settled(worker)
                catalogue = await asyncio.to_thread(self._catalogue_work, tenure)
                self._others = (calls, catalogue)
                for task in (*self._upkeep(tenure), catalogue.run()):
                    tasks.create_task(task)
        finally:
            self._worker, self._others = None, ()

    def _tasks(
        self, tenure: Tenure, worker: NotebookWorker, calls: CallServer
    ) -> tuple[Coroutine[Any, Any, None], ...]:
        common = (
            worker.run(),
            self._runtime.heed(worker.wake),
            self._furnish(tenure, worker),
            repeat("disk reserve", STOCK, lambda: disk_reserve.keep(self._store)),
        )
        return common if self._store.flavour is Flavour.SQLITE else (*common, calls.run())

    def _catalogue_work(self, tenure: Tenure) -> CatalogueWork:
        from trivium.server.host.catalogue_work import CatalogueWork  # noqa: PLC0415 - a server is ready before

        return CatalogueWork(self._store, self._drivers, tenure)

    def _upkeep(self, tenure: Tenure) -> tuple[Coroutine[Any, Any, None], ...]:
        common = (
            repeat("stock", STOCK, lambda: self._take_stock(tenure), after=STOCK if self._stock_is_taken else 0.0),
            repeat("layers", HOUR, lambda: notebooks.drop_unused_layers(self._store, self._runtime)),
        )
        if self._store.flavour is Flavour.SQLITE:
            return common
        return (*common, repeat("images", STOCK, lambda: self._learn(tenure)))

    async def _take_stock(self, tenure: Tenure) -> None:
        found, able = await self._look_around()
        if self._stock_is_taken and await self._store.search(_noted, tenure, found=found, able=able):
            return  # whoever commits ends what all servers have cached
        await self._store.write(hosts.held, tenure, _note_stock, tenure, found=found, able=able)
        self._stock_is_taken = True

    async def _look_around(self) -> tuple[Sequence[NodeFound], str]:
        """The machines, and what the runtime can do, as it is written down."""
        found = await self._runtime.nodes()
        return found, msgspec.json.encode(await self._runtime.capabilities()).decode()

    async def _furnish(self, tenure: Tenure, worker: NotebookWorker) -> None:
        if await self._store.search(builtin_image.is_there, self._site, self._admin):
            self._furnished.set()
            await _settled(worker)  # whether it is up to date may be seen later
        try:
            await builtin_image.ensure(self._store, self._runtime, self._admin, site=self._site, host=tenure.host)
        except Exception:  # an edge: without the built-in image the operator's own still serve
            log.exception("image.built_in_failed")
        self._furnished.set()

    async def _learn(self, tenure: Tenure) -> None:
        """Look which images are on this host too, where there are several."""
        if len(await self._store.read(hosts.held_now)) > 1:
            await images.learn(self._store, self._runtimes, tenure.host, others=self._other_images)


async def _settled(worker: NotebookWorker) -> None:
    """Come back a little after the server is ready: what goes on from then must slow neither it nor its first calls."""
    await worker.first_look.wait()
    await asyncio.sleep(SETTLES)


def _noted(tx: Read, tenure: Tenure, *, found: Sequence[NodeFound], able: str) -> bool:
    return hosts.capabilities_of(tx, tenure.host) == able and nodes.is_noted(tx, found, host=tenure.host)


def _note_stock(tx: Write, tenure: Tenure, *, found: Sequence[NodeFound], able: str) -> None:
    take_stock(tx, found, host=tenure.host)
    hosts.note_capabilities(tx, tenure, able)
