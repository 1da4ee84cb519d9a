"""Requests reach the notebook and answers come back, byte for byte, on connections that go on."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.contract.proxy.world import (
    JUPYTER,
    KEY,
    SERVICE,
    TOKEN,
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
from tests.waiting import until_async
from trivium.server.proxy import Proxy

MIB = 1 << 20


def post(target: str, *fields: str) -> bytes:
    return get(target, KEY, *fields, method="POST")


async def test_a_request_reaches_the_notebook_and_its_answer_comes_back(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/api/status?a=1", KEY))
    assert answer.status == 200
    assert answer.json()["line"] == "GET /nb/7/api/status?a=1 HTTP/1.1"
    request = notebook.requests[0]
    assert request.first("host") == "127.0.0.1:8801"
    assert request.all("authorization") == [f"token {TOKEN}"]
    assert request.first("x-forwarded-for") == "127.0.0.1"


async def test_a_service_is_reached_over_a_port_without_its_prefix(client: Client, notebook: Notebook) -> None:
    assert (await client.ask(get("/svc/7/x/y?z", KEY))).status == 200
    request = notebook.requests[0]
    assert request.target == "/x/y?z"
    assert request.first("x-forwarded-prefix") == "/svc/7"
    assert request.all("authorization") == []


async def test_a_connection_serves_many_requests_and_so_does_the_one_behind(client: Client, notebook: Notebook) -> None:
    for number in range(5):
        assert (await client.ask(get(f"/nb/7/{number}", KEY))).status == 200
    assert notebook.connections == 1


async def test_every_request_of_a_connection_is_authorised(client: Client, notebook: Notebook) -> None:
    assert (await client.ask(get("/nb/7/1", KEY))).status == 200
    assert (await client.ask(get("/nb/7/2"))).status == 401
    assert (await client.ask(get("/nb/7/3", "Authorization: token wrong"))).status == 401
    assert (await client.ask(get("/nb/7/4", KEY))).status == 200
    assert [request.target for request in notebook.requests] == ["/nb/7/1", "/nb/7/4"]


@pytest.mark.usefixtures("notebook")
async def test_requests_that_are_sent_at_once_are_answered_in_order(client: Client) -> None:
    await client.send(b"".join(get(f"/nb/7/{number}", KEY) for number in range(20)))
    lines = [(await client.answer()).json()["line"] for _ in range(20)]
    assert lines == [f"GET /nb/7/{number} HTTP/1.1" for number in range(20)]


async def test_a_body_of_known_length_arrives(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(post("/nb/7/x", "Content-Length: 11") + b"hello world" + get("/nb/7/y", KEY))
    assert answer.json()["body"] == "hello world"
    assert (await client.answer()).json()["line"] == "GET /nb/7/y HTTP/1.1"
    assert notebook.requests[0].all("content-length") == ["11"]


async def test_a_chunked_body_arrives_wherever_it_is_cut(client: Client, notebook: Notebook) -> None:
    raw = post("/nb/7/x", "Transfer-Encoding: chunked", "Trailer: Token")
    for byte in raw + b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nToken: x\r\n\r\n":
        await client.send(bytes([byte]))
    assert (await client.answer()).json()["body"] == "hello world"
    assert notebook.requests[0].all("token") == []
    assert (await client.ask(get("/nb/7/y", KEY))).status == 200


async def test_an_empty_body_is_a_body(client: Client, notebook: Notebook) -> None:
    assert (await client.ask(post("/nb/7/x", "Content-Length: 0"))).status == 200
    assert notebook.requests[0].all("content-length") == ["0"]


async def test_who_asks_whether_to_go_on_is_told_so_when_it_may(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(post("/nb/7/x", "Content-Length: 3", "Expect: 100-continue"))
    assert answer.status == 100
    assert (await client.ask(b"abc")).json()["body"] == "abc"
    assert notebook.requests[0].all("expect") == []
    refused = get("/nb/7/x", "Content-Length: 3", "Expect: 100-continue", method="POST")
    assert (await client.ask(refused)).status == 401
    assert await client.is_closed()


async def test_another_expectation_is_refused(client: Client, notebook: Notebook) -> None:
    assert (await client.ask(get("/nb/7/", KEY, "Expect: wonders"))).status == 417
    assert notebook.requests == []


async def test_the_answer_to_head_has_no_body_and_the_connection_goes_on(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/x", KEY, method="HEAD"))
    assert int(answer.first("content-length") or 0) > 0
    assert (await client.ask(get("/nb/7/y", KEY))).status == 200
    assert notebook.connections == 1


@pytest.mark.parametrize("raw", [b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n"])
async def test_an_answer_without_a_body_ends_with_its_head(rooms: Rooms, raw: bytes) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with listening(answering(raw, ok)) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        assert (await client.ask(get("/nb/7/x", KEY))).status == int(raw[9:12])
        assert (await client.ask(get("/nb/7/x", KEY))).body == b"ok"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hint\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
async def test_an_answer_arrives_however_it_is_framed(rooms: Rooms, raw: bytes) -> None:
    async with listening(answering(raw, raw)) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        for _ in range(2):
            answer = await client.ask(get("/nb/7/x", KEY))
            assert (answer.status, answer.body, answer.first("x")) == (200, b"abcde", None)


@pytest.mark.parametrize("raw", [b"HTTP/1.0 200 OK\r\n\r\nabcde", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde"])
async def test_an_answer_that_ends_with_its_connection_is_chunked(rooms: Rooms, raw: bytes) -> None:
    serve = answering(raw, close=True)
    async with listening(serve) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        for _ in range(2):
            answer = await client.ask(get("/nb/7/x", KEY))
            assert answer.first("transfer-encoding") == "chunked"
            assert answer.body == b"abcde"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
        b"HTTP/1.0 200 OK\r\n\r\nabcde",
    ],
)
async def test_an_old_client_gets_plain_bytes_and_a_close(rooms: Rooms, raw: bytes) -> None:
    serve = answering(raw, close=True)
    async with listening(serve) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        answer = await client.ask(f"GET /nb/7/x HTTP/1.0\r\n{KEY}\r\n\r\n".encode())
        assert answer.first("transfer-encoding") is None
        assert answer.body == b"abcde"
        assert await client.is_closed()


async def test_who_asks_to_close_is_closed(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/x", KEY, "Connection: close"))
    assert answer.first("connection") == "close"
    assert await client.is_closed()
    assert notebook.requests[0].all("connection") == []


async def test_a_connection_that_the_notebook_closed_is_replaced(rooms: Rooms, short_path: Path) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await read_request(reader)
        writer.write(ok)
        await reader.readuntil(b"\r\n")  # the next request begins, and is not answered
        served += 1

    async with listening(serve, short_path / "s") as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        for _ in range(3):
            assert (await client.ask(get("/nb/7/x", KEY))).body == b"ok"
        assert served == 2


async def test_what_cannot_be_repeated_is_never_sent_twice(rooms: Rooms) -> None:
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        seen.append((await read_request(reader)).method)

    async with listening(serve) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        assert (await client.ask(post("/nb/7/x", "Content-Length: 3") + b"abc")).status == 502
        assert seen == ["POST"]


async def test_connections_are_not_lent_to_another_door(rooms: Rooms, notebook: Notebook) -> None:
    rooms.addresses[SERVICE] = rooms.addresses[JUPYTER]
    async with proxied(rooms) as (_, port), connected(port) as client:
        await client.ask(get("/nb/7/x", KEY))
        await client.ask(get("/svc/7/x", KEY))
        assert notebook.connections == 2


async def test_an_answer_before_the_body_is_over_arrives_and_ends_the_connection(rooms: Rooms) -> None:
    raw = b"HTTP/1.1 413 Too much\r\nContent-Length: 3\r\n\r\nbig"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await reader.read()

    async with listening(serve) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        answer = await client.ask(post("/nb/7/x", f"Content-Length: {64 * MIB}") + b"x" * MIB)
        assert (answer.status, answer.body) == (413, b"big")
        assert answer.first("connection") == "close"


async def test_an_answer_that_breaks_off_breaks_off_for_the_client(rooms: Rooms) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
    async with (
        listening(answering(raw, close=True)) as address,
        proxied(rooms) as (_, port),
        connected(port) as client,
    ):
        rooms.addresses[JUPYTER] = address
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.ask(get("/nb/7/x", KEY))


async def test_a_chunked_answer_that_breaks_off_has_no_last_chunk(rooms: Rooms) -> None:
    seen = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await seen.wait()
        writer.write(b"rubbish\r\n")
        await reader.read()

    async with listening(serve) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", KEY))
        await client.reader.readuntil(b"3\r\nabc\r\n")
        seen.set()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reader.readuntil(b"0\r\n\r\n")


async def test_an_answer_that_is_broken_from_its_beginning_is_a_bad_gateway(rooms: Rooms) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nrubbish\r\n"
    async with listening(answering(raw)) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        assert (await client.ask(get("/nb/7/x", KEY))).status == 502


async def test_a_large_answer_arrives_whole(rooms: Rooms) -> None:
    block = bytes(range(256)) * 256
    blocks = 256

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (blocks * len(block)))
        for _ in range(blocks):
            writer.write(block)
            await writer.drain()

    async with listening(serve) as address, proxied(rooms) as (proxy, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        answer = await client.ask(get("/nb/7/x", KEY))
        assert hashlib.sha256(answer.body).digest() == hashlib.sha256(block * blocks).digest()
        await eventually(lambda: proxy.metrics.sent == blocks * len(block), what="all is counted")


async def test_a_large_request_arrives_whole(rooms: Rooms) -> None:
    body = bytes(range(256)) * 65_536

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        digest = hashlib.sha256(request.body).hexdigest().encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + digest)
        await writer.drain()

    async with listening(serve) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        for framing, raw in (
            (f"Content-Length: {len(body)}", body),
            ("Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)),
        ):
            answer = await client.ask(post("/nb/7/x", framing) + raw)
            assert answer.body == hashlib.sha256(body).hexdigest().encode()


async def test_a_notebook_is_not_read_faster_than_the_client_takes(rooms: Rooms, short_path: Path) -> None:
    written = 0
    total = 512 * MIB

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while written < total:
            writer.write(b"x" * MIB)
            await writer.drain()
            written += MIB

    async with listening(serve, short_path / "s") as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", KEY))
        await client.reader.readuntil(b"\r\n\r\n")
        await _settled(lambda: written)
        assert 0 < written < 64 * MIB


async def test_a_client_is_not_read_faster_than_the_notebook_takes(rooms: Rooms, short_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.get_running_loop().create_future()  # takes no more than what fits

    async with listening(serve, short_path / "s") as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        client.writer.write(post("/nb/7/x", f"Content-Length: {64 * MIB}") + b"x" * (64 * MIB))
        await _settled(client.writer.transport.get_write_buffer_size)
        assert client.writer.transport.get_write_buffer_size() > 32 * MIB
        client.writer.transport.abort()


async def test_a_client_that_leaves_ends_the_request_behind(
    client: Client, rooms: Rooms, running: tuple[Proxy, int]
) -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await read_request(reader)
        await reader.read()
        gone.set()

    async with listening(serve) as address:
        rooms.addresses[JUPYTER] = address
        await client.send(get("/nb/7/x", KEY))
        await eventually(lambda: rooms.asked, what="the request arrives")
        client.writer.close()
        await asyncio.wait_for(gone.wait(), 10)
    await eventually(lambda: running[0].metrics.connections == 0, what="the connection is forgotten")


async def _settled(measure: object) -> None:
    """Return when a number has not changed for some looks in a row."""
    seen: list[int] = []

    async def is_settled() -> bool:
        seen.append(measure())  # type: ignore[operator]
        return len(seen) > 10 and len(set(seen[-10:])) == 1

    await until_async(is_settled, what="it settles")
