"""A listener with as many clients as it takes: who is idle gives way, and who is busy does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from tests.listening import Client, Listener, Narrow, listening, passed
from tests.tongues import Gate, Tongue, operation
from tests.waiting import until_async
from trivium.dialects.operation import Reply, Request
from trivium.server.http import Patience

MOST = 3
FED = 16 << 20
WAIT = operation("wait", "GET", "/t/wait")
TAKE = operation("take", "POST", "/t/take")
FEED = operation("feed", "GET", "/t/feed")
ASK_FEED = b"GET /t/feed HTTP/1.1\r\nHost: a\r\n\r\n"
NOPE = b"GET /nope HTTP/1.1\r\nHost: a\r\n\r\n"
SHORT = b"POST /t/take HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nshort"


async def hung_up(client: Client) -> None:
    """Return when the server has closed the connection."""
    with contextlib.suppress(ConnectionResetError):
        assert await client.reader.read() == b""


async def feed(request: Request) -> Reply:
    """A good deal more than what a kernel keeps."""
    del request
    return Reply(status=200, body=b"x" * FED)


def answered(listener: Listener, number: int) -> Callable[[], Awaitable[bool]]:
    """Whether so many requests were, as the log tells."""

    async def holds() -> bool:
        return sum(line["event"] == "request" for line in listener.logged()) >= number

    return holds


async def counted(listener: Listener, name: str) -> int:
    """A counter of the listener's, asked for on a connection that was there before."""
    text = (await listener.ask("GET", "/metrics")).body.decode()
    return int(
        float(next(line.split()[1] for line in text.splitlines() if line.startswith(f'{name}{{listener="apis"')))
    )


async def test_clients_who_say_nothing_shut_nobody_out() -> None:
    async with listening(most=MOST) as listener:
        for _ in range(3):
            for _ in range(3 * MOST):
                await listener.connect()
            assert (await listener.ask("GET", "/healthz")).status == 200
        assert await counted(listener, "trivium_connections_displaced_total") >= 8 * MOST
        assert await counted(listener, "trivium_connections_refused_total") == 0
        told = [line for line in listener.logged() if line["event"] == "listener.full"]
    assert [(line["level"], line["listener"], line["most"], line["displaced"]) for line in told] == [
        ("warning", "apis", MOST, 1)
    ]


async def test_who_has_been_idle_for_longest_gives_way() -> None:
    async with listening(most=MOST) as listener:
        first, second = await listener.connect(), await listener.connect()
        for client in (first, second, first):
            await passed()
            assert (await client.ask("GET", "/healthz")).status == 200
        await passed()
        for _ in range(MOST - 1):
            await listener.connect()
        await hung_up(second)
        assert (await first.ask("GET", "/healthz")).status == 200


async def test_who_has_a_request_under_way_keeps_the_place() -> None:
    gate = Gate()
    async with listening(Tongue("tongue", (WAIT,), {"wait": gate}), most=1) as listener:
        busy = await listener.connect()
        await busy.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        await gate.entered.wait()
        other = await listener.connect()
        answer = await other.ask("GET", "/healthz")
        assert (answer.status, answer.json["error"], answer.header("connection")) == (503, "full", "close")
        assert await other.is_closed()
        gate.open.set()
        assert [(await busy.answer()).status for _ in range(2)] == [200, 200]


async def test_a_body_that_never_ends_holds_a_place_only_while_nobody_wants_it() -> None:
    gate = Gate()
    async with listening(Tongue("tongue", (WAIT, TAKE), {"wait": gate}), most=2) as listener:
        busy, slow = await listener.connect(), await listener.connect()
        await busy.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await slow.send(SHORT)
        await gate.entered.wait()
        assert (await listener.ask("GET", "/healthz")).status == 200
        await hung_up(slow)
        gate.open.set()
        assert (await busy.answer()).status == 200


async def test_clients_who_ask_and_never_read_shut_nobody_out() -> None:
    gate = Gate()
    async with listening(
        Tongue("tongue", (WAIT, FEED), {"wait": gate, "feed": feed}), most=MOST, stalled=0.1
    ) as listener:
        waiting = await listener.connect()
        await waiting.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await gate.entered.wait()
        with ExitStack() as stack:
            for _ in range(MOST - 1):
                await stack.enter_context(Narrow(listener.port)).send(ASK_FEED)
            await until_async(answered(listener, MOST - 1), what="all are answered")

            async def is_admitted() -> bool:
                return (await listener.ask("GET", "/healthz")).status == 200

            for _ in range(2 * MOST):
                await until_async(is_admitted, what="a newcomer is answered")
        gate.open.set()
        assert (await waiting.answer()).status == 200


async def test_who_reads_slowly_keeps_the_place() -> None:
    async with listening(Tongue("tongue", (FEED,), {"feed": feed}), most=2, stalled=0.5) as listener:
        with Narrow(listener.port, segment=None) as slow, Narrow(listener.port) as deaf:
            await slow.send(ASK_FEED)
            await deaf.send(ASK_FEED)
            await until_async(answered(listener, 2), what="all are answered")

            async def is_admitted() -> bool:
                await slow.read(32 * 1024)
                return (await listener.ask("GET", "/healthz")).status == 200

            await until_async(is_admitted, within=5, what="there is room for a newcomer")
            for _ in range(3):
                assert await is_admitted()
            assert await slow.read_body(FED) == b"x" * FED


async def test_a_client_that_does_not_take_its_answer_is_hung_up_on() -> None:
    async with listening(Tongue("tongue", (FEED,), {"feed": feed}), most=1, patience=Patience(stall=0.5)) as listener:
        with Narrow(listener.port) as deaf:
            await deaf.send(ASK_FEED)

            async def is_admitted() -> bool:
                return (await listener.ask("GET", "/healthz")).status == 200

            await until_async(answered(listener, 1), what="all are answered")
            await until_async(is_admitted, what="there is room for a newcomer")


async def test_resets_are_no_fault() -> None:
    gate = Gate()
    async with listening(Tongue("tongue", (WAIT, TAKE), {"wait": gate}), most=1) as listener:
        with Narrow(listener.port) as client:
            await client.send(NOPE + b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
            await gate.entered.wait()
            client.reset()

        async def is_admitted() -> bool:
            return (await listener.ask("GET", "/healthz")).status == 200

        await until_async(is_admitted, what="the client is gone")
        gate.open.set()
        assert await is_admitted()
        assert not [line for line in listener.logged() if line["level"] == "error"]


async def test_clients_who_are_turned_away_do_not_linger_without_end() -> None:
    gate = Gate()
    async with listening(Tongue("tongue", (WAIT,), {"wait": gate}), most=1) as listener:
        busy = await listener.connect()
        await busy.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await gate.entered.wait()
        crowd = [await listener.connect() for _ in range(100)]
        gone = [asyncio.ensure_future(_ends(client)) for client in crowd]

        async def some() -> bool:
            return sum(one.done() for one in gone) >= 30

        await until_async(some, what="the first of them were closed")
        gate.open.set()
        assert (await busy.answer()).status == 200
        for one in gone:
            one.cancel()


async def _ends(client: Client) -> None:
    """Return when the connection is gone, which its end of what it says is not."""
    while True:
        client.writer.write(b"x")
        try:
            await client.writer.drain()
        except ConnectionError:
            return
        await asyncio.sleep(0)
