"""Copies bytes from one connection to another, with backpressure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from trivium.server.proxy.channel import Channel, Discard
from trivium.server.proxy.framing import Body
from trivium.server.proxy.problems import Gone, Malformed


class Owner(Protocol):
    """Is told how a body ended."""

    def relayed(self, body: Body) -> None:
        """The body was sent on whole; `body.rest` is what was received after it."""
        ...

    def broke(self, body: Body, error: Malformed | Gone) -> None:
        """The body cannot be completed."""
        ...


class Relay:
    """Copies the rest of a body from `source` to `target`."""

    def __init__(self, source: Channel, target: Channel, body: Body, *, owner: Owner) -> None:
        self._source = source
        self._target = target
        self._body = body
        self._owner = owner

    def begin(self) -> None:
        """Copy what is received from now on."""
        self._source.sink = self
        self._target.fed_by(self._source)
        if self._source.ended:
            self.end()

    def take(self, data: bytes) -> None:
        """Copy some more."""
        body = self._body
        try:
            out = body.feed(data)
        except Malformed as error:
            self.stop()
            self._owner.broke(body, error)
            return
        self._target.write(out)
        if body.done:
            self.stop()
            self._owner.relayed(body)

    def end(self) -> None:
        """The source ended, and the body with it if its framing allows that."""
        self.stop()
        out = self._body.end()
        if out is None:
            self._owner.broke(self._body, Gone())
            return
        self._target.write(out)
        self._owner.relayed(self._body)

    def stop(self) -> None:
        """Copy nothing more."""
        if self._source.sink is self:
            self._source.sink = Discard()
            self._target.fed_by(None)


class Pipe:
    """One direction of a WebSocket: all bytes go to the other side as they are."""

    def __init__(self, source: Channel, target: Channel, over: Callable[[], None]) -> None:
        self.carried = 0
        self._source = source
        self._target = target
        self._over = over

    def begin(self, data: bytes) -> None:
        """Copy `data`, which was received already, and all that follows."""
        self._source.sink = self
        self._target.fed_by(self._source)
        if data:
            self.take(data)

    def take(self, data: bytes) -> None:
        """Copy some more."""
        self.carried += len(data)
        self._target.write(data)

    def end(self) -> None:
        """The source ended, and the WebSocket with it."""
        self._over()
