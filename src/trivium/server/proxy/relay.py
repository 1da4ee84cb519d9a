"""Bytes on their way from one connection to another, held back where they cannot be taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from trivium.server.proxy.channel import Channel, Discard
from trivium.server.proxy.framing import Body
from trivium.server.proxy.problems import Gone, Malformed


class Owner(Protocol):
    """Who wants to know what became of a body."""

    def relayed(self, body: Body) -> None:
        """Its last byte was handed on; `body.rest` is what came after it."""
        ...

    def broke(self, body: Body, error: Malformed | Gone) -> None:
        """It will never be whole."""
        ...


class Relay:
    """The rest of a body, of which all that comes is handed on."""

    def __init__(self, source: Channel, target: Channel, body: Body, *, owner: Owner) -> None:
        self._source = source
        self._target = target
        self._body = body
        self._owner = owner

    def begin(self) -> None:
        """Go on with what comes from now."""
        self._source.sink = self
        self._target.fed_by(self._source)
        if self._source.ended:
            self.end()

    def take(self, data: bytes) -> None:
        """Hand some more on."""
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
        """The source ended: so does the body, if it may."""
        self.stop()
        out = self._body.end()
        if out is None:
            self._owner.broke(self._body, Gone())
            return
        self._target.write(out)
        self._owner.relayed(self._body)

    def stop(self) -> None:
        """Hand on nothing more."""
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
        """Hand on what came already, and go on."""
        self._source.sink = self
        self._target.fed_by(self._source)
        if data:
            self.take(data)

    def take(self, data: bytes) -> None:
        """Hand some more on."""
        self.carried += len(data)
        self._target.write(data)

    def end(self) -> None:
        """One side ended, and so does the whole."""
        self._over()
