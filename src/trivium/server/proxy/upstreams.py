"""Connections to notebooks: opened when needed, kept for the next request, never used for another endpoint."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from trivium.server.proxy.access import Access, Admission, Endpoint
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.problems import Problem
from trivium.server.proxy.settings import ProxySettings
from trivium.server.proxy.targets import OtherProxy, OwnedPort, Target, UnixSocket

_Key = tuple[Endpoint, Target]
_MOST_HOSTS = 1024
_YOUNG = 1.0  # seconds without use in which no server closes a connection, so that what cannot be repeated may use it


class Upstream:
    """A connection to a notebook. While it is idle it is its own sink: whatever a notebook sends then spoils it."""

    def __init__(self, key: tuple[Endpoint, Target], loop: asyncio.AbstractEventLoop) -> None:
        self.key = key
        self.reused = False  # it may have been closed by the notebook a moment ago, without a fault on any side
        self.channel = Channel(loop, self)
        self._is_spoilt = False

    @property
    def is_usable(self) -> bool:
        """Whether it can be used once more."""
        channel = self.channel
        return not (channel.ended or self._is_spoilt or channel.transport.is_closing())

    def take(self, data: bytes) -> None:
        """Bytes while no request is under way: the connection is not used again."""
        del data
        self._is_spoilt = True
        self.channel.abort()

    def end(self) -> None:
        """Closed while it was idle."""


class Upstreams:
    """The connections to notebooks."""

    def __init__(self, access: Access, settings: ProxySettings) -> None:
        self._access = access
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._idle: defaultdict[_Key, list[Upstream]] = defaultdict(list)
        self._retired: dict[Channel, float] = {}  # closing, and since when
        self._hosts: dict[OwnedPort, str] = {}  # where the notebook's own processes listen, as found last

    def take(self, admission: Admission, *, repeatable: bool) -> Upstream | None:
        """An unused connection to the endpoint; None when there is none that is good enough."""
        kept = self._idle.get((admission.endpoint, admission.target))
        while kept:
            upstream = kept.pop()
            if upstream.is_usable:
                if repeatable or self._loop.time() - upstream.channel.moved <= _YOUNG:
                    upstream.reused = True
                    return upstream
                kept.append(upstream)  # the one that was used last: no other is younger
                return None
            upstream.channel.abort()
        return None

    async def connect(self, admission: Admission) -> Upstream:
        """A new connection. Raises `Problem` (502 to 504)."""
        target = admission.target
        upstream = Upstream((admission.endpoint, target), self._loop)
        try:
            async with asyncio.timeout(self._settings.connect_timeout.total_seconds()):
                await self._open(target, upstream.channel)
        except TimeoutError as error:
            raise Problem(504, "proxy.late") from error
        except (ConnectionRefusedError, FileNotFoundError) as error:
            raise Problem(503, "proxy.unreachable") from error
        except OSError as error:
            raise Problem(502, "proxy.unreachable") from error
        return upstream

    def give_back(self, upstream: Upstream) -> None:
        """Take back a connection whose request was answered in full, for the next one."""
        kept = self._idle[upstream.key]
        if upstream.is_usable and len(kept) < self._settings.idle_upstreams:
            upstream.channel.sink = upstream
            upstream.channel.moved = self._loop.time()
            kept.append(upstream)
        else:
            self.retire(upstream)

    def retire(self, upstream: Upstream) -> None:
        """Close a connection once all is sent, or after `linger` anyway."""
        channel = upstream.channel
        channel.sink = upstream
        if not channel.lost:
            channel.close()
            self._retired[channel] = self._loop.time()

    def drop(self, notebook: str | None = None) -> None:
        """Close the unused connections to a notebook, or to all."""
        for key in [key for key in self._idle if notebook is None or key[0].notebook == notebook]:
            for upstream in self._idle.pop(key):
                upstream.channel.abort()
        self._hosts.clear()

    def sweep(self, now: float) -> None:
        """Close connections that were idle for too long, and those that do not come to be closed."""
        oldest = now - self._settings.upstream_idle.total_seconds()
        for key, unused in list(self._idle.items()):
            kept = [upstream for upstream in unused if upstream.is_usable and upstream.channel.moved >= oldest]
            for upstream in unused:
                if upstream not in kept:
                    upstream.channel.abort()
            if kept:
                self._idle[key] = kept
            else:
                del self._idle[key]
        if len(self._hosts) > _MOST_HOSTS:
            self._hosts.clear()
        patience = now - self._settings.linger.total_seconds()
        for channel, since in list(self._retired.items()):
            if channel.lost:
                del self._retired[channel]
            elif since < patience:
                channel.abort()

    async def _open(self, target: Target, channel: Channel) -> None:
        loop = self._loop
        match target:
            case UnixSocket(path=path):
                await loop.create_unix_connection(lambda: channel, str(path))
            case OwnedPort():
                await self._open_owned(target, channel)
            case OtherProxy(host=host, port=port):
                await loop.create_connection(lambda: channel, host, port)

    async def _open_owned(self, target: OwnedPort, channel: Channel) -> None:
        """Connect, and see who accepted: nothing is sent to anybody else."""
        host = self._hosts.get(target) or await self._access.find_host(target)
        if host is not None:
            self._hosts[target] = host  # until it proves wrong
            try:
                await self._loop.create_connection(lambda: channel, host, target.port)
                here: tuple[str, int] = channel.transport.get_extra_info("sockname")
                if await self._access.is_accepted(target, host, (here[0], here[1])):
                    return
            except BaseException:
                self._forget(target, channel)
                raise
            self._forget(target, channel)
        raise Problem(503, "proxy.service_silent", port=target.port)

    def _forget(self, target: OwnedPort, channel: Channel) -> None:
        self._hosts.pop(target, None)
        if channel.is_made:
            channel.abort()
