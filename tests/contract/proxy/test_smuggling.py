"""What the proxy takes for a request is what the notebook gets: no more of them, no others, and none half judged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import h11
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.contract.proxy.world import JUPYTER, TOKEN, Rooms, connected, eventually, listening, proxied
from trivium.server.proxy import Proxy, ProxySettings

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEADS = [
    b"GET /nb/7/x HTTP/1.1\r\nHost: h\r\nAuthorization: token key\r\n",
    b"POST /nb/7/y HTTP/1.1\r\nHost: h\r\nAuthorization: token key\r\n",
    b"POST /nb/7/z HTTP/1.0\r\nHost: h\r\nAuthorization: token key\r\n",
    b"GET /nb/7/stranger HTTP/1.1\r\nHost: h\r\n",
]
FIELDS = [
    *(b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: 05\r\n", b"Content-Length : 5\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding:\tchunked\r\n", b"Transfer-Encoding: x, chunked\r\n"),
    *(b"Transfer_Encoding: chunked\r\n", b"Connection: Content-Length\r\n", b"Connection: Transfer-Encoding\r\n"),
    *(b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n", b"X: y\r\n"),
    *(b"Trailer: Content-Length\r\n", b"TE: trailers\r\n", b"X: a\nContent-Length: 9\r\n", b"Content-Length: 5, 5\r\n"),
]
BODIES = [
    *(b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n", b"0\r\n\r\n"),
    *(
        b"5\r\nhello\r\n00\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"6\r\nhello\r\n0\r\n\r\n",
        b"\r\n",
    ),
    b"GET /nb/7/hidden HTTP/1.1\r\nHost: h\r\n\r\n",
]
REQUESTS = st.builds(
    lambda head, fields, body: head + b"".join(fields) + b"\r\n" + body,
    st.sampled_from(HEADS),
    st.lists(st.sampled_from(FIELDS), max_size=3),
    st.sampled_from(BODIES),
)


class Witness:
    """A notebook that reads what it is sent with a parser that is not ours, and answers each request."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, list[tuple[bytes, bytes]], bytes]] = []
        self.broken: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        request: h11.Request | None = None
        body = b""
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                if not str(error).startswith("peer closed connection"):  # the proxy breaks off what is broken off
                    self.broken.append(str(error))
                return
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                self.seen.append((request.target, list(request.headers), body))
                writer.write(connection.send(h11.Response(status_code=200, headers=[("Content-Length", "2")])) or b"")
                writer.write(connection.send(h11.Data(data=b"ok")) or b"")
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    return
                connection.start_next_cycle()
            else:
                return


@pytest_asyncio.fixture
async def watched(rooms: Rooms) -> AsyncIterator[tuple[Proxy, int, Witness]]:
    """A proxy that waits for nobody, and what is behind it."""
    soon = timedelta(milliseconds=20)
    patience = ProxySettings(
        head_timeout=soon, body_timeout=soon, idle_timeout=soon, answer_timeout=soon * 50, sweep=soon, linger=soon
    )
    witness = Witness()
    async with listening(witness.serve) as address, proxied(rooms, patience) as (proxy, port):
        rooms.addresses[JUPYTER] = address
        yield proxy, port, witness


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(raw=[HEADS[1] + FIELDS[0] + FIELDS[4] + b"\r\n0\r\n\r\n" + HEADS[0] + b"\r\n"], cuts=[])
@example(raw=[HEADS[1] + FIELDS[4] + b"\r\n" + BODIES[3], HEADS[0] + b"\r\n"], cuts=[1, 90, 3])
@example(raw=[HEADS[3] + FIELDS[0] + b"\r\n" + BODIES[-1]], cuts=[])
@given(raw=st.lists(REQUESTS, min_size=1, max_size=4), cuts=st.lists(st.integers(1, 120), max_size=5))
async def test_the_notebook_sees_what_the_proxy_judged(
    raw: list[bytes], cuts: list[int], watched: tuple[Proxy, int, Witness]
) -> None:
    proxy, port, witness = watched
    witness.seen.clear()
    before = proxy.metrics.requests[200]
    stream = b"".join(raw)
    async with connected(port) as client:
        for size in cuts:
            await client.send(stream[:size])
            stream = stream[size:]
        await client.send(stream)
        while not await client.is_closed():
            pass
    await eventually(lambda: proxy.metrics.connections == 0, what="the connection is forgotten")
    assert witness.broken == []
    assert proxy.metrics.requests[500] == 0
    assert len(witness.seen) == proxy.metrics.requests[200] - before
    for target, fields, body in witness.seen:
        assert target in {b"/nb/7/x", b"/nb/7/y", b"/nb/7/z"}
        assert [value for name, value in fields if name == b"authorization"] == [f"token {TOKEN}".encode()]
        assert len(body) in {0, 5}
        assert body in b"".join(raw)
