"""Reading a request's body: no more of it than its dialect allows, and not for ever.

A small one is read for anybody. Before a large one is read the head says whose it is, and it counts in the `Room` that
all of them share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from trivium.dialects.operation import SMALL_BODY, Reply
from trivium.server.http.messages import Message, Outgoing, Receive, Send
from trivium.server.http.room import Held, Room

READ_SECONDS: Final = 60.0  # for a whole body, once its first part is there
LINGER_SECONDS: Final = 5.0
LINGER_BYTES: Final = 256 * 1024 * 1024

Sender: TypeAlias = Callable[[], Awaitable[int]]
"""Looks up whose a body is. Raises `SenderRefused`."""


class NotRead(Exception):
    """The body was not read to its end."""


class BodyTooLarge(NotRead):
    """The body is over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class BodyTooSlow(NotRead):
    """The body did not come to its end in time."""


class BodyCrowdedOut(NotRead):
    """The body gave way to others."""


class SenderRefused(NotRead):
    """Whoever sends a large body is refused for what its head says."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class ClientGone(Exception):
    """The client hung up before the request was complete."""


def has_body(headers: Mapping[str, str]) -> bool:
    """Whether a request has a body, or may have one."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class Body:
    """One body. It is held until it is closed."""

    __slots__ = ("_held", "_is_crowded_out", "_limit", "_patience", "_receive", "_room", "_sender")

    def __init__(self, receive: Receive, *, limit: int, sender: Sender, room: Room) -> None:
        self._receive = receive
        self._limit = limit
        self._sender = sender
        self._room = room
        self._held: Held | None = None
        self._patience: asyncio.Timeout | None = None
        self._is_crowded_out = False

    async def read(self, headers: Mapping[str, str]) -> bytes:
        """The whole body. Raises `NotRead` (`BodyTooLarge` at once, where its length is announced) or `ClientGone`."""
        length = int(headers.get("content-length", "0"))  # the parser let nothing but digits through
        if length > self._limit:
            raise BodyTooLarge(self._limit)
        if length > SMALL_BODY:
            await self._enter()
        message = await self._receive()
        try:
            async with asyncio.timeout(READ_SECONDS) as self._patience:
                return await self._rest(message)
        except TimeoutError as error:
            raise (BodyCrowdedOut if self._is_crowded_out else BodyTooSlow) from error

    def close(self) -> None:
        """Hold nothing any more."""
        if self._held is not None:
            self._room.leave(self._held)

    async def _rest(self, message: Message) -> bytes:
        parts = bytearray()
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts += message.get("body", b"")
            if len(parts) > self._limit:
                raise BodyTooLarge(self._limit)
            if len(parts) > SMALL_BODY:
                await self._hold(len(parts))
            if not message.get("more_body", False):
                break
            message = await self._receive()
        if self._held is not None:
            self._room.settle(self._held)
        return bytes(parts)

    async def _hold(self, size: int) -> None:
        held = self._held or await self._enter()
        if not self._is_crowded_out:
            self._room.grow(held, size, limit=self._limit)
        if self._is_crowded_out:
            raise BodyCrowdedOut

    async def _enter(self) -> Held:
        self._held = Held(await self._sender(), self._give_way)
        return self._held

    def _give_way(self) -> None:
        """Stop reading: what waits for more is woken."""
        self._is_crowded_out = True
        if self._patience is not None:
            self._patience.reschedule(0)


async def refuse(send: Send, receive: Receive, answer: Outgoing) -> None:
    """Send an answer to a request that was not read to its end, and close the connection.

    The client is still sending. Closing under its hands would make the kernel reset the connection and the answer be
    lost, so what comes is thrown away for a while: the answer is whole for the client, the close waits.
    """
    headers = [*answer.headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            await _drain(receive)
    except TimeoutError:
        pass  # it was given its time
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    dropped = 0
    while dropped < LINGER_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        dropped += len(message.get("body", b""))
