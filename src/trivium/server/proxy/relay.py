"""Bytes on their way from one connection to another, held back where they cannot be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from trivium.server.proxy.channel import Channel
from trivium.server.proxy.framing import LAST_CHUNK, Body, as_chunk
from trivium.server.proxy.problems import Gone, Malformed


class Relay:
    """One body on its way. `done` turns true when its last byte was handed on, `broken` says why it never will."""

    def __init__(
        self,
        source: Channel,
        target: Channel,
        body: Body,
        *,
        chunked: bool,
        on_broken: Callable[[Malformed | Gone], None] | None = None,
    ) -> None:
        self.done = False
        self.broken: Malformed | Gone | None = None
        self.carried = 0  # bytes of payload
        self._source = source
        self._target = target
        self._body = body
        self._chunked = chunked
        self._on_broken = on_broken
        self._waiter: asyncio.Future[None] | None = None

    def begin(self, head: bytes = b"") -> None:
        """Send `head` and what came already, and go on with the rest as it comes."""
        if self._body.done:
            self._target.write(head)
            self.done = True
            return
        try:
            out = self._next(self._source.take())
        except Malformed as error:
            self._target.write(head)
            self._break(error)
            return
        self._target.write(head + out if out else head)
        if self.done:
            return
        if self._source.ended:
            self.end()
            return
        self._source.sink = self
        self._target.fed_by(self._source)

    def take(self, data: bytes) -> None:
        """Hand some more on."""
        try:
            out = self._next(data)
        except Malformed as error:
            self._break(error)
            return
        self._target.write(out)

    def end(self) -> None:
        """The source ended: so does the body, if it may."""
        if self.done:
            return
        if self._body.end():
            if self._chunked:
                self._target.write(LAST_CHUNK)
            self._finish()
        else:
            self._break(Gone())

    async def finished(self) -> None:
        """Return when the last byte was handed on. Raises what broke it."""
        if not self.done and self.broken is None:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.broken is not None:
            raise self.broken

    def stop(self) -> None:
        """Hand on nothing more."""
        if self._source.sink is self:
            self._source.sink = None
            self._target.fed_by(None)

    def _next(self, data: bytes) -> bytes:
        payload = self._body.feed(data) if data else b""
        self.carried += len(payload)
        out = as_chunk(payload) if self._chunked else payload
        if self._body.done:
            if self._chunked:
                out += LAST_CHUNK
            self._finish()
            self._source.put_back(self._body.rest)
        return out

    def _finish(self) -> None:
        self.done = True
        self.stop()
        self._wake()

    def _break(self, error: Malformed | Gone) -> None:
        self.broken = error
        self.stop()
        self._wake()
        if self._on_broken is not None:
            self._on_broken(error)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Splice:
    """Two connections that hand each other all they get, until one of them ends."""

    def __init__(self, one: Channel, other: Channel) -> None:
        self._one = one
        self._other = other
        self._over = asyncio.get_running_loop().create_future()
        self.inward = _Half(one, other, self._end)
        self.outward = _Half(other, one, self._end)

    async def run(self) -> None:
        """Return when one side ended; what it sent before is on its way to the other."""
        self.outward.begin()
        self.inward.begin()
        try:
            await self._over
        finally:
            for channel in (self._one, self._other):
                channel.sink = None
                channel.fed_by(None)

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


class _Half:
    """One direction."""

    def __init__(self, source: Channel, target: Channel, on_end: Callable[[], None]) -> None:
        self.carried = 0
        self._source = source
        self._target = target
        self._on_end = on_end

    def begin(self) -> None:
        self.take(self._source.take())
        self._source.sink = self
        self._target.fed_by(self._source)
        if self._source.ended:
            self.end()

    def take(self, data: bytes) -> None:
        self.carried += len(data)
        self._target.write(data)

    def end(self) -> None:
        self._on_end()
