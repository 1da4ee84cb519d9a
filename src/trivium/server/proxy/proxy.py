"""The proxy: a listener for notebooks, and the watch over those who are in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from trivium.base.clock import Clock
from trivium.server.proxy.access import Access, Admission
from trivium.server.proxy.connection import Connection, Connections
from trivium.server.proxy.context import Context
from trivium.server.proxy.metrics import Metrics
from trivium.server.proxy.problems import Problem
from trivium.server.proxy.settings import ProxySettings

_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))  # seconds, seconds, tries
_BACKLOG = 2048


class Proxy:
    """Carries HTTP/1.1 and WebSocket between people and their notebooks. To be made inside the running event loop."""

    def __init__(self, access: Access, settings: ProxySettings, *, log: FilteringBoundLogger, clock: Clock) -> None:
        self._access = access
        self._settings = settings
        self._context = Context(access, settings, log=log, clock=clock)
        self._connections = Connections()
        self._servers: list[asyncio.Server] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._withdrawn = asyncio.Event()

    @property
    def metrics(self) -> Metrics:
        """What was counted so far."""
        return self._context.metrics

    async def start(self, host: str, port: int) -> int:
        """Listen, and say on which port (0 asks for any). Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, _, _, _, address in found:
                listener = _listener(family, (address[0], port, *address[2:]))
                port = listener.getsockname()[1]  # the others of the name listen on the same
                self._servers.append(await loop.create_server(self._accept, sock=listener, backlog=_BACKLOG))
        except OSError:
            self._shut()
            raise
        self._watchers = [
            loop.create_task(self._repeat(self._settings.sweep, self._sweep)),
            loop.create_task(self._repeat(self._settings.recheck, self._recheck)),
            loop.create_task(self._repeat(timedelta(), self._recheck_when_told)),
        ]
        return port

    async def stop(self, grace: timedelta) -> None:
        """Stop listening, close what is idle and all WebSockets, and give requests under way `grace` to end."""
        self._context.draining = True
        self._shut()
        for connection in self._connections:
            connection.drain()
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._connections.wait_for_none()
        except TimeoutError:
            for connection in self._connections:
                connection.abort()
            await self._connections.wait_for_none()
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._context.upstreams.drop()
        self._context.request_log.flush()

    def close(self, *, notebook: str | None = None, subject: str | None = None) -> int:
        """Cut the requests and WebSockets that lead to a notebook, go back to a subject, or both. Returns how many.

        `notebook` is spelt as in the address.
        """
        if notebook is not None and subject is None:
            self._context.upstreams.drop(notebook)
        if notebook is None and subject is None:
            return 0
        return self._cut(
            lambda admission: notebook in {None, admission.endpoint.notebook} and subject in {None, admission.subject}
        )

    def look_again(self) -> None:
        """Ask anew, now, for everybody who is in: somebody may have lost a right. From the event loop's own thread."""
        self._withdrawn.set()

    def _accept(self) -> asyncio.Protocol:
        return Connection(self._context, self._connections).front

    def _shut(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _cut(self, is_meant: Callable[[Admission], bool]) -> int:
        cut = 0
        for connection in self._connections:
            admission = connection.admission
            if admission is not None and is_meant(admission):
                connection.interrupt(Problem(503, "proxy.unreachable"))
                cut += 1
        self._context.metrics.cut += cut
        return cut

    async def _sweep(self) -> None:
        now = self._context.loop.time()
        for connection in self._connections:
            connection.sweep(now)
        self._context.upstreams.sweep(now)

    async def _recheck(self) -> None:
        """Ask anew for whoever is in for longer than the time between two checks."""
        await self._ask_anew(self._context.loop.time() - self._settings.recheck.total_seconds())

    async def _recheck_when_told(self) -> None:
        await self._withdrawn.wait()
        self._withdrawn.clear()
        await self._ask_anew(self._context.loop.time())

    async def _ask_anew(self, oldest: float) -> None:
        in_use = {
            connection.admission
            for connection in self._connections
            if connection.began is not None and connection.began <= oldest
        }
        admissions = tuple(admission for admission in in_use if admission is not None)
        if admissions:
            answers = await self._access.still_admitted(admissions)
            withdrawn = {one for one, holds in zip(admissions, answers, strict=True) if not holds}
            self._cut(withdrawn.__contains__)

    async def _repeat(self, every: timedelta, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                await step()
            except Exception:  # the edge: what cannot be told now changes nothing
                self._context.log.exception("proxy.watch")


def _listener(family: int, address: tuple[str | int, ...]) -> socket.socket:
    """A listening socket whose connections notice a client that vanished."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
