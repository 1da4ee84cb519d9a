"""Connections to notebooks: opened when needed, kept for the next request, never lent from one door to another."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from trivium.base.values import Value
from trivium.resources.notebooks.ports import Address
from trivium.server.proxy.access import Door
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.problems import Problem
from trivium.server.proxy.settings import ProxySettings

_Key = tuple[Door, Address]


class Upstream(Value, frozen=True, eq=False):
    """A connection to a notebook that is lent out."""

    key: _Key
    channel: Channel
    reused: bool  # it may have been closed by the notebook a moment ago, without a fault on any side


class Upstreams:
    """All connections to notebooks."""

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings
        self._idle: defaultdict[_Key, list[Channel]] = defaultdict(list)
        self._retired: dict[Channel, float] = {}  # closing, and since when

    async def open(self, door: Door, address: Address, *, fresh: bool) -> Upstream:
        """A connection to where the door leads; if `fresh`, one that was never used. Raises `Problem` (502 to 504)."""
        key = (door, address)
        while not fresh and self._idle.get(key):
            channel = self._idle[key].pop()
            if _is_usable(channel):
                return Upstream(key=key, channel=channel, reused=True)
            channel.abort()
        return Upstream(key=key, channel=await self._connect(address), reused=False)

    def give_back(self, upstream: Upstream) -> None:
        """Keep a connection whose last exchange is complete for the next one."""
        channel = upstream.channel
        kept = self._idle[upstream.key]
        if _is_usable(channel) and len(kept) < self._settings.idle_upstreams:
            channel.moved = asyncio.get_running_loop().time()
            kept.append(channel)
        else:
            self.retire(upstream)

    def retire(self, upstream: Upstream) -> None:
        """Close a connection as soon as all is sent, or a little later anyway."""
        channel = upstream.channel
        if not channel.lost:
            channel.close()
            self._retired[channel] = asyncio.get_running_loop().time()

    def drop(self, notebook: str | None = None) -> None:
        """Close the unused connections to a notebook, or to all."""
        for key in [key for key in self._idle if notebook is None or key[0].notebook == notebook]:
            for channel in self._idle.pop(key):
                channel.abort()

    def sweep(self, now: float) -> None:
        """Close what was not used for long, and what does not get closed."""
        oldest = now - self._settings.upstream_idle.total_seconds()
        for key, channels in list(self._idle.items()):
            kept = [channel for channel in channels if _is_usable(channel) and channel.moved >= oldest]
            for channel in channels:
                if channel not in kept:
                    channel.abort()
            if kept:
                self._idle[key] = kept
            else:
                del self._idle[key]
        patience = now - self._settings.linger.total_seconds()
        for channel, since in list(self._retired.items()):
            if channel.lost:
                del self._retired[channel]
            elif since < patience:
                channel.abort()

    async def _connect(self, address: Address) -> Channel:
        loop = asyncio.get_running_loop()
        channel = Channel(loop, capacity=self._settings.head_bytes)
        try:
            async with asyncio.timeout(self._settings.connect_timeout.total_seconds()):
                if address.socket is not None:
                    await loop.create_unix_connection(lambda: channel, str(address.socket))
                else:
                    await loop.create_connection(lambda: channel, address.host, address.port)
        except TimeoutError as error:
            raise Problem(504, "proxy.late") from error
        except (ConnectionRefusedError, FileNotFoundError) as error:
            raise Problem(503, "proxy.unreachable") from error
        except OSError as error:
            raise Problem(502, "proxy.unreachable") from error
        return channel


def _is_usable(channel: Channel) -> bool:
    return not channel.ended and not channel.buffer and not channel.transport.is_closing()
