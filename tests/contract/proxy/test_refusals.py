"""No request hides in another: what is not plain HTTP/1.1 is refused, and its connection ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

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
)
from trivium.resources.notebooks.ports import Address
from trivium.server.proxy import Proxy, ProxySettings

POST = "POST /nb/7/x HTTP/1.1\r\nHost: h\r\nAuthorization: token key\r\n"
HIDDEN = "GET /nb/7/hidden HTTP/1.1\r\nHost: h\r\nAuthorization: token key\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
        (POST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
        (POST + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + HIDDEN, 400),
        (POST + "Content-Length: 0, 44\r\n\r\n" + HIDDEN, 400),
        (POST + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400),
        (POST + "Transfer-Encoding: xchunked\r\n\r\n" + HIDDEN, 400),
        (POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 501),
        (POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
        (POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
        (POST + "Content-Length:\r\n 5\r\n\r\nabcde", 400),
        (POST + "X: y\nContent-Length: 5\r\n\r\n" + HIDDEN, 400),
        (POST + "X: y\rContent-Length: 5\r\n\r\n" + HIDDEN, 400),
        (POST.replace("\r\n", "\n") + "\n", 400),
        (POST + "X: \x00\r\n\r\n", 400),
        (POST.replace("1.1", "1.0") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
        (POST.replace("1.1", "2.0") + "\r\n", 505),
        (POST.replace("Host: h\r\n", "") + "\r\n", 400),
        (POST + "Host: h\r\n\r\n", 400),
        (POST + "Host: other\r\n\r\n", 400),
        (POST.replace("Host: h", "Host: h/x") + "\r\n", 400),
        (POST.replace("/nb/7/x", "http://other/nb/7/x") + "\r\n", 400),
        (POST.replace("/nb/7/x", "*") + "\r\n", 400),
        (POST.replace("POST /nb/7/x", "CONNECT h:80") + "\r\n", 405),
        (POST.replace("POST", "TRACE") + "\r\n", 405),
        (POST.replace("POST", "FROB") + "\r\n", 501),
        (POST + "X: " + "y" * 70_000 + "\r\n\r\n", 431),
        (POST + "X: y\r\n" * 200 + "\r\n", 431),
        (POST.replace("/nb/7/x", "/nb/7/" + "x" * 20_000) + "\r\n", 414),
        ("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 400),
    ],
)
async def test_what_could_hide_a_request_is_refused(client: Client, notebook: Notebook, raw: str, status: int) -> None:
    answer = await client.ask(raw.encode("latin-1"))
    assert answer.status == status
    assert answer.first("connection") == "close"
    assert await client.is_closed()
    assert notebook.requests == []


async def test_an_absolute_address_of_ours_is_taken(client: Client, notebook: Notebook) -> None:
    assert (await client.ask(get("http://H:1/nb/7/x?y", KEY, host="h:1"))).status == 200
    assert notebook.requests[0].target == "/nb/7/x?y"


@pytest.mark.parametrize(
    "body", [b"g\r\n", b"5\nabcde\r\n", b"5\r\nabcdeX\r\n0\r\n\r\n", b"5\r\nabcde\r\n0\r\nA B\r\n\r\n", b"-5\r\n"]
)
async def test_broken_chunks_end_the_request(client: Client, notebook: Notebook, body: bytes) -> None:
    head = get("/nb/7/x", KEY, "Transfer-Encoding: chunked", method="POST")
    answer = await client.ask(head + body + HIDDEN.encode())
    assert answer.status == 400
    assert await client.is_closed()
    assert notebook.requests == []


async def test_a_body_that_was_not_let_in_is_not_taken_for_a_request(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/x", f"Content-Length: {len(HIDDEN)}", method="POST") + HIDDEN.encode())
    assert answer.status == 401
    assert await client.is_closed()
    assert notebook.requests == []


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: trivium-nb-7=x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_a_notebook_that_does_not_speak_http_is_a_bad_gateway(rooms: Rooms, raw: bytes) -> None:
    serve = answering(raw, close=True)
    async with listening(serve) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        assert (await client.ask(get("/nb/7/x", KEY))).status == 502


async def test_bytes_after_an_answer_are_never_taken_for_the_next(rooms: Rooms) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    async with listening(answering(raw + evil)) as address, proxied(rooms) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        for _ in range(3):
            assert (await client.ask(get("/nb/7/x", KEY))).body == b"ok"


async def test_a_notebook_that_does_not_listen_is_unavailable(rooms: Rooms, client: Client) -> None:
    async with listening(answering()) as address:
        pass
    rooms.addresses[JUPYTER] = address
    assert (await client.ask(get("/nb/7/x", KEY))).status == 503
    rooms.addresses[JUPYTER] = Address(socket="/nonexistent/s")  # type: ignore[arg-type]
    assert (await client.ask(get("/nb/7/x", KEY))).status == 503


async def test_a_notebook_that_does_not_answer_in_time_is_given_up(rooms: Rooms) -> None:
    soon = timedelta(milliseconds=50)
    patience = ProxySettings(answer_timeout=soon, sweep=soon)
    async with listening(answering(b"")) as address, proxied(rooms, patience) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        assert (await client.ask(get("/nb/7/x", KEY))).status == 504


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /nb/7/x HT",
        get("/nb/7/x", KEY, "Content-Length: 9", method="POST") + b"abc",
        get("/nb/7/x", KEY, "Transfer-Encoding: chunked", method="POST") + b"3\r\nab",
    ],
)
async def test_who_does_not_finish_is_not_waited_for(rooms: Rooms, notebook: Notebook, beginning: bytes) -> None:
    soon = timedelta(milliseconds=50)
    patience = ProxySettings(head_timeout=soon, body_timeout=soon, sweep=soon, linger=soon)
    async with proxied(rooms, patience) as (proxy, port), connected(port) as client:
        assert (await client.ask(beginning)).status == 408
        assert await client.is_closed()
        await _forgotten(proxy)
    assert notebook.requests == []


async def test_who_says_nothing_is_closed_without_a_word(rooms: Rooms) -> None:
    soon = timedelta(milliseconds=50)
    async with proxied(rooms, ProxySettings(idle_timeout=soon, sweep=soon)) as (_, port), connected(port) as client:
        assert await client.is_closed()


async def test_who_does_not_take_the_answer_is_cut_off(rooms: Rooms) -> None:
    soon = timedelta(milliseconds=50)
    raw = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (64 << 20)
    settings = ProxySettings(stall_timeout=soon, sweep=soon)
    async with listening(answering(raw)) as address, proxied(rooms, settings) as (proxy, port):
        rooms.addresses[JUPYTER] = address
        async with connected(port) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.send(get("/nb/7/x", KEY))
            await eventually(lambda: rooms.asked)
            await _forgotten(proxy)


PIECES = [
    b"GET /nb/7/x HTTP/1.1\r\n",
    b"POST /svc/7/ HTTP/1.0\r\n",
    b"Host: h\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Authorization: token key\r\n",
    b"\r\n",
    b"abc",
    b"0\r\n\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"Expect: 100-continue\r\n",
    b"\n",
    b"\x00",
    b"Cookie: trivium-nb-7=%\r\n",
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
]


@pytest_asyncio.fixture
async def hasty(rooms: Rooms, notebook: Notebook) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy that waits for nobody."""
    del notebook
    soon = timedelta(milliseconds=20)
    patience = ProxySettings(
        head_timeout=soon, body_timeout=soon, idle_timeout=soon, answer_timeout=soon, sweep=soon, linger=soon
    )
    async with proxied(rooms, patience) as hasty:
        yield hasty


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(raw=b"GET /nb/7/ HTTP/1.1\r\nHost: \xb2\r\n\r\n")
@given(raw=st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
async def test_no_bytes_are_a_fault_of_ours(raw: bytes, hasty: tuple[Proxy, int]) -> None:
    proxy, port = hasty
    async with connected(port) as client:
        await client.send(raw)
        while not await client.is_closed():
            pass
    await _forgotten(proxy)
    assert proxy.metrics.requests[500] == 0


async def _forgotten(proxy: Proxy) -> None:
    await eventually(lambda: proxy.metrics.connections == 0, what="the connection is forgotten")
