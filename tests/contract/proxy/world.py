"""What the proxy's tests stand on: who may enter, notebooks that really listen, a client that sends what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import structlog
from websockets.asyncio.server import ServerConnection, unix_serve

from tests.waiting import until_async
from trivium.base.clock import SystemClock
from trivium.resources.notebooks.ports import Address, LaunchKey
from trivium.server.proxy import (
    Access,
    Admission,
    Credential,
    CredentialSource,
    Endpoint,
    Kind,
    Proxy,
    ProxySettings,
    Refused,
)
from trivium.server.proxy.targets import OwnedPort, Target, UnixSocket

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TOKEN = "jupyters-own-token"
KEY = "Authorization: token key"
"""What a client shows who may use notebook 7."""

JUPYTER = Endpoint(notebook="7", kind=Kind.JUPYTER)
SERVICE = Endpoint(notebook="7", kind=Kind.SERVICE)


class Rooms:
    """Who may enter what: an `Access` whose book the test keeps."""

    def __init__(self) -> None:
        self.addresses: dict[Endpoint, Address] = {}
        self.rights: dict[tuple[Endpoint, CredentialSource, str], str] = {}  # to the subject
        self.stopped: set[str] = set()
        self.asked: list[tuple[Endpoint, Credential]] = []
        self.rechecks = 0
        self.failure: Exception | None = None
        self.given: dict[tuple[Endpoint, Credential], Admission] = {}
        self.foreign: set[int] = set()  # ports on which somebody else accepts

    def let(self, subject: str, endpoint: Endpoint, *, source: CredentialSource, secret: str) -> None:
        self.rights[endpoint, source, secret] = subject

    def withdraw(self, subject: str) -> None:
        self.rights = {key: owner for key, owner in self.rights.items() if owner != subject}

    def admit_now(self, endpoint: Endpoint, credential: Credential) -> Admission | None:
        before = self.given.get((endpoint, credential))
        if before is None or self.failure is not None:
            return None
        try:
            return before if self.judged(endpoint, credential) == before else None
        except Refused:
            return None

    async def admit(self, endpoint: Endpoint, credential: Credential) -> Admission:
        self.asked.append((endpoint, credential))
        if self.failure is not None:
            raise self.failure
        admission = self.given[endpoint, credential] = self.judged(endpoint, credential)
        return admission

    def judged(self, endpoint: Endpoint, credential: Credential) -> Admission:
        if endpoint not in self.addresses:
            raise Refused(404, "proxy.unknown")
        subject = self.rights.get((endpoint, credential.source, credential.secret))
        if subject is None:
            raise Refused(401, "proxy.unknown")
        if endpoint.notebook in self.stopped:
            raise Refused(503, "proxy.unreachable", state="stopped")
        return Admission(
            endpoint=endpoint,
            target=target_of(self.addresses[endpoint]),
            subject=subject,
            inject=(("Authorization", f"token {TOKEN}"),) if endpoint.kind is Kind.JUPYTER else (),
            grant=f"grant-of-{subject}" if credential.source is CredentialSource.LINK else None,
        )

    async def find_host(self, target: OwnedPort) -> str | None:
        del target
        return "127.0.0.1"

    async def is_accepted(self, target: OwnedPort, host: str, client: tuple[str, int]) -> bool:
        assert (host, client[0], client[1] > 0) == ("127.0.0.1", "127.0.0.1", True)
        return target.port not in self.foreign

    async def still_admitted(self, admissions: Sequence[Admission]) -> Sequence[bool]:
        self.rechecks += 1
        if self.failure is not None:
            raise self.failure
        subjects = set(self.rights.values())
        return [one.subject in subjects and one.endpoint.notebook not in self.stopped for one in admissions]


def target_of(address: Address) -> Target:
    """Where an address of the tests leads."""
    if address.socket is not None:
        return UnixSocket(path=address.socket)
    return OwnedPort(key=LaunchKey(launch=7, generation=1), port=address.port)


@asynccontextmanager
async def proxied(rooms: Access, settings: ProxySettings | None = None) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy that listens, and its port."""
    proxy = Proxy(rooms, settings or ProxySettings(), log=structlog.get_logger(), clock=SystemClock())
    port = await proxy.start("127.0.0.1", 0)
    try:
        yield proxy, port
    finally:
        await proxy.stop(timedelta(seconds=0))


