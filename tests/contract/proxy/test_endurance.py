"""Clients and notebooks at their worst: slow, half gone, gone amid things, very many. Nothing of them stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.contract.proxy.world import (
    JUPYTER,
    KEY,
    SERVICE,
    Client,
    Notebook,
    Rooms,
    answering,
    connected,
    echoing,
    eventually,
    get,
    listening,
    proxied,
    read_request,
)
from trivium.resources.notebooks.ports import Address
from trivium.server.proxy import Proxy

MIB = 1 << 20


async def test_a_head_may_come_byte_by_byte(client: Client, notebook: Notebook) -> None:
    for byte in get("/nb/7/x", KEY) + get("/nb/7/y", KEY):
        await client.send(bytes([byte]))
    assert [(await client.answer()).status for _ in range(2)] == [200, 200]
    assert [request.target for request in notebook.requests] == ["/nb/7/x", "/nb/7/y"]


async def test_a_client_that_ends_its_half_is_gone(rooms: Rooms, running: tuple[Proxy, int]) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await read_request(reader)
        arrived.set()
        await reader.read()
        gone.set()

    async with listening(serve) as address, connected(running[1]) as client:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", KEY))
        await arrived.wait()
        client.writer.write_eof()
        assert await client.is_closed()
        await asyncio.wait_for(gone.wait(), 10)


async def test_what_was_answered_before_the_client_ended_its_half_comes(
    rooms: Rooms, running: tuple[Proxy, int]
) -> None:
    body = b"x" * 200_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with listening(answering(head + body)) as address, connected(running[1]) as client:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", KEY))
        await eventually(lambda: running[0].metrics.requests[200] == 1, what="all of the answer is handed over")
        client.writer.write_eof()
        assert (await client.answer()).body == body


async def test_a_client_that_leaves_amid_its_body_is_nobodys_request(rooms: Rooms, running: tuple[Proxy, int]) -> None:
    seen: list[bytes] = []
    begun, over = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.readuntil(b"\r\n\r\n")
        seen.append(await reader.readexactly(3))
        begun.set()
        seen.append(await reader.read())
        over.set()

    async with listening(serve) as address, connected(running[1]) as client:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", KEY, "Content-Length: 9", method="POST") + b"abc")
        await begun.wait()
        client.writer.transport.abort()
        await asyncio.wait_for(over.wait(), 10)
    assert seen == [b"abc", b""]


async def test_a_notebook_that_leaves_amid_its_answer_is_seen_to(rooms: Rooms, running: tuple[Proxy, int]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MIB + b"x" * 1000)
        await writer.drain()

    async with listening(serve) as address, connected(running[1]) as client:
        rooms.addresses[JUPYTER] = address
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.ask(get("/nb/7/x", KEY))


async def test_frames_of_a_mebibyte_come_through_whole(
    rooms: Rooms, running: tuple[Proxy, int], short_path: Path
) -> None:
    async with echoing(rooms, short_path / "w"):
        address = f"ws://127.0.0.1:{running[1]}/nb/7/x"
        async with connect(address, additional_headers={"Authorization": "token key"}, max_size=None) as client:
            for seed in range(5):
                message = bytes([seed, 255 - seed]) * (MIB // 2)
                await client.send(message)
                assert await client.recv() == message


async def test_many_clients_leave_no_descriptor_behind(rooms: Rooms, notebook: Notebook) -> None:
    del notebook
    before = _descriptors()
    async with proxied(rooms) as (proxy, port):
        for _ in range(3):
            clients = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(100)))
            for number, (_, writer) in enumerate(clients):
                writer.write(get(f"/nb/7/{number}", KEY) if number % 2 else get("/nb/7/x")[: number + 1])
            await asyncio.gather(*(reader.readuntil(b"\r\n\r\n") for reader, _ in clients[1::2]))
            for number, (_, writer) in enumerate(clients):
                if number % 3:
                    writer.close()
                else:
                    writer.transport.abort()
            await eventually(lambda: proxy.metrics.connections == 0, what="all are forgotten")
        proxy.close(notebook="7")
        await eventually(lambda: _descriptors() <= before + 1, what="only the listener is open")


async def test_a_port_that_somebody_else_accepts_on_gets_nothing(rooms: Rooms, client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        rooms.addresses[SERVICE] = Address(port=port)
        rooms.foreign.add(port)
        answer = await client.ask(get("/svc/7/x", KEY, "Accept: application/json"))
        assert (answer.status, answer.json()["code"]) == (503, "proxy.service_silent")
        accepted, _ = stranger.accept()
        with accepted:
            accepted.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert accepted.recv(1) == b""


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
