"""The fast path does what an exchange does for the same request, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.contract.proxy.world import (
    JUPYTER,
    KEY,
    TOKEN,
    Answer,
    Client,
    Notebook,
    Rooms,
    both_listening,
    connected,
    eventually,
    get,
    listening,
    proxied,
    read_request,
)
from trivium.server.proxy import CredentialSource, Proxy, ProxySettings

FIELDS = (KEY, "Accept: */*", "Cookie: a=b; trivium-nb-7=x", "X-Forwarded-For: 1.2.3.4", "Connection: keep-alive")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Told:
    """A notebook that answers with what it is told to, in pieces, and remembers the heads that it got."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.closes = False
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in self.answers or [OK]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if self.closes:
                return


@pytest_asyncio.fixture
async def told(rooms: Rooms, short_path: Path) -> AsyncIterator[Told]:
    """What is behind both addresses of notebook 7."""
    told = Told()
    async with both_listening(rooms, told.serve, short_path / "s"):
        yield told


async def warm(client: Client, *fields: str, target: str = "/nb/7/x") -> None:
    """Ask until there is a plan for these fields."""
    for _ in range(3):
        assert (await client.ask(get(target, *fields))).status == 200


ANSWERS = st.sampled_from(
    [
        [OK],
        [OK[:20], OK[20:]],
        [OK[:-1], OK[-1:]],
        [b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nSet-Cookie: trivium-nb-8=x\r\nSet-Cookie: a=b; Path=/\r\n\r\n"],
        [b"HTTP/1.1 302 Away\r\nContent-Length: 0\r\nLocation: /else\r\nAlt-Svc: x\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nConnection: X-Mine, keep-alive\r\nX-Mine: y\r\nContent-Length: 2\r\n\r\nok"],
        [b"HTTP/1.1 100 Go\r\n\r\n" + OK],
        [b"HTTP/1.1 204 No\r\n\r\n"],
        [b"HTTP/1.1 304 No\r\nContent-Length: 7\r\nETag: x\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
        [b"rubbish\r\n\r\n"],
        [OK + b"more"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", b"x" * 200_000],
        [b"HTTP/1.1 101 Up\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"],
    ]
)
TARGETS = st.sampled_from(
    [
        "/nb/7/x",
        "/nb/7/x?a=b",
        "/nb/7/%41",
        "/nb/7/?token=wrong",
        "/nb/7/?tok%65n=wrong",
        "/svc/7/x?y",
        "/nb/7",
        "/nb/77/x",
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(answers=[OK], target="/nb/7/x?y", closes=True)
@given(answers=ANSWERS, target=TARGETS, closes=st.booleans())
async def test_the_fast_path_and_an_exchange_come_to_the_same(
    told: Told, running: tuple[Proxy, int], answers: list[bytes], target: str, *, closes: bool
) -> None:
    seen: list[tuple[list[bytes], object]] = []
    for fields in (FIELDS, (*FIELDS, "X-Never-Seen: 1")):
        async with connected(running[1]) as client:
            told.answers, told.closes = [], False
            await warm(client, *FIELDS)
            await warm(client, *FIELDS, target="/svc/7/x")
            told.answers, told.closes = answers, closes
            told.heads.clear()
            last = await asyncio.wait_for(client.ask(get(target, *fields)), 10)
            heads = [head.replace(b"X-Never-Seen: 1\r\n", b"") for head in told.heads]
            seen.append((heads, _plainly(last)))
        running[0].close(notebook="7")  # what is kept open is not left to the other
    assert seen[0] == seen[1]


async def test_a_right_that_is_gone_is_gone_on_the_fast_path(client: Client, rooms: Rooms, told: Told) -> None:
    await warm(client, *FIELDS)
    rooms.withdraw("ann")
    assert (await client.ask(get("/nb/7/x", *FIELDS))).status == 401
    rooms.let("ann", JUPYTER, source=CredentialSource.HEADER, secret="key")
    await warm(client, *FIELDS)
    rooms.stopped.add("7")
    assert (await client.ask(get("/nb/7/x", *FIELDS))).status == 503
    assert len(told.heads) == 6


async def test_a_notebook_that_closed_meanwhile_is_asked_anew(client: Client, told: Told) -> None:
    for _ in range(4):
        await warm(client, *FIELDS)
        told.closes = True
        assert (await client.ask(get("/nb/7/x", *FIELDS))).status == 200
        told.closes = False


async def test_requests_that_come_while_one_is_under_way_wait_for_it(client: Client, told: Told) -> None:
    await warm(client, *FIELDS)
    told.heads.clear()
    for number in range(5):
        await client.send(get(f"/nb/7/{number}", *FIELDS))
    for _ in range(5):
        assert (await client.answer()).body == b"ok"
    assert [head.split(b" ")[1] for head in told.heads] == [b"/nb/7/%d" % number for number in range(5)]


async def test_a_request_on_the_fast_path_is_cut_and_counted_as_any(rooms: Rooms) -> None:
    asked = asyncio.Event()
    answers = 3

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answers
        while True:
            await read_request(reader)
            if not answers:
                asked.set()
                await reader.read()
                return
            answers -= 1
            writer.write(OK)

    async with listening(serve) as address, proxied(rooms) as (proxy, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        await warm(client, *FIELDS)
        await client.send(get("/nb/7/x", *FIELDS))
        await asked.wait()
        assert proxy.close(notebook="7", subject="ann") == 1
        assert (await client.answer()).status == 503
        await eventually(lambda: proxy.metrics.requests[503] == 1)
        assert proxy.metrics.requests[200] == 3


async def test_a_request_on_the_fast_path_is_waited_for_as_any(rooms: Rooms) -> None:
    soon = timedelta(milliseconds=50)
    answers = 3

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answers
        while answers:
            await read_request(reader)
            answers -= 1
            writer.write(OK)
        await reader.read()

    patience = ProxySettings(answer_timeout=soon, sweep=soon)
    async with listening(serve) as address, proxied(rooms, patience) as (_, port), connected(port) as client:
        rooms.addresses[JUPYTER] = address
        await warm(client, *FIELDS)
        assert (await client.ask(get("/nb/7/x", *FIELDS))).status == 504


async def test_another_clients_fields_do_not_speak_for_it(rooms: Rooms, notebook: Notebook) -> None:
    async with proxied(rooms) as (_, port):
        async with connected(port) as client:
            await warm(client, *FIELDS)
        _, writer = other = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
        assert (await Client(*other).ask(get("/nb/7/x", *FIELDS))).status == 200
        writer.close()
    assert [request.first("x-forwarded-for") for request in notebook.requests] == ["127.0.0.1"] * 3 + ["127.0.0.2"]


def _plainly(answer: Answer) -> object:
    return answer.line, answer.fields, answer.body


async def test_no_two_clients_get_each_others_answers(rooms: Rooms, told: Told, running: tuple[Proxy, int]) -> None:
    rooms.let("ben", JUPYTER, source=CredentialSource.HEADER, secret="bens-key")
    bens = ("Authorization: token bens-key", *FIELDS[1:])
    async with connected(running[1]) as ann, connected(running[1]) as ben:
        await warm(ann, *FIELDS)
        await warm(ben, *bens)
        for name, client, fields in (("ann", ann, FIELDS), ("ben", ben, bens)) * 3:
            cookie = f"Set-Cookie: of={name}\r\n".encode()
            told.answers = [OK.replace(b"\r\n\r\n", b"\r\n" + cookie + b"\r\n")]
            answer = await client.ask(get("/nb/7/x", *fields))
            assert answer.all("set-cookie") == [f"of={name}; Path=/nb/7/"]
        rooms.withdraw("ben")
        assert (await ben.ask(get("/nb/7/x", *bens))).status == 401
        assert (await ann.ask(get("/nb/7/x", *FIELDS))).status == 200


async def test_the_same_fields_lead_to_another_endpoint_by_another_path(client: Client, told: Told) -> None:
    await warm(client, *FIELDS)
    for _ in range(3):
        assert (await client.ask(get("/svc/7/x", *FIELDS))).status == 200
        assert told.heads[-1].startswith(b"GET /x HTTP/1.1\r\n")
        assert TOKEN.encode() not in told.heads[-1]
        assert (await client.ask(get("/nb/7/x", *FIELDS))).status == 200
        assert told.heads[-1].startswith(b"GET /nb/7/x HTTP/1.1\r\n")
        assert TOKEN.encode() in told.heads[-1]
