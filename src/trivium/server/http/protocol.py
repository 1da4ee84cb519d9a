"""uvicorn's HTTP protocol, with bounds that it lacks: how long a request's head may be, and how long in coming."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HEAD_BYTES: Final = 64 * 1024
NO_HTTP: Final = (
    b'{"error":"malformed","message":"This is no request of HTTP/1.1. In an address blanks, and all that is not ASCII, '
    b'must be percent-encoded, as curl does with --data-urlencode."}'
)
"""What is told to who sends what is none: nobody knows for which dialect it was."""


class HeadTooLong(Exception):
    """A request's head is over `HEAD_BYTES`."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. It keeps no timer over its head; `close_stale`, called now and then, looks after all of them."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_since: float | None = self.loop.time()  # None between a head's end and the next one's start
        self._received = 0  # bytes since the head began, or a little less
        self._too_long = False

    def has_waited(self, now: float) -> float:
        """Seconds that a head has been in coming, the connection's first one included; 0 when none is awaited."""
        return 0.0 if self._head_since is None else now - self._head_since

    def abort(self) -> None:
        """Close at once."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse a head that grows too long."""
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
        """A head ends; raises `HeadTooLong`, which the parser hands on as a malformed request."""
        self._head_since = None
        if self._received > HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > HEAD_BYTES:
                self._too_long = True
                raise HeadTooLong
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or a head that is too long, and close."""
        del msg  # uvicorn's own words, which say less
        if self._too_long:
            self._refuse_head()
        else:
            self._refuse(b"400 Bad Request", NO_HTTP)

    def _refuse_head(self) -> None:
        self._refuse(b"431 Request Header Fields Too Large", b"")

    def _refuse(self, status: bytes, body: bytes) -> None:
        kind = b"content-type: application/json\r\n" if body else b""
        head = b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\nconnection: close\r\n\r\n" % (status, kind, len(body))
        self.transport.write(head + body)
        self.transport.close()


def close_stale(connections: set[Any], seconds: float) -> None:
    """Close the connections whose clients take longer than that over a head."""
    now = asyncio.get_running_loop().time()
    for connection in list(connections):
        if isinstance(connection, BoundedProtocol) and connection.has_waited(now) > seconds:
            connection.abort()
