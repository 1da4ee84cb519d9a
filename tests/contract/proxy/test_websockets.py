"""WebSockets: opened only after both sides agreed, carried as they are, and cut when the right is gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.contract.proxy.world import (
    JUPYTER,
    TOKEN,
    Notebook,
    Rooms,
    answering,
    connected,
    echoing,
    eventually,
    get,
    listening,
    proxied,
)
from trivium.server.proxy import Proxy, ProxySettings

KEY = {"Authorization": "token key"}
HANDSHAKE = (
    "Authorization: token key",
    "Connection: keep-alive, Upgrade",
    "Upgrade: WebSocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
AGREED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def url(port: int, query: str = "") -> str:
    return f"ws://127.0.0.1:{port}/nb/7/api/kernels/1/channels{query}"


async def test_messages_go_both_ways(rooms: Rooms, running: tuple[Proxy, int], short_path: Path) -> None:
    proxy, port = running
    async with echoing(rooms, short_path / "w") as seen:
        async with connect(url(port, "?a=b&token=x"), additional_headers=KEY, max_size=None) as socket:
            for message in ("hello", b"\x00" * 3_000_000, "中文"):
                await socket.send(message)
                assert await socket.recv() == message
            assert proxy.metrics.tunnels == 1
        request = seen[0].request
        assert request is not None
        assert request.path == "/nb/7/api/kernels/1/channels?a=b"
        assert request.headers.get_all("Authorization") == [f"token {TOKEN}"]
    await _count(proxy, 0)


async def test_the_end_is_passed_on(rooms: Rooms, running: tuple[Proxy, int], short_path: Path) -> None:
    async with echoing(rooms, short_path / "w") as seen:
        async with connect(url(running[1]), additional_headers=KEY) as socket:
            await socket.close(4001, "enough")
        await seen[0].wait_closed()
        assert (seen[0].close_code, seen[0].close_reason) == (4001, "enough")
        async with connect(url(running[1]), additional_headers=KEY) as socket:
            await eventually(lambda: len(seen) == 2)
            await seen[1].close(4002, "over")
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 4002


async def test_a_link_and_a_cookie_open_websockets(rooms: Rooms, running: tuple[Proxy, int], short_path: Path) -> None:
    port = running[1]
    own = f"http://127.0.0.1:{port}"
    async with echoing(rooms, short_path / "w"):
        async with connect(url(port, "?token=ticket"), origin=own) as socket:  # type: ignore[arg-type]
            assert await _echo(socket)
        cookie = {"Cookie": "trivium-nb-7=grant-of-ann"}
        async with connect(url(port), additional_headers=cookie, origin=own) as socket:  # type: ignore[arg-type]
            assert await _echo(socket)


@pytest.mark.parametrize(
    ("fields", "origin", "status"),
    [
        ({}, None, 401),
        ({"Authorization": "token wrong"}, None, 401),
        (KEY, "http://evil.example", 403),
        (KEY, "null", 403),
        ({"Cookie": "trivium-nb-7=grant-of-ann"}, "http://127.0.0.1:1", 403),
    ],
)
async def test_strangers_and_their_pages_get_no_websocket(
    rooms: Rooms,
    running: tuple[Proxy, int],
    short_path: Path,
    *,
    fields: dict[str, str],
    origin: str | None,
    status: int,
) -> None:
    async with echoing(rooms, short_path / "w") as seen:
        with pytest.raises(InvalidStatus) as raised:
            async with connect(url(running[1]), additional_headers=fields, origin=origin):  # type: ignore[arg-type]
                pass
        assert raised.value.response.status_code == status
        assert seen == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (get("/nb/7/", *HANDSHAKE, method="POST"), 400),
        (get("/nb/7/", *HANDSHAKE, "Content-Length: 3") + b"abc", 400),
        (get("/nb/7/", *HANDSHAKE[:-1]), 400),
        (get("/nb/7/", *HANDSHAKE[:-1], "Sec-WebSocket-Key: x"), 400),
        (get("/nb/7/", *HANDSHAKE[:-2], HANDSHAKE[-1]), 426),
        (get("/nb/7/", *HANDSHAKE) + get("/nb/7/hidden", HANDSHAKE[0]), 400),
    ],
)
async def test_a_handshake_that_is_none_is_refused(
    running: tuple[Proxy, int], notebook: Notebook, raw: bytes, status: int
) -> None:
    async with connected(running[1]) as client:
        assert (await client.ask(raw)).status == status
        assert await client.is_closed()
    assert notebook.requests == []


async def test_data_before_the_agreement_ends_the_handshake(rooms: Rooms, running: tuple[Proxy, int]) -> None:
    async with listening(answering(b"")) as address, connected(running[1]) as client:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/", *HANDSHAKE))
        await eventually(lambda: rooms.asked)
        assert (await client.ask(get("/nb/7/hidden"))).status == 400
        assert await client.is_closed()


async def test_an_answer_that_is_no_agreement_is_an_answer(running: tuple[Proxy, int], notebook: Notebook) -> None:
    async with connected(running[1]) as client:
        assert (await client.ask(get("/nb/7/", *HANDSHAKE))).status == 200
        assert (await client.ask(get("/nb/7/hidden"))).status == 401
    assert notebook.requests[0].first("upgrade") == "websocket"
    assert len(notebook.requests) == 1


@pytest.mark.parametrize(
    "raw",
    [
        AGREED.replace(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"xxxPLMBiTxaQ9kYGzzhZRbK+xOo="),
        AGREED.replace(b"Upgrade: websocket", b"Upgrade: h2c"),
        AGREED.replace(b"Connection: Upgrade\r\n", b""),
    ],
)
async def test_a_false_agreement_is_a_bad_gateway(rooms: Rooms, running: tuple[Proxy, int], raw: bytes) -> None:
    async with listening(answering(raw)) as address, connected(running[1]) as client:
        rooms.addresses[JUPYTER] = address
        assert (await client.ask(get("/nb/7/", *HANDSHAKE))).status == 502


async def test_frames_that_come_with_the_agreement_arrive(rooms: Rooms, running: tuple[Proxy, int]) -> None:
    async with listening(answering(AGREED + b"\x81\x02hi")) as address, connected(running[1]) as client:
        rooms.addresses[JUPYTER] = address
        assert (await client.ask(get("/nb/7/", *HANDSHAKE))).status == 101
        assert await client.reader.readexactly(4) == b"\x81\x02hi"


async def test_other_upgrades_are_plain_requests(running: tuple[Proxy, int], notebook: Notebook) -> None:
    fields = ("Authorization: token key", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x")
    async with connected(running[1]) as client:
        assert (await client.ask(get("/nb/7/", *fields))).status == 200
    for name in ("upgrade", "connection", "http2-settings"):
        assert notebook.requests[0].all(name) == []


async def test_a_websocket_is_cut_when_its_notebook_stops(
    rooms: Rooms, running: tuple[Proxy, int], short_path: Path
) -> None:
    proxy, port = running
    async with echoing(rooms, short_path / "w"), connect(url(port), additional_headers=KEY) as socket:
        assert await _echo(socket)
        assert proxy.close(notebook="8") == 0
        assert proxy.close(subject="bob") == 0
        assert proxy.close() == 0
        assert await _echo(socket)
        assert proxy.close(notebook="7", subject="ann") == 1
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert proxy.metrics.cut == 1


async def test_a_websocket_is_cut_soon_after_its_right_was_withdrawn(rooms: Rooms, short_path: Path) -> None:
    settings = ProxySettings(recheck=timedelta(milliseconds=20))
    async with echoing(rooms, short_path / "w"), proxied(rooms, settings) as (proxy, port):
        async with connect(url(port), additional_headers=KEY) as socket:
            assert await _echo(socket)
            rooms.failure = RuntimeError("nobody can tell")
            rooms.withdraw("ann")
            await eventually(lambda: rooms.rechecks, what="somebody looks again")
            assert await _echo(socket)
            assert proxy.metrics.cut == 0
            rooms.failure = None
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        await _count(proxy, 0)


async def test_stopping_ends_websockets_at_once_and_lets_requests_end(rooms: Rooms, short_path: Path) -> None:
    asked = asyncio.Event()
    go_on = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await go_on.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async with (
        echoing(rooms, short_path / "w"),
        proxied(rooms) as (proxy, port),
        connect(url(port), additional_headers=KEY) as socket,
        connected(port) as client,
        connected(port) as idle,
        listening(serve) as address,
    ):
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", HANDSHAKE[0]))
        await asked.wait()
        stopping = asyncio.create_task(proxy.stop(timedelta(seconds=20)))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert await idle.is_closed()
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection("127.0.0.1", port)
        go_on.set()
        answer = await client.answer()
        assert (answer.body, answer.first("connection")) == (b"ok", "close")
        await stopping
        assert proxy.metrics.connections == 0


async def test_stopping_waits_no_longer_than_it_was_told(rooms: Rooms) -> None:
    async with listening(answering(b"")) as address, proxied(rooms) as (proxy, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", HANDSHAKE[0]))
        await eventually(lambda: rooms.asked)
        await proxy.stop(timedelta(milliseconds=20))
        assert await client.is_closed()


async def _echo(socket: ClientConnection) -> bool:
    await socket.send("hello")
    return await socket.recv() == "hello"


async def _count(proxy: Proxy, expected: int) -> None:
    await eventually(lambda: proxy.metrics.tunnels == expected, what="the WebSocket is forgotten")
