"""A connection to a client or a notebook: what is received goes to a `sink`, at the pace at which it can be sent on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

WRITE_HIGH = 256 * 1024  # unsent bytes from which on reading from the other side is paused


class Sink(Protocol):
    """Receives the bytes of a connection."""

    def take(self, data: bytes) -> None:
        """Bytes were received."""
        ...

    def end(self) -> None:
        """The other side will send nothing more: it ended its half, or the connection is lost."""
        ...


class Discard:
    """A sink that drops what it gets."""

    def take(self, data: bytes) -> None:
        """Ignored."""

    def end(self) -> None:
        """Ignored."""


class Channel(asyncio.Protocol):
    """A connection whose received bytes go to its present `sink`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sink: Sink) -> None:
        self.transport = cast("asyncio.Transport", None)  # set before anything else can happen
        self.sink = sink
        self.ended = False  # nothing more will be received
        self.lost = False  # nothing more can be sent
        self.blocked = False  # the write buffer is over `WRITE_HIGH`
        self.moved = loop.time()  # when bytes were last received, or the write buffer changed sides of its limit
        self.on_made: Callable[[], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self.on_drained: Callable[[], None] | None = None
        self._time = loop.time
        self._feeder: Channel | None = None  # the connection whose bytes are sent here
        self.is_made = False  # it was established
        self.is_held = False  # reading rests: where the bytes go is blocked
        self._full = False  # reading rests: enough is buffered here
        self._paused = False

    # ---- what the event loop tells ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection was established."""
        self.transport = cast("asyncio.Transport", transport)
        self.is_made = True
        self.transport.set_write_buffer_limits(high=WRITE_HIGH)
        if self.on_made is not None:
            self.on_made()

    def data_received(self, data: bytes) -> None:
        """Bytes were received."""
        self.moved = self._time()
        self.sink.take(data)

    def eof_received(self) -> bool:
        """The other side ended its half, and is treated as gone: once what was written is sent, we close."""
        self._finish()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is lost, by whichever side."""
        del exc
        self.lost = True
        self._finish()
        self.resume_writing()
        if self.on_lost is not None:
            self.on_lost()

    def pause_writing(self) -> None:
        """The write buffer is full: pause reading from where its bytes come from."""
        self.blocked = True
        self.moved = self._time()
        if self._feeder is not None:
            self._feeder.hold(held=True)

    def resume_writing(self) -> None:
        """The write buffer has drained: read on."""
        self.blocked = False
        self.moved = self._time()
        if self._feeder is not None:
            self._feeder.hold(held=False)
        if self.on_drained is not None:
            self.on_drained()

    # ---- what we do with it ----

    def write(self, data: bytes) -> None:
        """Send, unless the connection is closing or gone."""
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def fed_by(self, feeder: Channel | None) -> None:
        """Pause reading from `feeder` whenever this connection is blocked, until another feeder is named."""
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
        """Pause reading, or go on, because of what is buffered unprocessed."""
        if full is not self._full:
            self._full = full
            self._steer()

    def hold(self, *, held: bool) -> None:
        """Pause reading, or go on, because of where the bytes are sent."""
        self.is_held = held
        self._steer()

    def close(self) -> None:
        """Close once all that was written is sent."""
        self.transport.close()

    def hang_up(self) -> None:
        """End our half, and drop what is received until the other side closes, too.

        Closing with bytes unread would make the kernel reset the connection, and what was sent last could be lost.
        """
        self.sink = Discard()
        self._full = False
        self.hold(held=False)
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def abort(self) -> None:
        """Close now; what is unsent is dropped."""
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
