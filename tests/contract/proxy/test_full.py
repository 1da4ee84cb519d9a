"""A proxy with as many clients as it takes: who is idle gives way, and nobody is shut out by those who say nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import msgspec

from tests.contract.proxy.world import (
    JUPYTER,
    Client,
    Notebook,
    Rooms,
    connected,
    eventually,
    get,
    listening,
    proxied,
    read_request,
)
from tests.listening import logs_in
from trivium.server.proxy import Proxy, ProxySettings

KEY = "Authorization: token key"
MOST = 4


@asynccontextmanager
async def small(rooms: Rooms) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy for a few clients."""
    async with proxied(rooms, ProxySettings(connections=MOST)) as made:
        yield made


async def silent(stack: AsyncExitStack, port: int, number: int) -> list[Client]:
    """So many clients who say nothing, one after the other."""
    return [await stack.enter_async_context(connected(port)) for _ in range(number)]


async def passed() -> None:
    """Return when the event loop's clock has gone on, which counts milliseconds."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    await eventually(lambda: loop.time() > before)


@asynccontextmanager
async def held(rooms: Rooms) -> AsyncIterator[asyncio.Event]:
    """A notebook that answers once the event is set."""
    answers = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            await answers.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    async with listening(serve) as address:
        rooms.addresses[JUPYTER] = address
        yield answers


async def test_clients_who_say_nothing_shut_nobody_out(rooms: Rooms, notebook: Notebook) -> None:
    async with small(rooms) as (proxy, port), AsyncExitStack() as stack:
        for _ in range(3):
            await silent(stack, port, 3 * MOST)
            async with connected(port) as client:
                assert (await client.ask(get("/nb/7/x", KEY))).status == 200
        await eventually(lambda: proxy.metrics.connections <= MOST)
        assert proxy.metrics.crowding.refused == 0
    assert len(notebook.requests) == 3


async def test_who_has_been_idle_for_longest_gives_way(rooms: Rooms, notebook: Notebook) -> None:
    async with small(rooms) as (proxy, port), AsyncExitStack() as stack:
        clients = await silent(stack, port, MOST)
        await eventually(lambda: proxy.metrics.connections == MOST)
        await passed()
        for client in (clients[0], clients[0], clients[1]):  # the second time by the fast path
            assert (await client.ask(get("/nb/7/x", KEY))).status == 200
        await silent(stack, port, 2)
        assert await clients[2].is_closed()
        assert await clients[3].is_closed()
        assert [(await client.ask(get("/nb/7/x", KEY))).status for client in clients[:2]] == [200, 200]
    assert len(notebook.requests) == 5


async def test_half_a_head_holds_no_place(rooms: Rooms, notebook: Notebook) -> None:
    async with small(rooms) as (_, port), AsyncExitStack() as stack:
        clients = await silent(stack, port, MOST)
        for client in clients:
            await client.send(b"GET /nb/7/x HTTP/1.1\r\nHost: a\r\n")
        await silent(stack, port, 1)
        assert await clients[0].is_closed()
    assert notebook.requests == []


async def test_who_has_a_request_under_way_keeps_the_place(rooms: Rooms) -> None:
    async with held(rooms) as answers, small(rooms) as (proxy, port), AsyncExitStack() as stack:
        clients = await silent(stack, port, MOST)
        for client in clients:
            await client.send(get("/nb/7/x", KEY))
        await eventually(lambda: proxy.metrics.connections == MOST and rooms.asked)
        async with connected(port) as other:
            assert (await other.answer()).status == 503
            assert await other.is_closed()
        answers.set()
        assert [(await client.answer()).body for client in clients] == [b"hi"] * MOST
        assert (proxy.metrics.crowding.displaced, proxy.metrics.crowding.refused) == (0, 1)


async def test_a_full_listener_is_told_of_once_in_a_while(rooms: Rooms, notebook: Notebook) -> None:
    log = io.BytesIO()
    del notebook
    with logs_in(log):
        async with small(rooms) as (proxy, port), AsyncExitStack() as stack:
            await silent(stack, port, 3 * MOST)
            await eventually(lambda: proxy.metrics.crowding.displaced == 2 * MOST)
    lines = [msgspec.json.decode(line) for line in log.getvalue().splitlines()]
    told = [line for line in lines if line["event"] == "listener.full"]
    assert [(line["level"], line["listener"], line["most"], line["displaced"], line["refused"]) for line in told] == [
        ("warning", "notebooks", MOST, 1, 0)
    ]


async def test_a_client_who_never_asks_is_closed_before_one_who_has_asked(rooms: Rooms, notebook: Notebook) -> None:
    soon = timedelta(milliseconds=50)
    async with proxied(rooms, ProxySettings(head_timeout=soon, sweep=soon)) as (_, port), connected(port) as asking:
        assert (await asking.ask(get("/nb/7/x", KEY))).status == 200
        async with connected(port) as mute:
            assert await mute.is_closed()
        assert (await asking.ask(get("/nb/7/x", KEY))).status == 200
    assert len(notebook.requests) == 2
