"""A proxy with as many clients as it takes: who is idle gives way, and nobody is shut out by those who say nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from tests.contract.proxy.world import (
    JUPYTER,
    KEY,
    Client,
    Notebook,
    Rooms,
    answering,
    connected,
    eventually,
    get,
    listening,
    proxied,
    read_request,
)
from tests.listening import Narrow, logs_in, passed
from tests.waiting import until_async
from trivium.server.proxy import CredentialSource, Endpoint, Kind, Proxy, ProxySettings

MOST = 4
MANY = 200  # answers that are more than a kernel keeps


@asynccontextmanager
async def small(rooms: Rooms) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy for a few clients."""
    async with proxied(rooms, ProxySettings(connections=MOST)) as made:
        yield made


async def silent(stack: AsyncExitStack, port: int, number: int) -> list[Client]:
    """So many clients who say nothing, one after the other."""
    return [await stack.enter_async_context(connected(port)) for _ in range(number)]


class Held:
    """A notebook that answers once it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()


@asynccontextmanager
async def held(rooms: Rooms) -> AsyncIterator[Held]:
    """Jupyter of notebook 7, which waits with its answers."""
    notebook = Held()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            notebook.asked += 1
            await notebook.answers.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    async with listening(serve) as address:
        rooms.addresses[JUPYTER] = address
        yield notebook


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
    async with held(rooms) as slow, small(rooms) as (proxy, port), AsyncExitStack() as stack:
        clients = await silent(stack, port, MOST)
        for number, client in enumerate(clients):  # each asks another notebook, none of which takes all the room
            there = Endpoint(notebook=str(number), kind=Kind.JUPYTER)
            rooms.addresses[there] = rooms.addresses[JUPYTER]
            rooms.let("ann", there, source=CredentialSource.HEADER, secret="key")
            await client.send(get(f"/nb/{number}/x", KEY))
        await eventually(lambda: slow.asked == MOST)
        async with connected(port) as other:
            assert (await other.answer()).status == 503
            assert await other.is_closed()
        slow.answers.set()
        assert [(await client.answer()).body for client in clients] == [b"hi"] * MOST
        assert (proxy.metrics.crowding.displaced, proxy.metrics.crowding.refused) == (0, 1)


async def test_clients_who_ask_and_never_read_shut_nobody_out(rooms: Rooms) -> None:
    settings = ProxySettings(connections=MOST, stalled=timedelta(milliseconds=100))
    async with held(rooms) as slow, proxied(rooms, settings) as (proxy, port), AsyncExitStack() as stack:
        waiting = await stack.enter_async_context(connected(port))
        await waiting.send(get("/nb/7/x", KEY))
        await eventually(lambda: slow.asked)
        for _ in range(MOST - 1):
            await stack.enter_context(Narrow(port)).send(get("/nb/7/x") * MANY)
        await eventually(lambda: proxy.metrics.requests[401] == MANY * (MOST - 1), what="all are answered")

        async def is_answered() -> bool:
            async with connected(port) as client:
                return (await client.ask(get("/nb/7/x"))).status == 401

        for _ in range(2 * MOST):
            await until_async(is_answered, what="a newcomer is answered")
        assert proxy.metrics.crowding.displaced >= 1
        slow.answers.set()
        assert (await waiting.answer()).body == b"hi"


async def test_who_reads_slowly_keeps_the_place(rooms: Rooms) -> None:
    size = 16 << 20
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, b"x" * size)
    settings = ProxySettings(connections=MOST, stalled=timedelta(milliseconds=500))
    async with (
        listening(answering(raw)) as address,
        proxied(rooms, settings) as (proxy, port),
        AsyncExitStack() as stack,
    ):
        rooms.addresses[JUPYTER] = address
        slow = stack.enter_context(Narrow(port, segment=None))
        await slow.send(get("/nb/7/x", KEY))
        for _ in range(MOST - 1):
            await stack.enter_context(Narrow(port)).send(get("/nb/7/x") * MANY)
        await eventually(lambda: proxy.metrics.requests[401] == MANY * (MOST - 1), what="all are answered")

        async def is_admitted() -> bool:
            await slow.read(32 * 1024)
            client = await stack.enter_async_context(connected(port))
            return (await client.ask(get("/nb/7/x"))).status == 401

        await until_async(is_admitted, within=5, what="there is room for a newcomer")
        for _ in range(2 * MOST):
            assert await is_admitted()
        assert await slow.read_body(size) == b"x" * size


async def test_who_is_closed_amid_an_answer_leaves_nothing_behind(rooms: Rooms) -> None:
    raw = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (16 << 20)
    settings = ProxySettings(connections=MOST, stalled=timedelta(milliseconds=100))
    async with listening(answering(raw)) as address, proxied(rooms, settings) as (proxy, port):
        rooms.addresses[JUPYTER] = address
        with Narrow(port) as deaf:
            await deaf.send(get("/nb/7/x", KEY))
            await eventually(lambda: rooms.asked)

            async def is_closed() -> bool:
                async with AsyncExitStack() as stack:
                    await silent(stack, port, MOST)
                    return proxy.metrics.requests[200] == 1

            await until_async(is_closed, what="the download is closed, and counted")


async def test_resets_are_no_fault(rooms: Rooms) -> None:
    log = io.BytesIO()
    with logs_in(log):
        async with held(rooms) as slow, small(rooms) as (proxy, port):
            with Narrow(port) as client:
                await client.send(get("/nb/7/x") + get("/nb/7/x", KEY) * 2)
                await eventually(lambda: slow.asked)
                client.reset()
            await eventually(lambda: proxy.metrics.connections == 0)
            slow.answers.set()
            async with connected(port) as other:
                assert (await other.ask(get("/nb/7/x", KEY))).body == b"hi"
    assert not [line for line in log.getvalue().splitlines() if msgspec.json.decode(line)["level"] == "error"]


async def test_one_notebook_does_not_take_all_the_room(rooms: Rooms, short_path: Path) -> None:
    other = Endpoint(notebook="8", kind=Kind.JUPYTER)
    rooms.let("bob", other, source=CredentialSource.HEADER, secret="key")
    settings = ProxySettings(connections=2 * MOST)
    async with held(rooms) as slow, proxied(rooms, settings) as (_, port), AsyncExitStack() as stack:
        rooms.addresses[other] = await stack.enter_async_context(listening(Notebook().serve, short_path / "s"))
        busy = await silent(stack, port, MOST)
        for client in busy:
            await client.send(get("/nb/7/x", KEY))
        await eventually(lambda: slow.asked == MOST)
        others = await silent(stack, port, MOST)
        for one in others:
            assert (await one.ask(get("/nb/7/x", KEY))).status == 503
        client = others[-1]
        assert (await client.ask(get("/nb/8/x", KEY))).status == 200
        slow.answers.set()
        assert [(await client.answer()).body for client in busy] == [b"hi"] * MOST
        assert (await client.ask(get("/nb/7/x", KEY))).status == 200  # whoever was answered counts no more


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
