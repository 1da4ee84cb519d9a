"""Bodies over real sockets: what is read for whom, and how much of it is held."""

from __future__ import annotations

import pytest

from tests.listening import Client, Listener, listening
from tests.tongues import Gate, Tongue, operation
from tests.waiting import until_async
from trivium.base.units import KIB, MIB
from trivium.dialects.operation import SMALL_BODY
from trivium.server.http import Room

LOG_IN = operation("log-in", "POST", "/t/login", public=True)
CALL = operation("call", "POST", "/t/call", public=True, body_tells=True)
TAKE = operation("take", "POST", "/t/take")
WAIT = operation("wait", "POST", "/t/wait")
SIZE = 400 * KIB


def tongue(gate: Gate | None = None, limit: int = 10 * MIB) -> Tongue:
    acts = {} if gate is None else {"wait": gate}
    return Tongue("tongue", (LOG_IN, CALL, TAKE, WAIT), acts, body_limit=limit)


def head(path: str, length: int | None, user: int = 0) -> bytes:
    """The head of a request with a body of that length, or with one in chunks."""
    how = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    who = f"User: {user}\r\n" if user else ""
    return f"POST {path} HTTP/1.1\r\nHost: a\r\n{who}{how}\r\n\r\n".encode()


async def owing(listener: Listener, path: str, *, user: int = 0, size: int = SIZE) -> Client:
    """A client who has sent all of a body but its last byte."""
    client = await listener.connect()
    await client.send(head(path, size, user) + b"x" * (size - 1))
    return client


async def until_taken(room: Room, size: int) -> None:
    async def is_taken() -> bool:
        return room.taken == size

    await until_async(is_taken, what=f"{size} bytes of bodies are held")


@pytest.mark.parametrize(("path", "status", "code"), [("/t/login", 413, "too-large"), ("/t/take", 401, "no-user")])
async def test_of_a_large_body_of_nobody_known_nothing_is_read(path: str, status: int, code: str) -> None:
    async with listening(tongue()) as listener:
        for length in (SMALL_BODY + 1, 10 * MIB):
            client = await listener.connect()
            await client.send(head(path, length))
            answer = await client.answer()
            assert (answer.status, answer.json["code"], answer.header("connection")) == (status, code, "close")
        chunks = await listener.connect()
        await chunks.send(head(path, None) + b"10001\r\n" + b"x" * (SMALL_BODY + 1))
        assert (await chunks.answer()).json["code"] == code


async def test_a_small_body_is_read_for_anybody() -> None:
    async with listening(tongue()) as listener:
        for path in ("/t/login", "/t/take"):
            answer = await listener.ask("POST", path, body=b"x" * SMALL_BODY)
            assert (answer.status, answer.json["size"]) == (200, SMALL_BODY)


async def test_a_large_body_is_read_for_who_is_known_or_is_told_by_it_alone() -> None:
    room = Room()
    async with listening(tongue(), room=room) as listener:
        for path, user in (("/t/take", {"User": "1"}), ("/t/call", {})):
            assert (await listener.ask("POST", path, user, b"x" * 10 * MIB)).json["size"] == 10 * MIB
        client = await listener.connect()
        await client.send(head("/t/take", None, user=1) + b"20000\r\n%b\r\n0\r\n\r\n" % (b"x" * 0x20000))
        assert (await client.answer()).json["size"] == 0x20000
    assert room.taken == 0


async def test_whoever_never_ends_many_bodies_crowds_out_only_themselves() -> None:
    room = Room(MIB)
    async with listening(tongue(limit=SIZE), room=room) as listener:
        crowd: list[Client] = []
        for number in range(6):  # two of them fit
            crowd.append(await owing(listener, "/t/call"))
            if number >= 2:
                answer = await crowd[number - 2].answer()
                assert (answer.status, answer.json["code"], answer.header("connection")) == (503, "crowded", "close")
            await until_taken(room, min(number + 1, 2) * (SIZE - 1))
        slow = await owing(listener, "/t/take", user=1)
        assert (await crowd[4].answer()).status == 503
        await until_taken(room, 2 * (SIZE - 1))
        assert (await listener.ask("POST", "/t/take", {"User": "2"}, b"x" * 200 * KIB)).status == 200
        await slow.send(b"x")
        assert (await slow.answer()).json["size"] == SIZE
        await crowd[5].send(b"x")
        assert (await crowd[5].answer()).json["size"] == SIZE
    assert room.taken == 0


async def test_in_a_room_full_of_what_is_being_answered_only_small_bodies_are_read() -> None:
    room, gate = Room(SIZE), Gate()
    async with listening(tongue(gate, SIZE), room=room) as listener:
        client = await listener.connect()
        await client.send(head("/t/wait", SIZE, user=1) + b"x" * SIZE)
        await gate.entered.wait()
        assert room.taken == SIZE  # until it is answered
        crowded = await listener.connect()
        await crowded.send(head("/t/take", SIZE, user=2) + b"x" * (SMALL_BODY + 1))
        assert (await crowded.answer()).status == 503
        assert (await listener.ask("POST", "/t/take", body=b"x" * SMALL_BODY)).json["size"] == SMALL_BODY
        gate.open.set()
        assert (await client.answer()).json["size"] == SIZE
    assert room.taken == 0


async def test_who_hangs_up_holds_nothing() -> None:
    room = Room()
    async with listening(tongue(), room=room) as listener:
        client = await owing(listener, "/t/call")
        await until_taken(room, SIZE - 1)
        client.close()
        await until_taken(room, 0)
