"""A notebook of another host is reached through that host's proxy, which gets requests as they came and judges anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.contract.proxy.world import KEY, TOKEN, Client, Notebook, Rooms, connected, echoing, get, proxied
from trivium.server.proxy import Admission, Credential, Endpoint, OtherProxy, Proxy

MIB = 1 << 20


class Far(Rooms):
    """The same book at another host: every endpoint leads to a proxy."""

    def __init__(self, rooms: Rooms, port: int) -> None:
        super().__init__()
        self.rights = dict(rooms.rights)
        self.addresses = rooms.addresses
        self.there = OtherProxy(host="127.0.0.1", port=port)

    def judged(self, endpoint: Endpoint, credential: Credential) -> Admission:
        return msgspec.structs.replace(super().judged(endpoint, credential), target=self.there)


@pytest_asyncio.fixture
async def far(rooms: Rooms, notebook: Notebook, running: tuple[Proxy, int]) -> AsyncIterator[tuple[Far, int]]:
    """A proxy of another host, before the one that has the notebook; and its port."""
    assert notebook.connections == 0
    access = Far(rooms, running[1])
    async with proxied(access) as (_, port):
        yield access, port


@pytest_asyncio.fixture
async def through(far: tuple[Far, int]) -> AsyncIterator[Client]:
    async with connected(far[1]) as client:
        yield client


async def test_requests_go_through_both_with_the_rights_of_their_sender(through: Client, notebook: Notebook) -> None:
    for number in range(3):
        answer = await through.ask(get(f"/nb/7/api/{number}?a=b", KEY, "Cookie: theirs=1"))
        assert answer.status == 200
        assert answer.json()["line"] == f"GET /nb/7/api/{number}?a=b HTTP/1.1"
    request = notebook.requests[0]
    assert request.all("authorization") == [f"token {TOKEN}"]
    assert request.first("host") == "127.0.0.1:8801"
    assert request.first("cookie") == "theirs=1"
    assert request.all("x-trivium-forwarded") == []
    assert notebook.connections == 1


async def test_bodies_of_both_framings_go_through(through: Client, notebook: Notebook) -> None:
    body = b"x" * (3 * MIB)
    head = get("/nb/7/up", KEY, f"Content-Length: {len(body)}", method="POST")
    assert (await through.ask(head + body)).status == 200
    head = get("/nb/7/up", KEY, "Transfer-Encoding: chunked", method="POST")
    assert (await through.ask(head + b"5\r\nhello\r\n0\r\n\r\n")).status == 200
    assert [len(request.body) for request in notebook.requests] == [len(body), 5]


async def test_a_service_is_reached_through_both(through: Client, notebook: Notebook) -> None:
    assert (await through.ask(get("/svc/7/x?y", KEY))).status == 200
    assert notebook.requests[0].target == "/x?y"
    assert notebook.requests[0].first("x-forwarded-prefix") == "/svc/7"


async def test_what_the_notebook_sets_comes_back_as_its_own_proxy_confined_it(
    through: Client, notebook: Notebook
) -> None:
    notebook.extra = b"Set-Cookie: a=1; Path=/\r\n"
    answer = await through.ask(get("/nb/7/x", KEY))
    assert answer.all("set-cookie") == ["a=1; Path=/nb/7/"]


async def test_the_host_that_has_it_judges_again(through: Client, rooms: Rooms, notebook: Notebook) -> None:
    rooms.withdraw("ann")
    assert (await through.ask(get("/nb/7/x", KEY))).status == 401
    assert notebook.requests == []


async def test_a_request_is_sent_on_once(far: tuple[Far, int]) -> None:
    access, port = far
    access.there = OtherProxy(host="127.0.0.1", port=port)  # each takes the notebook to be at the other
    async with connected(port) as client:
        assert (await client.ask(get("/nb/7/x", KEY))).status == 508


async def test_a_proxy_that_is_not_there_is_told(far: tuple[Far, int], through: Client) -> None:
    far[0].there = OtherProxy(host="127.0.0.1", port=1)
    assert (await through.ask(get("/nb/7/x", KEY))).status == 503


@pytest.mark.parametrize("message", ["hello", b"\x00" * MIB], ids=["text", "bytes"])
async def test_websockets_go_through_both(
    far: tuple[Far, int], rooms: Rooms, short_path: Path, *, message: str | bytes
) -> None:
    async with echoing(rooms, short_path / "w"):
        url = f"ws://127.0.0.1:{far[1]}/nb/7/api/kernels/1/channels"
        async with connect(url, additional_headers={"Authorization": "token key"}, max_size=None) as socket:
            await socket.send(message)
            assert await socket.recv() == message
