"""The server: everything that runs from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any, Final

import structlog
import uvloop

from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.dialects.operation import Core
from trivium.drivers.runtimes.process import capabilities
from trivium.resources import hosts, nodes, notebooks, operations, users
from trivium.resources.hosts import Identity
from trivium.server import logs
from trivium.server.access import GrantAccess
from trivium.server.admin.bootstrap import PASSWORD_VARIABLE, First, ensure_site
from trivium.server.admin.folders import prepare
from trivium.server.background import once, repeat, watch
from trivium.server.compose import (
    dialects_of,
    file_drivers_of,
    peer_address_of,
    proxy_settings_of,
    runtime_of,
    site_of,
)
from trivium.server.crowd import Crowd, room
from trivium.server.greeting import greeting
from trivium.server.host.directory import lock_exclusively, lock_shared, machine_id
from trivium.server.host.lease import HostLease
from trivium.server.host.work import HostWork
from trivium.server.http import App, Bound, Metrics, Part, Patience, Platform, bind, refused, serve
from trivium.server.proxy import Proxy
from trivium.server.remote.runtimes import HostRuntimes
from trivium.server.settings import Settings
from trivium.store import Flavour, Store, Write
from trivium.store.database import flavour_of
from trivium.store.notifications import EVERYTHING
from trivium.store.servers import LEASES

log = structlog.get_logger()
DRAIN: Final = timedelta(seconds=2)  # what the proxy's clients have, of the five seconds that an end may take
GRACE: Final = 2  # what the APIs' clients have, in seconds
HELD: Final = 0.5  # seconds that who connects meanwhile waits, rather than to hear 503 and ask again
SOON: Final = 20.0  # seconds: after a start, and between two tries
RENEWALS: Final = 3  # of the lease on the worker bits while it lasts
AWAY: Final = 5.0  # seconds between two looks for hosts that nobody acts on
FOLD: Final = 1.0  # seconds between two times that what the counters noted is folded
LOADS: Final = 0.1  # seconds after the listener begins that the dialects are loaded, if nobody needed them before
PURGE: Final = 3600.0
PURGING: Final = 7_239_514_605_131_042  # the number of that duty
SESSIONS_KEPT: Final = timedelta(days=30)  # after they ran out


def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises what keeps a server from starting."""
    logs.set_up(settings.log.level.value, logs.Form(settings.log.format.value))
    prepare(settings)
    capabilities.trial()  # in a process of its own, while we go on
    lock = lock_exclusively if flavour_of(settings.database_url) is Flavour.SQLITE else lock_shared
    with lock(settings.data) as host:
        listener = bind(settings.server.host, settings.server.port)
        store = Store.open(settings.database_url, SystemClock(), "server")
        try:
            keyring = store.read_now(users.find_keyring, settings.key_file)
            if settings.key_file.exists():
                store.read_now(users.check_keyring, Keyring.at(settings.key_file))
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
        self._first = first
        data = str(settings.data.resolve())
        self._mine = Identity(id=host, name=socket.gethostname(), machine=machine_id(), data=data)
        self._lease = HostLease(store, self._mine)
        self._runtime = runtime_of(settings, store.clock, self._lease.epoch)
        self._runtimes = HostRuntimes(store, self._runtime, host=host)
        self._stop = asyncio.Event()

    async def run(self, listener: Bound) -> None:
        """Start every part, serve, and end every part; notebooks go on running."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._runtime.look_around()
        proxy = self._proxy(listener.port)
        proxy_port = await self._listen(proxy)
        await self._announce(proxy_port)
        site = site_of(self._settings, self._store.clock, port=listener.port, proxy_port=proxy_port)
        work = HostWork(
            self._store,
            self._keyring,
            site,
            admin=self._first.admin,
            runtime=self._runtime,
            runtimes=self._runtimes,
            drivers=file_drivers_of(self._settings),
            grace=self._settings.notebooks.stop_grace,
        )
        await self._lease.begin(work)
        self._store.on_wake = lambda name: _tell(loop, lambda: self._heard(name, work, proxy))
        background = [loop.create_task(task) for task in self._background()]
        for task in background:
            watch(task, self._stop)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(HELD):
                    await work.wait_for_parts()
            print(greeting(self._settings, site, made=self._first.made), flush=True)  # noqa: T201 - to the operator
            metrics = Metrics()
            app = self._app(work, site, proxy=proxy, metrics=metrics)
            if self._first.made:
                await self._ensure_stores()  # who asks first finds them
            background.append(loop.create_task(self._loaded(app)))
            watch(background[-1], self._stop)
            crowd = Crowd("apis", room().apis, counts=metrics.crowding, log=log, now=loop.time)
            await serve(app, [listener], self._stop, crowd=crowd, patience=Patience(grace=GRACE))
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

    async def _listen(self, proxy: Proxy) -> int:
        """The port on which the proxy listens. Raises `AddressTaken`."""
        server = self._settings.server
        try:
            return await proxy.start(server.host, server.proxy_port)
        except OSError as error:
            raise refused(server.host, server.proxy_port, error) from error

    async def _announce(self, proxy_port: int) -> None:
        address = peer_address_of(self._settings, self._runtime.address(), proxy_port)
        await self._store.write(self._store.announce, host=self._mine.id, proxy_address=address)

    def _heard(self, name: str, work: HostWork, proxy: Proxy) -> None:
        """Something was done that others wait for, here or in another process."""
        if name in (hosts.RESULTS, EVERYTHING):
            self._runtimes.answered()
        if name in (hosts.CHANGED, EVERYTHING):
            self._lease.wake()
        if name in (users.WITHDRAWN, EVERYTHING):
            proxy.look_again()
        if name not in (hosts.RESULTS, hosts.CHANGED, users.WITHDRAWN):
            work.wake()

    def _proxy(self, port: int) -> Proxy:
        site = site_of(self._settings, self._store.clock, port=port, proxy_port=0)
        access = GrantAccess(self._store, self._runtime, self._keyring, host=self._mine.id)
        return Proxy(access, proxy_settings_of(self._settings, site), log=log, clock=self._store.clock)

    def _app(self, work: HostWork, site: Site, *, proxy: Proxy, metrics: Metrics) -> App:
        core = Core(
            store=self._store,
            keyring=self._keyring,
            clock=self._store.clock,
            site=site,
            runtime=self._runtimes,
            places=self._runtimes,
        )
        self._store.on_wait = metrics.store_waited

        async def readiness() -> tuple[Part, ...]:
            return await self._readiness(work)

        async def counted() -> Mapping[str, int]:
            return await self._store.search(notebooks.by_status)

        def exposition(notebooks: Mapping[str, int]) -> bytes:
            from trivium.server import exposition as prometheus  # noqa: PLC0415 - takes long to import

            found = prometheus.Counted(metrics, proxy.metrics, self._lease.counts, notebooks=notebooks)
            return prometheus.exposition(found)

        platform = Platform(
            version=_version, metrics=metrics, exposition=exposition, readiness=readiness, notebooks=counted
        )
        return App(lambda: dialects_of(core, self._settings), platform)

    async def _loaded(self, app: App) -> None:
        """Load the dialects beside the first answers, and do what is theirs to do besides answering.

        Importing them is a fifth of what a start would cost.
        """
        await asyncio.sleep(LOADS)
        dialects = (await asyncio.to_thread(app.load)).dialects
        await once("stores of models", SOON, self._ensure_stores)
        from trivium.server import hooks  # noqa: PLC0415 - it is a dialect's

        await hooks.send_on(self._store, dialects)

    async def _ensure_stores(self) -> None:
        from trivium.server.admin.store_roots import ensure_stores_beside  # noqa: PLC0415 - it takes the catalogue's rooms

        await ensure_stores_beside(self._store, self._settings, self._first.admin)

    async def _readiness(self, work: HostWork) -> tuple[Part, ...]:
        try:
            await self._store.read(users.oldest_admin)
            store = Part(name="store", ready=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is why we are not ready
            store = Part(name="store", ready=False, reason=f"the database does not answer: {error}")
        held = Part(
            name="host",
            ready=self._lease.is_ours or self._lease.stands_by,
            reason="no server acts on this host's notebooks",
        )
        return (store, Part(name="proxy", ready=True), held, *(work.parts() if self._lease.is_ours else ()))

    async def _note_away(self) -> None:
        """Place nothing on hosts that nobody acts on. Every server may do it, and as often as it likes."""
        away = await self._store.read(hosts.away)
        if away:
            await self._store.write(nodes.note_away, away)

    async def _purge(self) -> None:
        while await self._store.write(_purge, self._settings.notebooks.keep_deleted):
            pass  # a transaction for some at a time, so that nobody waits for long

    def _background(self) -> tuple[Coroutine[Any, Any, None], ...]:
        renewal = LEASES[self._store.flavour].total_seconds() / RENEWALS
        common = (
            self._lease.run(),
            repeat("worker bits", renewal, lambda: asyncio.to_thread(self._store.renew_lease), after=renewal),
            repeat("purge", PURGE, self._purge, after=SOON),
        )
        if self._store.flavour is Flavour.SQLITE:
            return common
        return (
            *common,
            self._store.listen(),
            repeat("counters", FOLD, lambda: asyncio.to_thread(self._store.fold)),
            repeat("away", AWAY, self._note_away),
        )


@cache
def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - takes long to import

    return version("trivium")


def _purge(tx: Write, kept: timedelta) -> bool:
    """Forget what ended or was deleted long ago, one server for all; whether there is more of it."""
    if not tx.try_advisory_lock(PURGING):
        return False
    users.purge(tx, tx.now - SESSIONS_KEPT)
    forgotten = operations.purge(tx)
    return notebooks.purge(tx, tx.now - kept) or forgotten > 0


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call in the event loop, from whichever thread committed something; a loop that ended has nobody to tell."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
