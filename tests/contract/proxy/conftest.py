"""A proxy with one notebook behind it, on uvloop as in production and on asyncio's own loop."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from tests.contract.proxy.world import JUPYTER, SERVICE, Client, Notebook, Rooms, both_listening, connected, proxied
from trivium.server.proxy import CredentialSource, Proxy


def pytest_asyncio_loop_factories() -> dict[str, type[asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.Loop, "asyncio": asyncio.SelectorEventLoop}


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path leaves room for the name of a socket."""
    with tempfile.TemporaryDirectory(prefix="tp", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture
def rooms() -> Rooms:
    """One user who may enter notebook 7 by every way."""
    rooms = Rooms()
    for endpoint in (JUPYTER, SERVICE):
        rooms.let("ann", endpoint, source=CredentialSource.HEADER, secret="key")
        rooms.let("ann", endpoint, source=CredentialSource.LINK, secret="ticket")
        rooms.let("ann", endpoint, source=CredentialSource.COOKIE, secret="grant-of-ann")
    return rooms


@pytest_asyncio.fixture
async def notebook(rooms: Rooms, short_path: Path) -> AsyncIterator[Notebook]:
    """Jupyter of notebook 7 on a unix socket, its service on a port; both tell what they were asked."""
    notebook = Notebook()
    async with both_listening(rooms, notebook.serve, short_path / "s"):
        yield notebook


@pytest_asyncio.fixture
async def running(rooms: Rooms) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy, and its port."""
    async with proxied(rooms) as running:
        yield running


@pytest_asyncio.fixture
async def client(running: tuple[Proxy, int]) -> AsyncIterator[Client]:
    """A connection to the proxy."""
    async with connected(running[1]) as client:
        yield client
