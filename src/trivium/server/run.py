"""The server: everything that runs from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Final

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.dialects.operation import Core
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.resources import notebooks, users
from trivium.resources.notebooks import NotebookWorker, World
from trivium.server import logs
from trivium.server.access import GrantAccess
from trivium.server.admin.bootstrap import PASSWORD_VARIABLE, First, ensure_site
from trivium.server.admin.opening import prepare
from trivium.server.alone import alone
from trivium.server.background import repeat, watch
from trivium.server.compose import dialects_of, proxy_settings_of, runtime_of, site_of
from trivium.server.furnishing import furnish_image, has_built_in, take_stock
from trivium.server.greeting import greeting
from trivium.server.http import ASGI, Bound, Metrics, Part, Patience, Platform, bind, build_app, serve
from trivium.server.proxy import Proxy, ProxyCollector
from trivium.server.settings import Settings
from trivium.store import Store

DRAIN: Final = timedelta(seconds=2)  # what the proxy's clients have, of the five seconds that an end may take
GRACE: Final = 2  # what the APIs' clients have, in seconds
BEAT: Final = 20.0  # seconds between two renewals of the lease on the worker bits
STOCK: Final = 60.0  # seconds between two looks at what the machine has
PURGE: Final = 3600.0
SESSIONS_KEPT: Final = timedelta(days=30)  # after they ran out
log = structlog.get_logger()


def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises what keeps a server from starting."""
    logs.set_up(settings.log.level.value, logs.Form(settings.log.format.value))
    prepare(settings)
    with alone(settings.data) as host:
        listener = bind(settings.server.host, settings.server.port)
        store = Store.open(settings.database_url, SystemClock(), "server")
        try:
            keyring = store.read_now(users.find_keyring, settings.key_file)
            first = ensure_site(store, keyring, settings, password=os.environ.get(PASSWORD_VARIABLE))
            serving = _Serving(settings, store, keyring, host=host, first=first)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serving.run(listener))
        finally:
            store.close()


class _Serving:
    """One run of the server, on an open store and within the event loop."""

    def __init__(self, settings: Settings, store: Store, keyring: Keyring, *, host: str, first: First) -> None:
        self._settings = settings
        self._store = store
        self._keyring = keyring
        self._host = host
        self._first = first
        self._runtime: ProcessRuntime = runtime_of(settings, store.clock)
        self._stop = asyncio.Event()
        self._furnished = False

    async def run(self, listener: Bound) -> None:
        """Start every part, serve, and end every part; notebooks go on running."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await self._take_stock()
        proxy = self._proxy(listener.port)
        proxy_port = await proxy.start(self._settings.server.host, self._settings.server.proxy_port)
        site = site_of(self._settings, self._store.clock, port=listener.port, proxy_port=proxy_port)
        world = World(
            store=self._store,
            runtime=self._runtime,
            keyring=self._keyring,
            site=site,
            grace=self._settings.notebooks.stop_grace,
        )
        await self._store.write(notebooks.apply_limits, self._host, site)
        worker = NotebookWorker(world, host=self._host)
        self._store.on_wake = lambda _name: _wake(loop, worker)
        background = [loop.create_task(task) for task in self._background(worker, site)]
        for task in background:
            watch(task, self._stop)
        try:
            print(greeting(self._settings, site, made=self._first.made), flush=True)  # noqa: T201 - to the operator
            await serve(self._app(worker, site, proxy=proxy), [listener], self._stop, patience=Patience(grace=GRACE))
            await proxy.stop(DRAIN)
        finally:
            self._store.on_wake = None
            for task in background:
                task.cancel()
            ends = await asyncio.gather(*background, return_exceptions=True)
            await self._runtime.close()
        for fault in ends:
            if isinstance(fault, Exception):
                raise fault

    def _proxy(self, port: int) -> Proxy:
        site = site_of(self._settings, self._store.clock, port=port, proxy_port=0)
        access = GrantAccess(self._store, self._runtime, self._keyring)
        return Proxy(access, proxy_settings_of(self._settings, site), log=log)

    def _app(self, worker: NotebookWorker, site: Site, *, proxy: Proxy) -> ASGI:
        core = Core(
            store=self._store,
            keyring=self._keyring,
            clock=self._store.clock,
            site=site,
            runtime=self._runtime,
            environments=self._runtime,
        )
        registry = CollectorRegistry()
        registry.register(ProxyCollector(proxy.metrics))
        metrics = Metrics(registry)
        self._store.on_wait = metrics.store_waited

        async def readiness() -> tuple[Part, ...]:
            return await self._readiness(worker)

        async def counted() -> Mapping[str, int]:
            return await self._store.search(notebooks.by_status)

        platform = Platform(version=version("trivium"), metrics=metrics, readiness=readiness, notebooks=counted)
        return build_app(dialects_of(core, self._settings), platform)

    async def _readiness(self, worker: NotebookWorker) -> tuple[Part, ...]:
        try:
            await self._store.read(users.oldest_admin)
            store = Part(name="store", ready=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is why we are not ready
            store = Part(name="store", ready=False, reason=f"the database does not answer: {error}")
        return (
            store,
            Part(name="proxy", ready=True),
            Part(name="workers", ready=worker.looked > 0, reason="the first look at the notebooks is not over"),
            Part(name="runtime", ready=not worker.trouble, reason=worker.trouble),
            Part(name="images", ready=self._furnished, reason="the built-in image is being looked at"),
        )

    def _background(self, worker: NotebookWorker, site: Site) -> tuple[Coroutine[Any, Any, None], ...]:
        return (
            worker.run(),
            self._furnish(site),
            repeat("stock", STOCK, self._take_stock),
            repeat("beat", BEAT, lambda: asyncio.to_thread(self._store.beat)),
            repeat("purge", PURGE, self._purge),
        )

    async def _take_stock(self) -> None:
        found = await self._runtime.nodes()
        await self._store.write(take_stock, found, host=self._host)

    async def _furnish(self, site: Site) -> None:
        self._furnished = await self._store.search(has_built_in)  # whether it is up to date may be seen later
        try:
            await furnish_image(self._store, self._runtime, self._first.admin, site=site)
        except Exception:  # an edge: without the built-in image the operator's own still serve
            log.exception("image.built_in_failed")
        self._furnished = True

    async def _purge(self) -> None:
        await self._store.write(users.purge, self._store.clock.now() - SESSIONS_KEPT)


def _wake(loop: asyncio.AbstractEventLoop, worker: NotebookWorker) -> None:
    """Wake the worker from the thread that committed something; a loop that ended has nobody to wake."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(worker.wake)
