"""A listener on a real socket, in the test's own event loop, and a client that says exactly the bytes it is told."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import msgspec
import structlog

from tests.waiting import until_async
from trivium.base.values import Value
from trivium.dialects.operation import Dialect
from trivium.server import logs
from trivium.server.crowd import STALLED, Crowd
from trivium.server.exposition import Counted, exposition
from trivium.server.host.lease import LeaseCounts
from trivium.server.http import App, Metrics, Part, Patience, Platform, Room, bind, serve
from trivium.server.proxy import ProxyMetrics


async def all_ready() -> tuple[Part, ...]:
    return (Part(name="store", ready=True), Part(name="proxy", ready=True))


async def two_running() -> Mapping[str, int]:
    return {"running": 2}


class Listener:
    """A listener that answers: where it is, what it logged, and how to stop it."""

    def __init__(self, port: int, stop: asyncio.Event, log: io.BytesIO) -> None:
        self.port = port
        self.stop = stop
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        self._clients: list[Client] = []

    def logged(self) -> list[dict[str, Any]]:
        """Every line of the log so far."""
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    async def connect(self) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._clients.append(Client(reader, writer, f"127.0.0.1:{self.port}"))
        return self._clients[-1]

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request on a connection of its own."""
        client = await self.connect()
        return await client.ask(method, target, headers, body)

    async def hang_up(self) -> None:
        """Close every connection."""
        for client in self._clients:
            client.close()
            with contextlib.suppress(OSError):
                await client.writer.wait_closed()


class Answer(Value, frozen=True):
    """An answer as it came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self.host = host
        self.reader = reader
        self.writer = writer

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        lines = dict(headers or {})
        if not any(name.lower() == "host" for name in lines):
            lines = {"Host": self.host, **lines}
        if body:
            lines.setdefault("Content-Length", str(len(body)))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
        return await self.answer(has_body=method != "HEAD")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, *, has_body: bool = True) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:-2])]
        length = int(dict(headers).get("content-length", "0"))
        body = await self.reader.readexactly(length) if has_body else b""
        return Answer(status=int(head[0].split()[1]), headers=headers, body=body)

    async def is_closed(self) -> bool:
        """Whether the server hangs up, with nothing more said. Waits for it."""
        return await self.reader.read() == b""

    def close(self) -> None:
        self.writer.close()


class Narrow:
    """A connection for which the server's kernel keeps some 10 kB, and the client's next to nothing.

    So what is not read has to wait in the server. Nothing is read but what the test asks for.
    """

    def __init__(self, port: int, *, segment: int | None = 200) -> None:
        self._taken = bytearray()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 if segment else 16 * 1024)
        if segment:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def read(self, size: int) -> bytes:
        """All that was read so far, so many bytes more, or fewer where the server hangs up."""
        size += len(self._taken)
        while len(self._taken) < size and (part := await self._part(size - len(self._taken))):
            self._taken += part
        return bytes(self._taken)

    async def read_body(self, size: int) -> bytes:
        """The body of the first answer, of which some was read, and which is so long."""
        end = self._taken.index(b"\r\n\r\n") + 4 + size
        return (await self.read(end - len(self._taken)))[-size:]

    def reset(self) -> None:
        """Hang up as a program does that is killed."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    async def _part(self, size: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, size)


async def passed() -> None:
    """Return when the event loop's clock has gone on, which may count milliseconds."""
    loop = asyncio.get_running_loop()
    before = loop.time()

    async def is_later() -> bool:
        return loop.time() > before

    await until_async(is_later)


@contextmanager
def logs_in(file: io.BytesIO) -> Iterator[None]:
    """All logs of the process in a file, as JSON from level info on; in the end logging is as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.set_up("info", logs.Form.JSON, file)
    try:
        yield
    finally:
        structlog.reset_defaults()
        logging.captureWarnings(capture=False)
        root.handlers[:] = handlers
        root.setLevel(level)


@asynccontextmanager
async def listening(
    *dialects: Dialect,
    readiness: Callable[[], Awaitable[tuple[Part, ...]]] = all_ready,
    notebooks: Callable[[], Awaitable[Mapping[str, int]]] = two_running,
    patience: Patience | None = None,
    most: int = 1000,
    stalled: float = STALLED,
    room: Room | None = None,
) -> AsyncIterator[Listener]:
    """A listener with these dialects, for so many clients at most and with that room for bodies, stopped in the end."""
    log = io.BytesIO()
    metrics = Metrics()
    platform = Platform(
        version=lambda: "1.2.3",
        metrics=metrics,
        exposition=lambda notebooks: exposition(Counted(metrics, ProxyMetrics(), LeaseCounts(), notebooks=notebooks)),
        readiness=readiness,
        notebooks=notebooks,
    )
    bound = bind("127.0.0.1", 0)
    stop = asyncio.Event()
    with logs_in(log):
        now = asyncio.get_running_loop().time
        crowd = Crowd("apis", most, counts=metrics.crowding, log=structlog.get_logger(), now=now, stalled=stalled)
        app = App(lambda: dialects, platform, room=room)
        running = asyncio.create_task(serve(app, [bound], stop, crowd=crowd, patience=patience))
        listener = Listener(bound.port, stop, log)
        try:
            yield listener
        finally:
            await listener.hang_up()
            stop.set()
            await running
