"""One connection, client's or notebook's: bytes wait in it until somebody takes them, and no more than a few wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from trivium.server.proxy.heads import has_bare_end
from trivium.server.proxy.problems import Gone, Malformed

_END = b"\r\n\r\n"
WRITE_HIGH = 256 * 1024  # bytes that wait to be sent before the other side is held


class Sink(Protocol):
    """What bytes are handed to as they come."""

    def take(self, data: bytes) -> None:
        """Some more."""
        ...

    def end(self) -> None:
        """There will be no more."""
        ...


class Discard:
    """Where bytes go that nobody wants any more."""

    def take(self, data: bytes) -> None:
        """Drop it."""

    def end(self) -> None:
        """Nothing was waited for."""


class Channel(asyncio.Protocol):
    """A connection that is read by heads, and by handing bytes to a `sink` in between."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, capacity: int) -> None:
        self.transport = cast("asyncio.Transport", None)  # set before anything else can happen
        self.buffer = bytearray()
        self.sink: Sink | None = None
        self.ended = False  # nothing more will come
        self.lost = False  # nothing more can be sent
        self.blocked = False  # what is sent piles up
        self.moved = loop.time()  # when bytes last came, or could be sent again
        self.on_made: Callable[[], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self._capacity = capacity
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._drain_waiter: asyncio.Future[None] | None = None
        self._feeder: Channel | None = None  # whose bytes are sent here
        self._held = False  # where ours go cannot take more
        self._paused = False

    # ---- what the event loop tells ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_HIGH)
        if self.on_made is not None:
            self.on_made()

    def data_received(self, data: bytes) -> None:
        """Bytes came: to the sink, or to wait."""
        self.moved = self._loop.time()
        if self.sink is not None:
            self.sink.take(data)
            return
        self.buffer += data
        self._wake()
        self._steer()

    def eof_received(self) -> bool:
        """The other side will send nothing more, and is treated as gone."""
        self._finish()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        del exc
        self.lost = True
        self._finish()
        self.resume_writing()
        if self.on_lost is not None:
            self.on_lost()

    def pause_writing(self) -> None:
        """What is sent piles up: hold whoever sends it."""
        self.blocked = True
        self.moved = self._loop.time()
        self._hold_feeder(hold=True)

    def resume_writing(self) -> None:
        """It drained."""
        self.blocked = False
        self.moved = self._loop.time()
        self._hold_feeder(hold=False)
        if self._drain_waiter is not None and not self._drain_waiter.done():
            self._drain_waiter.set_result(None)

    # ---- what we do with it ----

    @property
    def held(self) -> bool:
        """Whether reading rests because its bytes cannot be passed on."""
        return self._held

    async def head(self, limit: int) -> bytes:
        """The next head, empty line included.

        Raises `Malformed` for one over `limit` bytes or with stray line ends, `Gone` when the connection ends first.
        """
        seen = 0
        while True:
            end = self.buffer.find(_END, max(seen - len(_END) + 1, 0))
            size = len(self.buffer) if end < 0 else end + len(_END)
            if size > limit:
                raise Malformed(431, "proxy.too_long")
            if end >= 0:
                head = bytes(self.buffer[:size])
                del self.buffer[:size]
                self._steer()
                return head
            if has_bare_end(self.buffer, max(seen - 1, 0)):
                raise Malformed(400)
            seen = len(self.buffer)
            if self.ended:
                raise Gone
            await self.more()

    async def more(self) -> None:
        """Return when bytes came or the connection ended."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def drained(self) -> None:
        """Return when what was sent no longer piles up."""
        while self.blocked and not self.lost:
            self._drain_waiter = self._loop.create_future()
            try:
                await self._drain_waiter
            finally:
                self._drain_waiter = None

    def take(self) -> bytes:
        """All bytes that wait."""
        data = bytes(self.buffer)
        self.buffer.clear()
        self._steer()
        return data

    def put_back(self, data: bytes) -> None:
        """Let bytes wait again, before all others."""
        if data:
            self.buffer[:0] = data
            self._steer()

    def write(self, data: bytes) -> None:
        """Send, unless the connection is gone."""
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def fed_by(self, feeder: Channel | None) -> None:
        """Hold `feeder` while this connection cannot take more, until another is named."""
        if self._feeder is not feeder:
            self._hold_feeder(hold=False)
            self._feeder = feeder
        self._hold_feeder(hold=self.blocked and not self.lost)

    def close(self) -> None:
        """Close when all is sent."""
        self.transport.close()

    def hang_up(self) -> None:
        """Say that nothing more will be sent, and drop what still comes until the other side closes, too.

        Closing with bytes unread would make the kernel reset the connection, and our last words could be lost.
        """
        self.sink = Discard()
        self.buffer.clear()
        self._hold(hold=False)
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def abort(self) -> None:
        """Close now."""
        self.transport.abort()

    def _finish(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._wake()
        if self.sink is not None:
            self.sink.end()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _hold_feeder(self, *, hold: bool) -> None:
        if self._feeder is not None:
            self._feeder._hold(hold=hold)  # noqa: SLF001 - one of us

    def _hold(self, *, hold: bool) -> None:
        self._held = hold
        self._steer()

    def _steer(self) -> None:
        wanted = self._held or len(self.buffer) > self._capacity
        if wanted is not self._paused and not self.transport.is_closing():
            self._paused = wanted
            if wanted:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()
