"""The floor of proxies: an asyncio protocol on uvloop that copies bytes both ways, and looks at none of them.

`python -m benchmarks.splice PORT BEHIND` leads each connection to the port `BEHIND`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop


class End(asyncio.Protocol):
    """One end of a spliced pair."""

    def __init__(self) -> None:
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def join(self, other: End) -> None:
        """From now on all goes to the other."""
        self.other = other
        other.other = self
        for data in self._early:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Hand it on."""
        if self.other is None or self.other.transport is None:
            self._early.append(data)
        else:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """Hold the other end."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let it go."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close both."""
        del exc
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    behind = int(sys.argv[2])
    tasks: set[asyncio.Task[None]] = set()

    def accept() -> End:
        front = End()

        async def lead() -> None:
            _, back = await loop.create_connection(End, "127.0.0.1", behind)
            front.join(back)

        task = loop.create_task(lead())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return front

    server = await loop.create_server(accept, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())