@asynccontextmanager
async def listening(serve: Serve, socket: Path | None = None) -> AsyncIterator[Address]:
    """A server on a unix socket, or on a port when none is named."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    if socket is not None:
        server = await asyncio.start_unix_server(run, str(socket))
        address = Address(socket=socket)
    else:
        server = await asyncio.start_server(run, "127.0.0.1", 0)
        address = Address(port=server.sockets[0].getsockname()[1])
    try:
        yield address
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def both_listening(rooms: Rooms, serve: Serve, socket: Path) -> AsyncIterator[None]:
    """The same server as Jupyter of notebook 7 on a unix socket and as its service on a port."""
    async with listening(serve, socket) as jupyter, listening(serve) as service:
        rooms.addresses = {JUPYTER: jupyter, SERVICE: service}
        yield


@asynccontextmanager
async def echoing(rooms: Rooms, socket: Path) -> AsyncIterator[list[ServerConnection]]:
    """Jupyter of notebook 7 with a WebSocket that sends each message back; its connections so far."""
    seen: list[ServerConnection] = []

    async def serve(connection: ServerConnection) -> None:
        seen.append(connection)
        async for message in connection:
            await connection.send(message)

    async with unix_serve(serve, str(socket), max_size=None):
        rooms.addresses[JUPYTER] = Address(socket=socket)
        yield seen


async def eventually(condition: Callable[[], object], *, what: str = "the condition") -> None:
    """Return when the condition holds."""

    async def holds() -> bool:
        return bool(condition())

    await until_async(holds, what=what)


class Request:
    """What a notebook of the tests was sent."""

    def __init__(self, line: str, fields: list[tuple[str, str]], body: bytes) -> None:
        self.line = line
        self.method, self.target, _ = line.split(" ")
        self.fields = fields
        self.body = body

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The next request, whole."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head[:-4].split("\r\n")
    fields = [(name, value.strip()) for name, _, value in (field.partition(":") for field in rest)]
    request = Request(line, fields, b"")
    if request.first("transfer-encoding") == "chunked":
        request.body = await read_chunks(reader)
    elif request.first("content-length"):
        request.body = await reader.readexactly(int(request.first("content-length") or 0))
    return request


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    """A chunked body, to its end."""
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    assert await reader.readuntil(b"\r\n") == b"\r\n"
    return body


class Notebook:
    """A tiny server that tells what it was asked: JSON with the line, the fields and the length of the body."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.closed = 0
        self.extra = b""  # more lines for the heads of answers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                request = await read_request(reader)
                self.requests.append(request)
                said = json.dumps({"line": request.line, "fields": request.fields, "body": request.body.decode()})
                body = said.encode()
                writer.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (self.extra, len(body)))
                if request.method != "HEAD":
                    writer.write(body)
                await writer.drain()
        finally:
            self.closed += 1


def answering(*raws: bytes, close: bool = False) -> Serve:
    """A server that answers each request with the next of `raws`, whatever it was; with `close`, it then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for raw in raws:
            await read_request(reader)
            writer.write(raw)
            await writer.drain()
        if not close:
            await reader.read()

    return serve


class Answer:
    """What a client of the tests was answered."""

    def __init__(self, line: str, fields: list[tuple[str, str]], body: bytes) -> None:
        self.line = line
        self.status = int(line.split(" ")[1])
        self.fields = fields
        self.body = body

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def json(self) -> dict[str, object]:
        return json.loads(self.body)


class Client:
    """A connection to the proxy that sends just what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def ask(self, raw: bytes) -> Answer:
        await self.send(raw)
        return await self.answer(head_only=raw.startswith(b"HEAD"))

    async def answer(self, *, head_only: bool = False) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head[:-4].split("\r\n")
        fields = [(name, value.strip()) for name, _, value in (field.partition(":") for field in rest)]
        answer = Answer(line, fields, b"")
        if head_only or answer.status in {204, 304} or answer.status < 200:
            return answer
        if answer.first("transfer-encoding") == "chunked":
            answer.body = await read_chunks(self.reader)
        elif (length := answer.first("content-length")) is not None:
            answer.body = await self.reader.readexactly(int(length))
        else:
            answer.body = await self.reader.read()
        return answer

    async def is_closed(self) -> bool:
        """Whether the proxy closes without another byte."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """A raw connection to the proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


def get(target: str, *fields: str, method: str = "GET", host: str = "127.0.0.1:8801") -> bytes:
    """A request without a body."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
