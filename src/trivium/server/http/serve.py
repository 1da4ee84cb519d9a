"""Running the listener within an event loop that is ours: uvicorn's server without its signals, logs and banners."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Generator, Sequence
from typing import Final

from uvicorn import Config, Server

from trivium.base.errors import Unavailable
from trivium.base.values import Value
from trivium.server.crowd import Crowd
from trivium.server.http.app import ASGI
from trivium.server.http.protocol import BoundedProtocol, Shared, close_stale

BACKLOG: Final = 2048
LAST_PORT: Final = 65535


class Patience(Value, frozen=True):
    """How long the listener waits for others, in seconds."""

    head: float = 10.0  # for the head of a request
    idle: int = 75  # for the next request on a connection
    stall: float = 60.0  # for a client to take a little of its answers
    grace: int = 4  # for what is being answered, when the server ends


class AddressTaken(Unavailable):
    """We cannot listen there: another process does, or the address is not this machine's."""

    code = "server.address_taken"


class Bound(Value, frozen=True):
    """A socket that we hold, and where it is."""

    socket: socket.socket
    host: str
    port: int


def bind(host: str, port: int) -> Bound:
    """A socket bound to the address; port 0 takes a free one. Raises `AddressTaken`.

    Nobody is let in before `serve`, but from now on no other process can take the address.
    """
    if not 0 <= port <= LAST_PORT:  # getaddrinfo would take its remainder
        raise refused(host, port, ValueError("there is no such port"))
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:  # ValueError: text that is no host's name
        raise refused(host, port, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Two sockets may be bound to one address with SO_REUSEADDR until one of them listens.
        listener.listen(BACKLOG)
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        raise refused(host, port, error) from error
    return Bound(socket=listener, host=host, port=listener.getsockname()[1])


async def serve(
    app: ASGI, sockets: Sequence[Bound], stop: asyncio.Event, *, crowd: Crowd, patience: Patience | None = None
) -> None:
    """Answer requests until `stop` is set; then take no more, and return when all are answered or the grace is over.

    What is not answered by then is answered as a fault. The sockets are closed in the end.
    """
    server = _Server(app, patience or Patience(), crowd)
    running = asyncio.create_task(server.serve([bound.socket for bound in sockets]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await running
    finally:
        stopping.cancel()
        server.should_exit = True
        server.abort_connections()


class _Server(Server):
    """uvicorn's server, which leaves signals to whoever runs it."""

    def __init__(self, app: ASGI, patience: Patience, crowd: Crowd) -> None:
        super().__init__(_config(app, patience))
        self.server_state = Shared(crowd)
        self._patience = patience

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # ten ticks a second
            close_stale(self.server_state.connections, head=self._patience.head, stall=self._patience.stall)
        return await super().on_tick(counter)

    def abort_connections(self) -> None:
        """Close what is still open."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedProtocol):
                connection.abort()


def _config(app: ASGI, patience: Patience) -> Config:
    return Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        loop="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_keep_alive=patience.idle,
        timeout_graceful_shutdown=patience.grace,
    )


def refused(host: str, port: int, error: Exception) -> AddressTaken:
    """What is told to who starts a server where it cannot listen."""
    why = str(error)
    if isinstance(error, OSError):
        why = "another process listens there" if error.errno == errno.EADDRINUSE else error.strerror or why
    return AddressTaken(f"cannot listen on {host}:{port}: {why}", host=host, port=port, why=why)
