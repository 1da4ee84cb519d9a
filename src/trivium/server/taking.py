"""Whether a client takes its answers. The kernel is asked for it when somebody looks; a request costs nothing."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

LEAST: Final = 16 * 1024  # bytes that a client has to take to get on
_ACKNOWLEDGED: Final = struct.Struct("=120xQ")  # tcpi_bytes_acked in struct tcp_info of linux/tcp.h


class Taking:
    """How one client takes what it is sent, of which the kernel has some and the transport's buffer the rest.

    The size of that buffer would not tell: it stays as it is while the kernel has room enough, and grows with each
    answer. What the client has acknowledged grows only as it reads. Where all has gone to the kernel nothing is waited
    for: it is delivered even after a close.
    """

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._since: float | None = None  # None: when somebody looked last, nothing waited in the buffer
        self._acknowledged = 0  # at that time

    def untaken_since(self, now: float) -> float | None:
        """Since when the client has taken less than `LEAST` of what waits in the buffer; None: nothing does.

        To be asked every second or so: it cannot tell of what was before it was asked.
        """
        if not self._transport.get_write_buffer_size():
            self._since = None
            return None
        acknowledged = self._asked()
        if acknowledged is None:
            return None
        if self._since is None or acknowledged - self._acknowledged >= LEAST:
            self._since = now
            self._acknowledged = acknowledged
        return self._since

    def _asked(self) -> int | None:
        """Bytes that the client acknowledged; None where that is not known: the connection is closed."""
        connection: socket.socket = self._transport.get_extra_info("socket")
        try:
            told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size)
            return _ACKNOWLEDGED.unpack(told)[0]
        except (OSError, ValueError, struct.error):  # ValueError: closed, on uvloop; struct: Linux before 4.6
            return None
