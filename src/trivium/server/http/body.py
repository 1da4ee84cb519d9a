"""Reading a request's body: no more of it than its dialect allows, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from trivium.server.http.messages import Message, Outgoing, Receive, Send

READ_SECONDS: Final = 60.0  # for a whole body, once its first part is there
LINGER_SECONDS: Final = 5.0
LINGER_BYTES: Final = 256 * 1024 * 1024


class BodyTooLarge(Exception):
    """The body is over the limit; what is left of it was not read."""


class BodyTooSlow(Exception):
    """The body did not come to its end in time."""


class ClientGone(Exception):
    """The client hung up before the request was complete."""


async def read_body(headers: Mapping[str, str], receive: Receive, *, limit: int) -> bytes:
    """The whole body. Raises `BodyTooLarge` (at once, where its length is announced), `BodyTooSlow` or `ClientGone`."""
    length = int(headers.get("content-length", "0"))  # the parser let nothing but digits through
    if length == 0 and headers.get("transfer-encoding") is None:
        return b""
    if length > limit:
        raise BodyTooLarge
    message = await receive()
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _rest(message, receive, limit)
    except TimeoutError as error:
        raise BodyTooSlow from error


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


async def _rest(message: Message, receive: Receive, limit: int) -> bytes:
    parts = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(parts)
        message = await receive()


async def _drain(receive: Receive) -> None:
    dropped = 0
    while dropped < LINGER_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        dropped += len(message.get("body", b""))
