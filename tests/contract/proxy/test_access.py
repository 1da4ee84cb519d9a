"""Who may enter, asked of the one account of things: the address is the notebook's own, or the endpoint is shut."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from tests.builders import HOST
from tests.contract.proxy.world import connected, get, proxied
from tests.waiting import until_async
from tests.worlds import Person, World, world
from trivium.base.clock import ManualClock, SystemClock
from trivium.resources import notebooks, users
from trivium.resources.notebooks import Notebook, Status
from trivium.server.access import GrantAccess
from trivium.server.proxy import Credential, CredentialSource, Endpoint, Kind, OwnedPort, Refused
from trivium.store import Store

FICKLE = """
import http.server, sys, threading

class Once(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if self.path.endswith("/leave"):
            threading.Thread(target=self.server.shutdown).start()

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Once)
server.serve_forever()
server.server_close()
threading.Event().wait()
"""


@pytest_asyncio.fixture
async def here() -> AsyncIterator[World]:
    """A site."""
    async with world() as made:
        yield made
        for person in made.people:
            await made.release_all(person)


async def _ticket(here: World, person: Person, notebook: Notebook) -> Credential:
    link = await here.core.store.read(
        notebooks.link, person.caller, notebook.id, keyring=here.core.keyring, site=here.core.site
    )
    return Credential(source=CredentialSource.LINK, secret=parse_qs(urlsplit(link.url).query)["token"][0])


async def test_a_port_that_the_notebook_left_to_somebody_else_is_not_entered(here: World) -> None:
    person = here.user()
    image = await here.image("fickle:1", command=("python", "-c", FICKLE, "{port}"))
    notebook = await here.notebook(person, image, Status.RUNNING)
    access = GrantAccess(here.core.store, here.runtime, here.core.keyring, host=HOST)
    endpoint = Endpoint(notebook=str(notebook.id), kind=Kind.JUPYTER)
    ticket = await _ticket(here, person, notebook)
    admission = await access.admit(endpoint, ticket)
    assert isinstance(admission.target, OwnedPort)
    place = ("127.0.0.1", admission.target.port)
    assert await access.still_admitted([admission]) == [True]
    async with proxied(access) as (_, port), connected(port) as client:
        assert (await client.ask(get(f"/nb/{notebook.id}/leave?token={ticket.secret}"))).status == 200

    async def taken() -> socket.socket | None:
        other = socket.socket()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(place)
        except OSError:
            other.close()
            return None
        other.listen()
        return other

    stranger = await until_async(taken, what="the port to be free")
    assert stranger is not None
    async with proxied(access) as (_, port), connected(port) as client:
        with stranger, socket.create_connection(place) as own:
            assert not await access.is_accepted(admission.target, place[0], own.getsockname())
            assert (await client.ask(get(f"/nb/{notebook.id}/?token={ticket.secret}"))).status == 503
            accepted, peer = stranger.accept()
            with accepted:
                assert peer == own.getsockname()  # nobody else has come
            assert not await access.is_accepted(admission.target, place[0], own.getsockname())


async def test_a_ticket_is_for_its_own_door(here: World) -> None:
    person = here.user()
    image = await here.image("tiny:1")
    first, second = [await here.notebook(person, image, Status.RUNNING) for _ in range(2)]
    access = GrantAccess(here.core.store, here.runtime, here.core.keyring, host=HOST)
    ticket = await _ticket(here, person, first)
    for notebook in (str(second.id), "0", "1", "no number", str(first.id) + "0"):
        with pytest.raises(Refused) as refused:
            await access.admit(Endpoint(notebook=notebook, kind=Kind.JUPYTER), ticket)
        assert refused.value.status == 401
    with pytest.raises(Refused) as refused:
        await access.admit(Endpoint(notebook=str(first.id), kind=Kind.SERVICE), ticket)
    assert refused.value.status == 503


async def test_a_right_that_another_process_withdrew_is_gone_with_the_next_request(database_url: str) -> None:
    async with world(url=database_url) as here:
        person = here.user()
        notebook = await here.notebook(person, await here.image("tiny:1"), Status.RUNNING)
        access = GrantAccess(here.core.store, here.runtime, here.core.keyring, host=HOST)
        endpoint = Endpoint(notebook=str(notebook.id), kind=Kind.JUPYTER)
        ticket = await _ticket(here, person, notebook)
        await here.pause()  # whoever works writes, too
        admission = await access.admit(endpoint, ticket)
        assert access.admit_now(endpoint, ticket) in {admission, None}
        assert (await access.admit(endpoint, ticket)).target == admission.target
        elsewhere = Store.open(database_url, SystemClock(), "cli")
        try:
            elsewhere.write_now(users.disable, here.admin, person.caller.user)
            assert access.admit_now(endpoint, ticket) is None
            with pytest.raises(Refused):
                await access.admit(endpoint, ticket)
            elsewhere.write_now(users.enable, here.admin, person.caller.user)
            assert (await access.admit(endpoint, ticket)).target == admission.target
        finally:
            elsewhere.close()
        await here.resume()
        await here.release_all(person)


async def test_what_is_kept_is_not_kept_for_long(here: World) -> None:
    person = here.user()
    notebook = await here.notebook(person, await here.image("tiny:1"), Status.RUNNING)
    await here.pause()
    clock = ManualClock(here.core.store.clock.now())
    here.core.store.clock = clock
    access = GrantAccess(here.core.store, here.runtime, here.core.keyring, host=HOST)
    endpoint = Endpoint(notebook=str(notebook.id), kind=Kind.JUPYTER)
    ticket = await _ticket(here, person, notebook)
    admission = await access.admit(endpoint, ticket)
    assert access.admit_now(endpoint, ticket) is admission
    clock.move(timedelta(seconds=2))
    assert access.admit_now(endpoint, ticket) is None
    clock.move(timedelta(hours=3))
    with pytest.raises(Refused) as refused:
        await access.admit(endpoint, ticket)
    assert refused.value.status == 401
    here.core.store.clock = SystemClock()
    await here.resume()
