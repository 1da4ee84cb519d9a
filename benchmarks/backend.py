"""What stands behind the proxies: a small server of the standard library alone, so that a notebook can run it anywhere.

`python backend.py PORT` answers every path that ends in `/small` with some JSON, `/large` with as many bytes as its
query says, and every WebSocket handshake with an echo of short messages.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys

SMALL = b'{"started": "2026-11-22T00:00:00.000000Z", "last_activity": "2026-11-22T00:00:00.000000Z", "kernels": 0}'
HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: backend\r\nContent-Type: application/json; charset=UTF-8\r\n"
    b"Date: Sun, 22 Nov 2026 00:00:00 GMT\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\n"
    b"Content-Length: %d\r\n\r\n"
)
ANSWER = HEAD % len(SMALL) + SMALL
BLOCK = bytes(1 << 18)
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MASK = 4  # bytes of the key before a client's payload
SHORT = 125  # bytes of a message whose length stands in one byte


class Backend(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._left = 0  # bytes of a large answer
        self._is_paused = False
        self._is_websocket = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole, or say each message back."""
        self._buffer = self._buffer + data if self._buffer else data
        if self._is_websocket:
            self._echo()
            return
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._answer(head)

    def pause_writing(self) -> None:
        """Hold a large answer."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Go on with it."""
        self._is_paused = False
        self._pour()

    def _answer(self, head: bytes) -> None:
        assert self._transport is not None
        path, _, query = head.split(b" ", 2)[1].partition(b"?")
        if path.endswith(b"/large"):
            self._left = int(query)
            self._transport.set_write_buffer_limits(high=len(BLOCK))
            self._transport.write(HEAD % self._left)
            self._pour()
        elif b"websocket" in head.lower():
            at = head.lower().index(b"sec-websocket-key:") + len(b"sec-websocket-key:")
            key = head[at:].split(b"\r\n", 1)[0].strip()
            accept = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest())
            self._is_websocket = True
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
        else:
            self._transport.write(ANSWER)

    def _pour(self) -> None:
        assert self._transport is not None
        while self._left and not self._is_paused and not self._transport.is_closing():
            block = BLOCK if self._left >= len(BLOCK) else BLOCK[: self._left]
            self._left -= len(block)
            self._transport.write(block)

    def _echo(self) -> None:
        assert self._transport is not None
        while len(self._buffer) >= 2 + MASK:
            size = self._buffer[1] & 0x7F
            if size > SHORT or len(self._buffer) < 2 + MASK + size:
                return
            key, payload = self._buffer[2 : 2 + MASK], self._buffer[2 + MASK : 2 + MASK + size]
            self._buffer = self._buffer[2 + MASK + size :]
            plain = bytes(byte ^ key[at % MASK] for at, byte in enumerate(payload))
            self._transport.write(bytes([0x82, size]) + plain)


async def main() -> None:
    """Serve until it is ended."""
    server = await asyncio.get_running_loop().create_server(Backend, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
