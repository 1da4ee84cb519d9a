"""Taking an address, and letting go of it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from tests.listening import listening
from tests.tongues import Gate, Tongue, operation
from trivium.server.http import AddressTaken, Patience, bind

WAIT = operation("wait", "GET", "/t/wait")


def test_port_0_gives_the_port_that_was_free() -> None:
    bound = bind("127.0.0.1", 0)
    with bound.socket:
        assert bound.port == bound.socket.getsockname()[1] > 0


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    first = bind("127.0.0.1", 0)
    with first.socket, pytest.raises(AddressTaken, match=f"127.0.0.1:{first.port}: another process listens there"):
        bind("127.0.0.1", first.port)


TRY_ADDRESSES = """
from trivium.server.http import AddressTaken, bind
for host, port in (("203.0.113.9", 0), ("x" * 300, 0), ("127.0.0.1", 99999)):
    try:
        bind(host, port)
    except AddressTaken as error:
        print(error)
"""


def test_an_address_that_is_not_ours_is_a_clear_error() -> None:
    # In a process of its own: this one is refused even to name an address beyond loopback.
    done = subprocess.run([sys.executable, "-c", TRY_ADDRESSES], capture_output=True, text=True, check=True)
    assert done.stdout.count("cannot listen on ") == 3


def test_a_port_can_be_taken_again_at_once() -> None:
    first = bind("127.0.0.1", 0)
    with first.socket, socket.create_connection(("127.0.0.1", first.port)) as client:
        accepted, _ = _accept(first.socket)
        accepted.close()
        assert client.recv(1) == b""
    with bind("127.0.0.1", first.port).socket:
        pass


def _accept(listener: socket.socket) -> tuple[socket.socket, object]:
    listener.settimeout(10)
    return listener.accept()


async def test_what_is_being_answered_is_answered_to_its_end_when_the_server_stops() -> None:
    gate = Gate()
    async with listening(Tongue("tongue", (WAIT,), {"wait": gate})) as listener:
        idle, busy = await listener.connect(), await listener.connect()
        await idle.ask("GET", "/healthz")
        await busy.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await gate.entered.wait()
        listener.stop.set()
        assert await idle.is_closed()
        with pytest.raises(ConnectionRefusedError):
            await listener.connect()
        gate.open.set()
        answer = await busy.answer()
        assert (answer.status, answer.header("connection")) == (200, "close")
        assert await busy.is_closed()


async def test_what_takes_longer_than_the_grace_is_answered_as_a_fault() -> None:
    gate = Gate()
    tongue = Tongue("tongue", (WAIT,), {"wait": gate})
    async with listening(tongue, patience=Patience(grace=0)) as listener:
        client = await listener.connect()
        await client.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await gate.entered.wait()
        listener.stop.set()
        answer = await client.answer()
        assert (answer.json["code"], answer.json["kind"]) == ("fault", "CancelledError")


@pytest.mark.parametrize("begun", [b"", b"GET /t/wait HTTP/1.1\r\nHos"])
async def test_a_client_that_does_not_finish_its_head_is_hung_up_on(begun: bytes) -> None:
    async with listening(patience=Patience(head=0.1)) as listener:
        client = await listener.connect()
        await client.send(begun)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await client.reader.readexactly(1)


async def test_an_idle_connection_is_kept_beyond_the_time_for_a_head() -> None:
    async with listening(patience=Patience(head=0.1)) as listener:
        client, witness = await listener.connect(), await listener.connect()
        await client.ask("GET", "/healthz")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await witness.reader.readexactly(1)  # it never began, and is hung up on
        assert (await client.ask("GET", "/healthz")).status == 200


async def test_an_idle_connection_is_closed_when_its_time_is_over() -> None:
    async with listening(patience=Patience(idle=0)) as listener:
        client = await listener.connect()
        await client.ask("GET", "/healthz")
        assert await client.is_closed()
