"""Answers that are sent to the address that a call named, over real HTTP, on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from tests.builders import Place, place
from tests.desks import Client
from trivium.base.clock import ManualClock
from trivium.dialects.zstack import ZStackSettings
from trivium.resources import operations
from trivium.resources.operations.hooks import TRIES
from trivium.server.hooks import send_due

DESKS = "/zstack/v1/desks"


class Receiver:
    """A small HTTP server that notes what it is sent, and says what it was told to say."""

    def __init__(self) -> None:
        self.status = 200
        self.letters: list[tuple[str, dict[str, str], Any]] = []
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.letters.append((head[0], headers, json.loads(body)))
        location = b"Location: http://127.0.0.1:1/\r\n" if self.status == 302 else b""
        writer.write(b"HTTP/1.1 %d X\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n" % (self.status, location))
        await writer.drain()
        writer.close()


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    async with await asyncio.start_server(made.take, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


def client_of(here: Place, *allowed: str) -> Client:
    return Client(here, here.user("alice"), ZStackSettings(web_hooks=allowed))


def named(receiver: Receiver) -> dict[str, str]:
    return {"x-web-hook": f"http://127.0.0.1:{receiver.port}/done?of=alice"}


async def test_an_answer_is_sent_once_to_who_wants_it(here: Place, receiver: Receiver) -> None:
    alice = client_of(here, "127.0.0.1")
    taken = await alice.ask("POST", DESKS, {"params": {"name": "north"}}, named(receiver))
    done = await alice.look(taken)
    for _ in range(2):
        await send_due(here.store, alice.dialect)
    ((line, headers, body),) = receiver.letters
    assert line == "POST /done?of=alice HTTP/1.1"
    assert headers["x-job-uuid"] == taken.body["location"].rpartition("/")[2]
    assert headers["x-job-success"] == "true"
    assert headers["content-type"] == "application/json"
    assert body == done.body


async def test_a_failure_is_sent_as_one(here: Place, receiver: Receiver) -> None:
    alice = client_of(here, "127.0.0.1")
    taken = await alice.ask("POST", DESKS, {"params": {}}, named(receiver))
    await send_due(here.store, alice.dialect)
    ((_, headers, body),) = receiver.letters
    assert headers["x-job-success"] == "false"
    assert body == (await alice.look(taken)).body


async def test_what_goes_on_is_sent_when_it_has_ended(here: Place, receiver: Receiver) -> None:
    alice = client_of(here, "127.0.0.1")
    taken = await alice.ask("POST", f"{DESKS}/fetched", {"params": {"name": "north"}}, named(receiver))
    await send_due(here.store, alice.dialect)
    assert receiver.letters == []
    job = here.store.read_now(operations.find, UUID(taken.body["location"].rpartition("/")[2]))
    assert job is not None
    here.store.write_now(operations.finish, job.id)
    await send_due(here.store, alice.dialect)
    ((_, _, body),) = receiver.letters
    assert body == (await alice.look(taken)).body


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_what_does_not_arrive_is_tried_again_and_not_for_ever(
    here: Place, receiver: Receiver, status: int
) -> None:
    assert isinstance(here.clock, ManualClock)
    alice = client_of(here, "127.0.0.1")
    await alice.ask("POST", DESKS, {"params": {"name": "north"}}, named(receiver))
    receiver.status = status
    tries = []
    for _ in range(TRIES + 2):
        await send_due(here.store, alice.dialect)
        await send_due(here.store, alice.dialect)  # the next try is not due yet
        tries.append(len(receiver.letters))
        here.clock.move(timedelta(hours=1))
    assert tries == [*range(1, TRIES + 1), TRIES, TRIES]


async def test_it_arrives_when_the_address_answers_again(here: Place, receiver: Receiver) -> None:
    assert isinstance(here.clock, ManualClock)
    alice = client_of(here, "127.0.0.1")
    await alice.ask("POST", DESKS, {"params": {"name": "north"}}, named(receiver))
    receiver.status = 503
    await send_due(here.store, alice.dialect)
    receiver.status = 204
    another = Client(here, here.admin, ZStackSettings(web_hooks=("127.0.0.1",)))
    for _ in range(3):
        here.clock.move(timedelta(hours=1))
        await send_due(here.store, another.dialect)
    assert len(receiver.letters) == 2


async def test_an_address_that_is_not_allowed_is_refused_and_nothing_is_done(here: Place, receiver: Receiver) -> None:
    alice = client_of(here, "hooks.example")
    refused = await alice.ask("POST", DESKS, {"params": {"name": "north"}}, named(receiver))
    assert (refused.status, refused.body["error"]["code"]) == (400, "SYS.1007")
    assert "X-Web-Hook" in refused.body["error"]["details"]
    taken = await alice.ask("POST", DESKS, {"params": {"name": "north"}})
    assert (await alice.look(taken)).status == 200
