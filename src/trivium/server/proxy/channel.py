"""One connection, client's or notebook's: what comes goes to a `sink`, and no faster than its target can take it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

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
    """A connection whose bytes are handed to whoever is its `sink` at the time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sink: Sink) -> None:
        self.transport = cast("asyncio.Transport", None)  # set before anything else can happen
        self.sink = sink
        self.ended = False  # nothing more will come
        self.lost = False  # nothing more can be sent
        self.blocked = False  # what is sent piles up
        self.moved = loop.time()  # when bytes last came, or could be sent again
        self.on_made: Callable[[], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self.on_drained: Callable[[], None] | None = None
        self._time = loop.time
        self._feeder: Channel | None = None  # whose bytes are sent here
        self.is_made = False  # the connection stands
        self.is_held = False  # where ours go cannot take more
        self._full = False  # more waits here than ought to
        self._paused = False

    # ---- what the event loop tells ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = cast("asyncio.Transport", transport)
        self.is_made = True
        self.transport.set_write_buffer_limits(high=WRITE_HIGH)
        if self.on_made is not None:
            self.on_made()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self.moved = self._time()
        self.sink.take(data)

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
        self.moved = self._time()
        if self._feeder is not None:
            self._feeder.hold(held=True)

    def resume_writing(self) -> None:
        """It drained."""
        self.blocked = False
        self.moved = self._time()
        if self._feeder is not None:
            self._feeder.hold(held=False)
        if self.on_drained is not None:
            self.on_drained()

    # ---- what we do with it ----

    def write(self, data: bytes) -> None:
        """Send, unless the connection is gone."""
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def fed_by(self, feeder: Channel | None) -> None:
        """Hold `feeder` while this connection cannot take more, until another is named."""
        before = self._feeder
        if before is not feeder:
            self._feeder = feeder
            if before is not None and before.is_held:
                before.hold(held=False)
        if feeder is not None:
            held = self.blocked and not self.lost
            if feeder.is_held is not held:
                feeder.hold(held=held)

    def fill(self, *, full: bool) -> None:
        """Say whether so much waits here that no more is to be read."""
        if full is not self._full:
            self._full = full
            self._steer()

    def hold(self, *, held: bool) -> None:
        """Say whether reading is to rest because the bytes cannot be passed on."""
        self.is_held = held
        self._steer()

    def close(self) -> None:
        """Close when all is sent."""
        self.transport.close()

    def hang_up(self) -> None:
        """Say that nothing more will be sent, and drop what still comes until the other side closes, too.

        Closing with bytes unread would make the kernel reset the connection, and our last words could be lost.
        """
        self.sink = Discard()
        self._full = False
        self.hold(held=False)
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def abort(self) -> None:
        """Close now."""
        self.transport.abort()

    def _finish(self) -> None:
        if not self.ended:
            self.ended = True
            self.sink.end()

    def _steer(self) -> None:
        wanted = self.is_held or self._full
        if wanted is not self._paused and not self.transport.is_closing():
            self._paused = wanted
            if wanted:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()
