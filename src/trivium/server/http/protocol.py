"""uvicorn's HTTP protocol, with bounds that it lacks: how many clients, how long a head, and how long in coming."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from trivium.server.crowd import Crowd
from trivium.server.taking import Taking

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEAD_BYTES: Final = 64 * 1024
NO_HTTP: Final = (
    b'{"error":"malformed","message":"This is no request of HTTP/1.1. In an address blanks, and all that is not ASCII, '
    b'must be percent-encoded, as curl does with --data-urlencode."}'
)
"""What is told to who sends what is none: nobody knows for which dialect it was."""
NO_HOST: Final = (
    b'{"error":"malformed","message":"A request of HTTP/1.1 has one Host field, and one of HTTP/1.0 at most one."}'
)
FULL: Final = b'{"error":"full","message":"Too many connections are open; please try again in a moment."}'


class HeadTooLong(Exception):
    """A request's head is over `HEAD_BYTES`."""


class HostsWrong(Exception):
    """A request names no host, or several: whoever passed it on may have gone by another one (RFC 9112, 3.2)."""


class Shared(ServerState):
    """What all connections of a listener share."""

    def __init__(self, crowd: Crowd) -> None:
        super().__init__()
        self.crowd = crowd


class BoundedProtocol(HttpToolsProtocol):
    """One connection. It keeps no timer over its head; `close_stale`, called now and then, looks after all of them."""

    def __init__(
        self,
        config: Config,
        server_state: Shared,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._crowd = server_state.crowd
        self._taking: Taking | None = None  # once the connection is made
        self._answering: RequestResponseCycle | None = None  # the request that was begun last; `cycle` came last
        self._rested: float | None = self.loop.time()  # when the wait for a request began; None: one is under way
        self._head_since: float | None = self._rested  # None between a head's end and the next one's start
        self._received = 0  # bytes since the head began, or a little less
        self._too_long = False
        self._hosts_wrong = False
        self._is_refused = False

    def has_waited(self, now: float) -> float:
        """Seconds that a head has been in coming, the connection's first one included; 0 when none is awaited."""
        return 0.0 if self._head_since is None else now - self._head_since

    @property
    def idle_since(self) -> float | None:
        """When the wait for a request began; None while one is under way."""
        return self._rested

    @property
    def is_owing(self) -> bool:
        """Whether a request's body is awaited: it is read whole before anybody is let in."""
        return self._rested is None and self.cycle.more_body

    def untaken_since(self, now: float) -> float | None:
        """Since when the client has taken next to nothing of what it is being sent; None: nothing waits for it."""
        return None if self._taking is None else self._taking.untaken_since(now)

    def give_way(self) -> None:
        """Close at once, for another client."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take the client in, or turn it away."""
        super().connection_made(transport)
        self._taking = Taking(transport)
        if not self._crowd.admits(self, self.client[0] if self.client else ""):
            self._is_refused = True
            self.transport.write(_answer(b"503 Service Unavailable", FULL, b"retry-after: 3\r\n"))
            self.transport.write_eof()  # a close would reset the connection if a request has come, and lose the answer

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, which uvicorn tells the request that came last: the one being answered hears it, too."""
        self._crowd.left(self)
        answering = self._answering
        if answering is not None and not answering.response_complete:
            answering.disconnected = True
            answering.message_event.set()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """An answer is over."""
        if not self.pipeline:  # else the next request has come already
            self._rested = self.loop.time()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse a head that grows too long."""
        if self._is_refused:
            return
        self._received += len(data)
        super().data_received(data)
        if self._head_since is None:
            self._received = 0
        elif self._received > HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head_since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head ends; raises `HeadTooLong` or `HostsWrong`, which the parser hands on as a malformed request."""
        self._head_since = None
        if self._received > HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > HEAD_BYTES:
                self._too_long = True
                raise HeadTooLong
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts != 1 and (hosts or self.parser is None or self.parser.get_http_version() != "1.0"):
            self._hosts_wrong = True
            raise HostsWrong
        self._rested = None
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or a head that is too long or says no host, and close."""
        del msg  # uvicorn's own words, which say less
        if self._too_long:
            self._refuse_head()
        else:
            self._refuse(b"400 Bad Request", NO_HOST if self._hosts_wrong else NO_HTTP)

    def _refuse_head(self) -> None:
        self._refuse(b"431 Request Header Fields Too Large", b"")

    def _refuse(self, status: bytes, body: bytes) -> None:
        self.transport.write(_answer(status, body))
        self.transport.close()


def _answer(status: bytes, body: bytes, more: bytes = b"") -> bytes:
    """The last answer on a connection; `more`: whole lines of its head."""
    kind = b"content-type: application/json\r\n" if body else b""
    head = b"HTTP/1.1 %b\r\n%b%bcontent-length: %d\r\nconnection: close\r\n\r\n" % (status, kind, more, len(body))
    return head + body


def close_stale(connections: set[Any], *, head: float, stall: float) -> None:
    """Close the connections whose clients take longer than `head` over a head, or `stall` over next to no answer."""
    now = asyncio.get_running_loop().time()
    for connection in list(connections):
        if isinstance(connection, BoundedProtocol):
            untaken = connection.untaken_since(now)
            if connection.has_waited(now) > head or (untaken is not None and now - untaken > stall):
                connection.abort()
